/**
 * A fake Neuro: she checks every frame strictly, and acts at random as her behavior says.
 *
 * She knows the protocol and nothing of the relay. Every violation of the protocol is recorded in `violations`.
 */
import { assertNever } from "../../core/assert.ts";
import { isObject, type Json, type JsonObject } from "../../core/json.ts";
import type { Frame } from "../../core/json.ts";
import type { Millis } from "../../core/ids.ts";
import type { Random } from "../random.ts";
import type { VirtualClock } from "../clock.ts";
import type { TestSocket } from "../network.ts";
import { readStrictly } from "./strict-reader.ts";

/** Neuro's behaviour; may change during a simulation. */
export interface NeuroBehavior {
  /** Mean time between actions without a force; 0: none. */
  readonly actsEveryMs: Millis;
  readonly thinkMinMs: Millis;
  readonly thinkMaxMs: Millis;
  /** Ids of actions start at 0 on each connection, as with some backends. */
  readonly restartsIds: boolean;
  /** Answers `startup` with her session. */
  readonly introduces: boolean;
}

/** An action that she sent. */
export interface SentAction {
  readonly id: string;
  readonly name: string;
  readonly askedAt: Millis;
  readonly force: FakeOpenForce | undefined;
  results: number;
}

/** The open force. */
export interface FakeOpenForce {
  readonly names: readonly string[];
  readonly query: string;
}

/** The state of one connection. */
interface FakeNeuroSession {
  readonly socket: TestSocket;
  readonly actions: Map<string, JsonObject>;
  readonly calls: Map<string, SentAction>;
  hasStarted: boolean;
  force: FakeOpenForce | undefined;
  count: number;
}

/** An action without a result has failed after this time. */
const RESULT_MS: Millis = 20_000;
const RETRY_MS: Millis = 500;
/** Actions without a force that may await their result at the same time. */
const CALLS_MAX = 3;

/** She has one connection at a time: call `accept` from `Network.accept`. `violations` must stay empty. */
export class FakeNeuro {
  /** The client's violations of the protocol. */
  readonly violations: string[] = [];
  behavior: NeuroBehavior;
  /** Received contexts, in order. */
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

  /** Accepts a connection; it replaces the previous one. */
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

  /** Breaks the connection; the relay notices after `noticedMs`. */
  drop(noticedMs: Millis): void {
    this.#session?.socket.cut(noticedMs);
  }

  get isConnected(): boolean {
    return this.#session !== undefined;
  }

  /** The registered actions. */
  get actions(): ReadonlyMap<string, JsonObject> {
    return this.#session?.actions ?? new Map();
  }

  get force(): FakeOpenForce | undefined {
    return this.#session?.force;
  }

  /** Actions of the open connection without a result. */
  get unanswered(): readonly SentAction[] {
    return [...this.#session?.calls.values() ?? []].filter(({ results }) => results === 0);
  }

  #receive(session: FakeNeuroSession, frame: Frame): void {
    const read = readStrictly(frame);
    if (typeof read === "string") return this.#reportViolation(read);
    const { command, data } = read;
    if (command !== "startup" && !session.hasStarted) return this.#reportViolation(`${command} before startup`);
    switch (command) {
      case "startup":
        return this.#start(session);
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
      case "shutdown/ready":
        return;
      default:
        return assertNever(command);
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
    if (call === undefined) return this.#reportViolation(`a result for ${data.id}, which is unknown`);
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

  /** Schedules the next random action without a force. */
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
