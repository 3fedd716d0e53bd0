/**
 * A Neuro that is played: strict about every frame, quick to find fault, and as moody as her behavior say.
 *
 * She knows the protocol and nothing of the relay. What an integration may not do is written down in `breaches`, in words.
 */
import { isObject, type Json, type JsonObject } from "../../core/json.ts";
import type { Frame } from "../../core/json.ts";
import type { Millis } from "../../core/ids.ts";
import type { Random } from "../random.ts";
import type { VirtualClock } from "../clock.ts";
import type { TestSocket } from "../network.ts";
import { readStrictly } from "./strict-reader.ts";

/** How she behaves. They may be changed while she is played. */
export interface NeuroBehavior {
  /** From time to time she does something of her own accord; 0: never. */
  readonly actsEveryMs: Millis;
  readonly thinkMinMs: Millis;
  readonly thinkMaxMs: Millis;
  /** Her ids begin at 0 on each connection, as those of some backends do. */
  readonly restartsIds: boolean;
  /** Says who she is after `startup`. */
  readonly introduces: boolean;
}

/** An action that she asked for. */
export interface SentAction {
  readonly id: string;
  readonly name: string;
  readonly askedAt: Millis;
  readonly force: FakeOpenForce | undefined;
  results: number;
}

/** The force that she is working on. */
export interface FakeOpenForce {
  readonly names: readonly string[];
  readonly query: string;
}

/** What lasts as long as one connection. */
interface FakeNeuroSession {
  readonly socket: TestSocket;
  readonly actions: Map<string, JsonObject>;
  readonly calls: Map<string, SentAction>;
  hasStarted: boolean;
  force: FakeOpenForce | undefined;
  count: number;
}

/** She takes an action for failed when no result has come by then. */
const RESULT_MS: Millis = 20_000;
const RETRY_MS: Millis = 500;
/** Actions that she waits for at a time, of those that nobody forced. */
const CALLS_MAX = 3;

/** She has one connection at a time: give `accept` to `Network.answering`. `breaches` must stay empty. */
export class FakeNeuro {
  /** Whatever an integration did that the protocol does not allow. */
  readonly violations: string[] = [];
  behavior: NeuroBehavior;
  /** Contexts that she was told, in order. */
  readonly contexts: string[] = [];
  #session: FakeNeuroSession | undefined;
  #count = 0;
  readonly #clock: VirtualClock;
  readonly #random: Random;

  constructor(clock: VirtualClock, random: Random, behavior: NeuroBehavior) {
    this.#clock = clock;
    this.#random = random;
    this.behavior = behavior;
    this.#scheduleUnforcedAction();
  }

  /** Takes a connection. A new one takes the place of the old. */
  accept(socket: TestSocket): void {
    this.#session?.socket.close();
    const session: FakeNeuroSession = {
      socket,
      actions: new Map(),
      calls: new Map(),
      hasStarted: false,
      force: undefined,
      count: 0,
    };
    this.#session = session;
    socket.onFrame = (frame) => this.#receive(session, frame);
    socket.onClose = () => {
      if (this.#session === session) this.#session = undefined;
    };
  }

  /** The connection breaks; the other side notices after a while. */
  drop(noticedMs: Millis): void {
    this.#session?.socket.cut(noticedMs);
  }

  get isConnected(): boolean {
    return this.#session !== undefined;
  }

  /** The actions that she could use now. */
  get actions(): ReadonlyMap<string, JsonObject> {
    return this.#session?.actions ?? new Map();
  }

  get force(): FakeOpenForce | undefined {
    return this.#session?.force;
  }

  /** Actions whose result she still waits for, on the connection that is open. */
  get unanswered(): readonly SentAction[] {
    return [...this.#session?.calls.values() ?? []].filter(({ results }) => results === 0);
  }

  #receive(session: FakeNeuroSession, frame: Frame): void {
    const read = readStrictly(frame);
    if (typeof read === "string") return this.#reportViolation(read);
    const { command, data } = read;
    if (command === "startup") return this.#start(session);
    if (!session.hasStarted) return this.#reportViolation(`${command} before startup`);
    switch (command) {
      case "actions/register":
        return this.#register(session, data.actions);
      case "actions/unregister":
        for (const name of textsOf(data.action_names)) session.actions.delete(name);
        if (session.force?.names.every((name) => !session.actions.has(name)) === true) session.force = undefined;
        return;
      case "actions/force":
        return this.#forced(session, data);
      case "action/result":
        return this.#result(session, data);
      case "context":
        this.contexts.push(String(data.message));
        return;
      default:
        // Why not `assertNever`: an integration can send any command.
        return;
    }
  }

  #start(session: FakeNeuroSession): void {
    if (session.hasStarted) return this.#reportViolation("startup twice on one connection");
    session.hasStarted = true;
    session.actions.clear();
    if (!this.behavior.introduces) return;
    const identity = { sessionId: `s${this.#count}`, characterId: "neuro", displayName: "Neuro-sama" };
    this.#send(session, { command: "startup", data: { session: identity } });
  }

  #register(session: FakeNeuroSession, actions: Json | undefined): void {
    for (const action of Array.isArray(actions) ? actions.filter(isObject) : []) {
      const name = String(action.name);
      if (session.actions.has(name)) this.#reportViolation(`${name} registered twice`);
      session.actions.set(name, action);
    }
  }

  #forced(session: FakeNeuroSession, data: JsonObject): void {
    const names = textsOf(data.action_names);
    if (session.force !== undefined) {
      this.#reportViolation(`a second force (${names}) while one is open (${session.force.names})`);
    }
    const unknown = names.filter((name) => !session.actions.has(name));
    if (unknown.length > 0) this.#reportViolation(`a force of names that are not registered: ${unknown}`);
    const force: FakeOpenForce = { names, query: String(data.query) };
    session.force = force;
    this.#think(session, force);
  }

  #think(session: FakeNeuroSession, force: FakeOpenForce, afterMs: Millis = 0): void {
    const thinkMs = this.#random.between(this.behavior.thinkMinMs, this.behavior.thinkMaxMs);
    this.#clock.after(afterMs + thinkMs, () => {
      if (this.#session !== session || session.force !== force) return;
      const name = this.#random.oneOf(force.names.filter((each) => session.actions.has(each)));
      if (name !== undefined) this.#call(session, name, force);
    });
  }

  #result(session: FakeNeuroSession, data: JsonObject): void {
    const call = session.calls.get(String(data.id));
    if (call === undefined) return this.#reportViolation(`a result for ${data.id}, which she never asked for`);
    if (++call.results > 1) return this.#reportViolation(`result ${call.results} for ${call.id} (${call.name})`);
    const { force } = session;
    if (force === undefined || !force.names.includes(call.name)) return;
    if (data.success === true) session.force = undefined;
    else if (call.force === force) this.#think(session, force, RETRY_MS);
  }

  #call(session: FakeNeuroSession, name: string, force: FakeOpenForce | undefined): void {
    const number = this.behavior.restartsIds ? session.count++ : this.#count++;
    const call: SentAction = { id: `${number}`, name, askedAt: this.#clock.now, force, results: 0 };
    session.calls.set(call.id, call);
    const hasData = session.actions.get(name)?.schema !== undefined;
    this.#send(session, { command: "action", data: { id: call.id, name, ...(hasData && { data: '{"x":1}' }) } });
    this.#clock.after(RESULT_MS, () => {
      if (this.#session === session && call.results === 0) {
        this.#reportViolation(`no result for ${call.id} (${name}) in time`);
      }
    });
  }

  #send(session: FakeNeuroSession, message: JsonObject): void {
    session.socket.send(JSON.stringify(message));
  }

  /** Does something of her own accord, now and then. */
  #scheduleUnforcedAction(): void {
    this.#clock.after(this.#random.between(1, 2 * Math.max(1_000, this.behavior.actsEveryMs)), () => {
      this.#scheduleUnforcedAction();
      const session = this.#session;
      if (session === undefined || this.behavior.actsEveryMs === 0 || session.force !== undefined) return;
      const name = this.#random.oneOf([...session.actions.keys()]);
      if (name !== undefined && this.unanswered.length < CALLS_MAX) this.#call(session, name, undefined);
    });
  }

  #reportViolation(what: string): void {
    this.violations.push(`at ${this.#clock.now}: ${what}`);
  }
}

const textsOf = (list: Json | undefined): readonly string[] => (Array.isArray(list) ? list.map(String) : []);
