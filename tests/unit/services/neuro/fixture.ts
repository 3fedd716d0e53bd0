/**
 * The service of the Neuro API with fake games and fake Neuros, on virtual time, so that a test reads like its situation.
 *
 * Messages to fakes are shown in short words: `register a b`, `force a b`, `result u1 true`; see `inWords`.
 */
import { DEFAULTS, UPSTREAM_DEFAULTS } from "../../../../src/core/defaults.ts";
import type { GameMessage } from "../../../../src/core/neuro-messages.ts";
import type { Effect } from "../../../../src/core/effect.ts";
import type { ConnectionInfo, Entry, ResumedPeer } from "../../../../src/core/event.ts";
import { type LinkId, type PeerId, peerId } from "../../../../src/core/ids.ts";
import { isObject, type Json, type JsonObject } from "../../../../src/core/json.ts";
import type { Observation, ObservationName } from "../../../../src/core/observation.ts";
import type {
  ActionSettings,
  BackendSettings,
  BehaviourSettings,
  PolicySettings,
  Settings,
  UpstreamSettings,
} from "../../../../src/core/settings.ts";
import type { ServiceMessage } from "../../../../src/core/service-message.ts";
import { neuro } from "../../../../src/services/neuro/mod.ts";
import { type NeuroState as State, peerOf } from "../../../../src/services/neuro/state.ts";
import { ServiceHarness } from "../../../../src/testing/service-harness.ts";

export interface ScenarioOptions {
  /** Settings of each upstream; none: the built-in Neuro. */
  readonly neuros?: readonly Partial<UpstreamSettings>[];
  readonly actions?: Partial<ActionSettings>;
  readonly integrations?: readonly PolicySettings[];
  readonly settings?: Partial<Settings>;
  readonly entries?: readonly Entry[];
  readonly resumed?: readonly ResumedPeer[];
  readonly now?: number;
}

export function settingsOf({ neuros = [{}], actions, integrations = [], settings }: ScenarioOptions): Settings {
  return {
    ...DEFAULTS,
    "nakurity-clients": neuros.map((each) => ({ ...UPSTREAM_DEFAULTS, url: "ws://neuro.test", ...each })),
    actions: { ...DEFAULTS.actions, ...actions },
    integrations,
    ...settings,
  };
}

/** The relay in the place of Neuro, with these values instead of those of `polite`. */
export function behaving(
  { percent, ...behaviour }: Partial<Omit<BehaviourSettings, "percent">> & {
    percent?: Partial<BehaviourSettings["percent"]>;
  },
): BackendSettings {
  const backend = DEFAULTS["nakurity-backend"];
  const { behaviour: polite } = backend;
  return { ...backend, behaviour: { ...polite, ...behaviour, percent: { ...polite.percent, ...percent } } };
}

/** One command of the Neuro API in short words. */
function inWords(frame: JsonObject): string {
  const data = isObject(frame["data"]) ? frame["data"] : {};
  const names = (list: Json | undefined): string => (Array.isArray(list) ? list.map(nameOf).join(" ") : "");
  switch (frame["command"]) {
    case "actions/register":
      return `register ${names(data["actions"])}`;
    case "actions/unregister":
      return `unregister ${names(data["action_names"])}`;
    case "actions/force":
      return `force ${names(data["action_names"])}`;
    case "action/result":
      return `result ${data["id"]} ${data["success"]}`;
    case "context":
      return `context ${data["message"]}`;
    case "action":
      return data["data"] === undefined ? `action ${data["name"]}` : `action ${data["name"]} ${data["data"]}`;
    case "actions/reregister_all":
      return "reregister";
    default:
      return String(frame["command"]);
  }
}

const nameOf = (item: Json): string => (isObject(item) ? String(item["name"]) : String(item));

export class Scenario {
  readonly harness: ServiceHarness<State>;
  readonly effects: Effect[] = [];
  readonly observations: Observation[] = [];
  readonly #frames = new Map<string, JsonObject[]>();
  readonly #told: ServiceMessage[] = [];
  readonly dials: { link: LinkId; url: string; headers: Readonly<Record<string, string>> }[] = [];
  readonly closedLinks: LinkId[] = [];
  readonly closed: { peer: PeerId; fault: string }[] = [];
  #neuros = new Map<string, FakeNeuro>();
  #peers = 0;

  constructor(options: ScenarioOptions = {}) {
    const { entries = [], resumed: resumed = [], now = 1_000_000 } = options;
    this.harness = new ServiceHarness(neuro, { settings: settingsOf(options), entries, resumed: resumed, now, epoch: now });
    this.step({ is: "tick" });
  }

  step(event: Parameters<ServiceHarness<State>["step"]>[0]): void {
    this.harness.step(event);
    this.collect();
  }

  /** The peer that a game of the game port is connected on. */
  peerOf(name: string): PeerId | undefined {
    const game = this.harness.state.games.get(`neuro:${name}`);
    return game === undefined ? undefined : peerOf(game);
  }

  /** Lets time pass. */
  pass(ms: number): void {
    this.harness.advance(ms);
    this.collect();
  }

  get now(): number {
    return this.harness.now;
  }

  post(message: ServiceMessage): void {
    this.step({ is: "serviceMessage", message });
  }

  configure(options: ScenarioOptions): void {
    this.step({ is: "configured", settings: settingsOf(options) });
  }

  /** The Neuro with this id. `heard` returns the messages that were sent to it. */
  neuro(id: string = "neuro"): FakeNeuro {
    const known = this.#neuros.get(id) ?? new FakeNeuro(this, id);
    this.#neuros.set(id, known);
    return known;
  }

  /** A game that has just connected and sent nothing. */
  game(name: string, connection: Partial<ConnectionInfo> = {}): FakeGame {
    const peer = peerId(`p${++this.#peers}`);
    this.harness.open(peer, connection);
    this.collect();
    return new FakeGame(this, peer, name);
  }

  /** An integration of the Intermediary. */
  integration(name: string): FakeIntegration {
    const peer = peerId(`m${++this.#peers}`);
    this.post({ is: "integrationJoined", peer, name });
    return new FakeIntegration(this, peer);
  }

  /** Frames to a peer or link since the last call. */
  framesTo(to: string): readonly JsonObject[] {
    const frames = this.#frames.get(to) ?? [];
    this.#frames.delete(to);
    return frames;
  }

  /** Messages to the Intermediary since the last call. */
  posted(): readonly ServiceMessage[] {
    return this.#told.splice(0);
  }

  /** Observations of one kind since the start. */
  observed<Name extends ObservationName>(name: Name): readonly (Observation & { is: Name })[] {
    return this.observations.filter((observation): observation is Observation & { is: Name } => observation.is === name);
  }

  /** Carries out the writes so far, and reports them to the service. */
  store(): void {
    for (const effect of this.effects.splice(0)) {
      if (effect.do === "delete") this.harness.stored.delete(effect.key);
      if (effect.do !== "put") continue;
      this.harness.stored.set(effect.key, effect.value);
      this.step({ is: "stored", key: effect.key });
    }
    if (this.effects.length > 0) this.store();
  }

  /** The stored entries, as a restart finds them. */
  entries(): readonly Entry[] {
    this.store();
    return [...this.harness.stored].map(([key, value]) => ({ key, value }));
  }

  collect(): void {
    for (const effect of this.harness.take()) {
      switch (effect.do) {
        case "observe":
          this.observations.push(effect.observation);
          break;
        case "send":
        case "reply":
          this.#frames.set(effect.to, [...(this.#frames.get(effect.to) ?? []), JSON.parse(String(effect.frame))]);
          break;
        case "post":
          this.#told.push(effect.message);
          break;
        case "dial":
          this.dials.push({ link: effect.link, url: effect.url, headers: effect.headers ?? {} });
          break;
        case "closeLink":
          this.closedLinks.push(effect.link);
          break;
        case "close":
          this.closed.push({ peer: effect.peer, fault: effect.fault });
          break;
        default:
          this.effects.push(effect);
      }
    }
  }
}

/** A backend that the relay dials. */
export class FakeNeuro {
  readonly scenario: Scenario;
  readonly id: string;
  link: LinkId | undefined;

  constructor(scenario: Scenario, id: string) {
    this.scenario = scenario;
    this.id = id;
  }

  /** Accepts the connection that the relay dials. */
  open(): this {
    const dialled = this.scenario.dials.filter(({ link }) => link.startsWith(`neuro:${this.id}:`)).at(-1);
    if (dialled === undefined || dialled.link === this.link) throw new Error("the relay is not dialling");
    this.link = dialled.link;
    this.scenario.step({ is: "dialed", link: dialled.link });
    return this;
  }

  drop(): void {
    const { link } = this;
    if (link !== undefined) this.scenario.step({ is: "dropped", link, code: 1006, reason: "" });
  }

  /** Accepts the next connection, however long the relay waits before it dials. */
  reopen(): this {
    const { dials } = this.scenario;
    for (const before = dials.length; dials.length === before;) this.scenario.pass(250);
    return this.open();
  }

  say(command: string, data?: JsonObject): void {
    const { link } = this;
    if (link === undefined) throw new Error("not connected");
    this.scenario.step({ is: "received", link, frame: JSON.stringify({ command, ...(data && { data }) }) });
  }

  action(id: string, name: string, data?: string): void {
    this.say("action", { id, name, ...(data !== undefined && { data }) });
  }

  introduce(characterId: string): void {
    this.say("startup", { session: { sessionId: "s", characterId, displayName: characterId } });
  }

  frames(): readonly JsonObject[] {
    return this.link === undefined ? [] : this.scenario.framesTo(this.link);
  }

  /** What it was sent since the last call, in short words. */
  heard(): readonly string[] {
    return this.frames().map(inWords);
  }
}

export interface ForceOptions {
  readonly priority?: string;
  readonly state?: string;
  readonly query?: string;
}

/** An integration that does actions, by either listener. */
abstract class Actor {
  readonly scenario: Scenario;
  readonly peer: PeerId;
  #ids: string[] = [];

  constructor(scenario: Scenario, peer: PeerId) {
    this.scenario = scenario;
    this.peer = peer;
  }

  protected abstract frames(): readonly JsonObject[];

  heardFrames(): readonly JsonObject[] {
    const frames = this.frames();
    for (const frame of frames) {
      const data = frame["data"];
      if (frame["command"] === "action" && isObject(data)) this.#ids.push(String(data["id"]));
    }
    return frames;
  }

  heard(): readonly string[] {
    return this.heardFrames().map(inWords);
  }

  /** The ids of all actions that it got, in order. */
  ids(): readonly string[] {
    this.heardFrames();
    return this.#ids;
  }

  /** The id of the action that it got last. */
  lastId(): string {
    return this.ids().at(-1) ?? "none";
  }
}

export class FakeGame extends Actor {
  readonly name: string;

  constructor(scenario: Scenario, peer: PeerId, name: string) {
    super(scenario, peer);
    this.name = name;
  }

  protected override frames(): readonly JsonObject[] {
    return this.scenario.framesTo(this.peer);
  }

  say(command: string, data?: Json, game: string = this.name): this {
    return this.raw(JSON.stringify({ command, game, ...(data !== undefined && { data }) }));
  }

  raw(frame: string | Uint8Array): this {
    this.scenario.step({ is: "frame", peer: this.peer, frame });
    return this;
  }

  startup(): this {
    return this.say("startup");
  }

  /** By name, or as whole definitions. */
  register(...actions: readonly (string | JsonObject)[]): this {
    return this.say("actions/register", { actions: actions.map((each) => typeof each === "string" ? action(each) : each) });
  }

  unregister(...names: readonly string[]): this {
    return this.say("actions/unregister", { action_names: names });
  }

  force(names: readonly string[], { priority = "low", query = "choose", state }: ForceOptions = {}): this {
    return this.say("actions/force", { query, action_names: names, priority, ...(state !== undefined && { state }) });
  }

  context(message: string, silent: boolean = true): this {
    return this.say("context", { message, silent });
  }

  result(success: boolean, { id = this.lastId(), message = "done" }: { id?: string; message?: string } = {}): this {
    return this.say("action/result", { id, success, message });
  }

  close(): void {
    this.scenario.step({ is: "closed", peer: this.peer, code: 1006 });
  }

  pong(): void {
    this.scenario.step({ is: "ponged", peer: this.peer });
  }
}

class FakeIntegration extends Actor {
  protected override frames(): readonly JsonObject[] {
    return this.scenario.posted().flatMap((message) => {
      if (message.is !== "neuroMessage" || message.peer !== this.peer) return [];
      const { command, ...data } = message.message;
      return [{ command, data: { ...data } as JsonObject }];
    });
  }

  say(message: GameMessage): this {
    this.scenario.post({ is: "gameMessage", peer: this.peer, message });
    return this;
  }

  register(...names: readonly string[]): this {
    return this.say({ command: "actions/register", actions: names.map(action) });
  }

  result(success: boolean, id?: string): this {
    return this.say({ command: "action/result", success, message: "done", ...(id !== undefined && { id }) });
  }

  leave(): void {
    this.scenario.post({ is: "integrationLeft", peer: this.peer });
  }
}

/** An action with the same definition in all games. */
export const action = (name: string): { readonly name: string; readonly description: string } => ({
  name,
  description: `does ${name}`,
});

/** The same name with another definition. */
export const otherAction = (name: string, description: string = "something else"): JsonObject => ({ name, description });

/** A game that has started and registered. */
export function started(scenario: Scenario, name: string, ...actions: readonly (string | JsonObject)[]): FakeGame {
  return scenario.game(name).startup().register(...actions);
}
