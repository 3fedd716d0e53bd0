/**
 * A client of the Brain: sessions, operators, subscriptions and predictions, typed.
 *
 * ```ts
 * using brain = new BrainClient("ws://127.0.0.1:9000");
 * const session = await brain.createSession({ owner: "me" });
 * await brain.apply(session, "ST", { params: { changes: { mood: "calm" } } });
 * const stop = await brain.subscribe(session, ({ changes }) => console.log(changes));
 * ```
 *
 * The connection is kept: calls made while it is down wait, and those that may be done twice are sent again after a loss.
 * Operators may be, for each has an `op_id` by which the relay knows it again.
 */
import type { Backoff } from "../core/backoff.ts";
import { isObject, type Json, type JsonObject } from "../core/json.ts";
import { BrainError, type Call, Calls, objectIn } from "./brain-calls.ts";
import { type Change, changeIn, Following, objectOf, type Snapshot } from "./brain-following.ts";
import { type BrainSocket, KeptSocket } from "./brain-socket.ts";

export { BrainError } from "./brain-calls.ts";
export type { Change, Snapshot } from "./brain-following.ts";
export type { BrainSocket } from "./brain-socket.ts";

/** How a client connects, and how long it waits. */
export interface BrainClientOptions {
  /** The global `WebSocket` when absent. */
  readonly open?: (url: string) => BrainSocket;
  /** How long a call may take, waiting for the connection included. */
  readonly timeoutMs?: number;
  readonly backoff?: Backoff;
}

/** What a session begins with; the relay's settings say what is left out. */
export interface SessionPlan {
  readonly owner?: Json;
  readonly initialState?: JsonObject;
  readonly covenant?: JsonObject;
  readonly ttlMs?: number;
}

/** How an operator is applied. */
export interface ApplyOptions {
  /** Only if nothing was done since this event. */
  readonly ifSeq?: number;
  /** The name under which it is done once; a new one is made when absent. */
  readonly opId?: string;
}

/** One operator of a macro. */
export interface Step {
  readonly name: string;
  readonly params?: JsonObject;
}

/** What a prediction is made from: any of the three. */
export interface Texts {
  readonly text?: string;
  readonly math?: string;
  readonly physics?: string;
}

/** A prediction; `value` is null where the relay has no model. */
export interface Inferred {
  readonly value: number | null;
  readonly routing: JsonObject;
  readonly tokens: JsonObject;
}

const TIMEOUT_MS = 10_000;
const BACKOFF: Backoff = { baseMs: 250, capMs: 5_000 };
const CHECK_MS = 250;

/** A client of one relay's Brain. It dials at once; calls wait until it is connected. */
export class BrainClient implements Disposable {
  readonly #calls = new Calls();
  readonly #socket: KeptSocket;
  readonly #timeoutMs: number;
  readonly #backoff: Backoff;
  readonly #following = new Map<string, Following>();
  readonly #clock: ReturnType<typeof setInterval>;
  /** Makes ids of this client unlike those of any other, for an `op_id` is shared by all who use a session. */
  readonly #name: string = crypto.randomUUID();
  #count = 0;

  constructor(url: string, options: BrainClientOptions = {}) {
    const { open = (to) => new WebSocket(to), timeoutMs = TIMEOUT_MS, backoff = BACKOFF } = options;
    this.#timeoutMs = timeoutMs;
    this.#backoff = backoff;
    this.#clock = setInterval(() => this.#calls.expire(Date.now()), Math.min(CHECK_MS, timeoutMs));
    this.#socket = new KeptSocket({
      url,
      open,
      backoff,
      opened: () => this.#opened(),
      received: (frame) => this.#received(frame),
      lost: () => this.#lost(),
    });
  }

  /** The id of a new session. */
  async createSession({ owner, initialState, covenant, ttlMs }: SessionPlan = {}): Promise<string> {
    const { session_id: id } = await this.call({
      cmd: "CreateSession",
      ...(owner !== undefined && { owner }),
      ...(initialState !== undefined && { initial_state: initialState }),
      ...(covenant !== undefined && { covenant }),
      ...(ttlMs !== undefined && { ttl_ms: ttlMs }),
    });
    return String(id);
  }

  /** Applies one operator and gives the state after it. Rejects with a `BrainError` when it was refused. */
  apply(
    session: string,
    operator: string,
    options: ApplyOptions & { readonly params?: JsonObject } = {},
  ): Promise<Snapshot> {
    const { params = {}, ...how } = options;
    return this.#do({ cmd: "ApplyOperator", session_id: session, operator, params }, how);
  }

  /** Applies several operators as one: all or none. */
  applyMacro(
    session: string,
    name: string,
    options: ApplyOptions & { readonly steps: readonly Step[] },
  ): Promise<Snapshot> {
    const { steps, ...how } = options;
    return this.#do({ cmd: "ApplyMacro", session_id: session, name, steps: steps.map((step) => ({ ...step })) }, how);
  }

  /** The state now, or after an event. */
  async getState(session: string, atSeq?: number): Promise<Snapshot> {
    const at = atSeq === undefined ? {} : { at_seq: atSeq };
    return snapshotOf(await this.call({ cmd: "GetState", session_id: session, ...at }, true));
  }

  /** The id of a new session that begins as this one is, or was after an event. */
  async fork(session: string, { atSeq, owner }: { readonly atSeq?: number; readonly owner?: Json } = {}): Promise<string> {
    const at = { ...(atSeq !== undefined && { at_seq: atSeq }), ...(owner !== undefined && { owner }) };
    return String((await this.call({ cmd: "ForkSession", session_id: session, ...at }))["child"]);
  }

  /** All events of a session, page by page. */
  async *audit(session: string, afterSeq = -1): AsyncGenerator<JsonObject> {
    for (let after = afterSeq;;) {
      const page = await this.call({ cmd: "GetAudit", session_id: session, after_seq: after }, true);
      const events = page["events"];
      for (const event of Array.isArray(events) ? events : []) if (isObject(event)) yield event;
      after = Number(page["next_seq"]) - 1;
      if (after >= Number(page["head_seq"])) return;
    }
  }

  /** From now on nothing is done to the session. */
  async seal(session: string, reason?: string): Promise<void> {
    await this.call({ cmd: "SealSession", session_id: session, ...(reason !== undefined && { reason }) }, true);
  }

  /** Ends the session for good. */
  async closeSession(session: string): Promise<void> {
    this.#following.delete(session);
    await this.call({ cmd: "CloseSession", session_id: session });
  }

  /** Whether the log, as it is stored, folds to the state. */
  async replay(session: string): Promise<{ readonly ok: boolean; readonly firstMismatch: number | null }> {
    const { ok, first_mismatch: at } = await this.call({ cmd: "ReplaySession", session_id: session }, true);
    return { ok: ok === true, firstMismatch: typeof at === "number" ? at : null };
  }

  /** What the model makes of up to three texts. */
  async infer(payload: Texts, traceId?: string): Promise<Inferred> {
    const trace = traceId === undefined ? {} : { trace_id: traceId };
    const { prediction, routing, tokens } = await this.call({ cmd: "Infer", ...trace, payload: { ...payload } }, true);
    const value = isObject(prediction) ? prediction["value"] : null;
    return { value: typeof value === "number" ? value : null, routing: objectOf(routing), tokens: objectOf(tokens) };
  }

  /**
   * Hears of what others do to a session, over any loss of the connection. What it returns ends that.
   *
   * Rejects when the session is unknown.
   */
  async subscribe(session: string, listener: (change: Change) => void): Promise<() => void> {
    const following = this.#following.get(session) ?? new Following(session, this.#askToFollow(session));
    this.#following.set(session, following);
    following.listeners.add(listener);
    const stop = (): void => {
      following.listeners.delete(listener);
      if (following.listeners.size > 0 || this.#following.get(session) !== following) return;
      this.#following.delete(session);
      this.call({ cmd: "Unsubscribe", session_id: session }, true).catch(() => {}); // Why: then there is nothing to end.
    };
    try {
      await following.asked;
    } catch (error) {
      this.#forget(following);
      throw error;
    }
    return stop;
  }

  /** Any request of the protocol. With `isRepeatable` it is sent again when the connection is lost. */
  call(fields: JsonObject, isRepeatable = false): Promise<JsonObject> {
    const id = this.#id();
    const text = JSON.stringify({ ...fields, request_id: id });
    return new Promise((resolve, reject) => {
      const call: Call = { id, text, isRepeatable, isSent: false, deadline: Date.now() + this.#timeoutMs, resolve, reject };
      if (this.#calls.add(call) && this.#socket.isOpen) this.#send(call);
    });
  }

  /** Calls without an answer. */
  get pending(): number {
    return this.#calls.size;
  }

  /** Ends everything; what is unanswered is rejected. */
  close(): void {
    clearInterval(this.#clock);
    this.#following.clear();
    this.#socket.close();
    this.#calls.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #do(fields: JsonObject, { ifSeq, opId = this.#id() }: ApplyOptions): Promise<Snapshot> {
    const condition = ifSeq === undefined ? {} : { if_seq: ifSeq };
    const snapshot = snapshotOf(await this.call({ ...fields, ...condition, op_id: opId, want: ["meta"] }, true));
    this.#following.get(String(fields["session_id"]))?.did(snapshot.seq);
    return snapshot;
  }

  async #askToFollow(session: string): Promise<number> {
    return Number((await this.call({ cmd: "Subscribe", session_id: session }, true))["seq"]);
  }

  #opened(): void {
    for (const call of this.#calls.unsent()) this.#send(call);
    for (const following of this.#following.values()) if (following.isKnown) void this.#followAgain(following);
  }

  #lost(): void {
    this.#calls.lose();
    for (const following of this.#following.values()) following.lose();
  }

  /** After a loss: subscribes again, and makes up for what was missed. */
  #followAgain(following: Following): Promise<void> {
    return this.#regain(following, async () => {
      const seq = await this.#askToFollow(following.session);
      return following.misses(seq) ? await this.getState(following.session) : undefined;
    });
  }

  async #regain(following: Following, read: () => Promise<Snapshot | undefined>): Promise<void> {
    const loss = following.lose();
    try {
      following.regain(loss, await read());
    } catch (error) {
      const code = error instanceof BrainError ? error.code : undefined;
      if (code === undefined || code === "SessionExpired") return this.#forget(following); // Why: there is no such session.
      if (code === "Lost" || code === "Closed") return; // Why: the next connection asks again.
      await new Promise((resolve) => setTimeout(resolve, this.#backoff.baseMs));
      if (following.owes(loss) && this.#following.get(following.session) === following) await this.#regain(following, read);
    }
  }

  #forget(following: Following): void {
    if (this.#following.get(following.session) === following) this.#following.delete(following.session);
  }

  #send(call: Call): void {
    call.isSent = true;
    this.#socket.send(call.text);
  }

  #received(frame: unknown): void {
    const message = objectIn(frame);
    if (message === undefined) return;
    const following = this.#following.get(String(message["session_id"]));
    switch (message["type"]) {
      case "State.Delta":
        return following?.heard(changeIn(message));
      case "State.Gap":
        if (following !== undefined) void this.#regain(following, () => this.getState(following.session));
        return;
      default:
        this.#calls.settle(message);
    }
  }

  #id(): string {
    return `${this.#name}-${++this.#count}`;
  }
}

const snapshotOf = ({ state, seq }: JsonObject): Snapshot => ({ state: objectOf(state), seq: Number(seq) });
