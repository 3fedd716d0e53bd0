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
 * The client reconnects. Calls made while it is offline wait, and idempotent calls are sent again after a lost connection. Operators are
 * idempotent, because each has an `op_id` by which the relay recognises it.
 */
import { isObject, type Json, type JsonObject } from "../core/json.ts";
import type { Backoff, KeepaliveOptions } from "../core/link.ts";
import { ReconnectingLink } from "../websocket-client/reconnecting-link.ts";
import type { DriverOptions } from "../websocket-client/socket-driver.ts";
import { BrainError } from "./brain-error.ts";
import { type Call, Calls, objectIn, objectOf } from "./calls.ts";
import { type Change, changeIn, SessionSubscription, type Snapshot } from "./session-subscription.ts";

export { BrainError } from "./brain-error.ts";
export type { Change, Snapshot } from "./session-subscription.ts";
export type { ClientClock, DriverOptions, OpenSocket, SocketLike } from "../websocket-client/socket-driver.ts";

/** The connection and timeouts of a client. */
export interface BrainClientOptions extends DriverOptions {
  /** How long a call may take, including the wait for the connection. Default: 10 s. */
  readonly timeoutMs?: number;
  /** Between attempts, with full jitter. Default: from 250 ms up to 5 s. */
  readonly backoff?: Backoff;
  /** Detection of a connection that died without a close. Default: after 30 s without a frame, within 10 s. */
  readonly keepalive?: KeepaliveOptions | "off";
}

/** How a session starts. The relay's settings give the defaults. */
export interface SessionPlan {
  readonly owner?: Json;
  readonly initialState?: JsonObject;
  readonly covenant?: JsonObject;
  readonly ttlMs?: number;
}

/** How an operator is applied. */
export interface ApplyOptions {
  /** Apply only if this is the session's last event. */
  readonly ifSeq?: number;
  /** The id under which it is applied once. Default: a new one. */
  readonly opId?: string;
}

/** One operator of a macro. */
export interface MacroStep {
  readonly name: string;
  readonly params?: JsonObject;
}

/** The input of a prediction: any of the three. */
export interface Texts {
  readonly text?: string;
  readonly math?: string;
  readonly physics?: string;
}

/** A prediction. `value` is null if the relay has no model. */
export interface Inferred {
  readonly value: number | null;
  readonly routing: JsonObject;
  readonly tokens: JsonObject;
}

const TIMEOUT_MS = 10_000;
const BACKOFF: Backoff = { baseMs: 250, capMs: 5_000 };
const KEEPALIVE: KeepaliveOptions = { idleMs: 30_000, answerMs: 10_000 };
const EXPIRY_CHECK_MS = 250;
/** Errors after which the same request may succeed later. */
const TRANSIENT: ReadonlySet<string> = new Set(["RateLimited", "StorageFailed", "TimedOut", "Busy"]);

/** A client of a relay's Brain. It dials at once; calls wait until it is connected. */
export class BrainClient implements Disposable {
  readonly #calls = new Calls((...error) => new BrainError(...error));
  readonly #link: ReconnectingLink;
  readonly #timeoutMs: number;
  readonly #backoff: Backoff;
  readonly #subscriptions = new Map<string, SessionSubscription>();
  readonly #expiry: ReturnType<typeof setInterval>;
  /** Makes the ids of this client unique, because all clients of a session share the `op_id`s. */
  readonly #name: string = crypto.randomUUID();
  #count = 0;

  constructor(url: string, options: BrainClientOptions = {}) {
    const { timeoutMs = TIMEOUT_MS, backoff = BACKOFF, keepalive = KEEPALIVE } = options;
    this.#timeoutMs = timeoutMs;
    this.#backoff = backoff;
    this.#expiry = setInterval(() => this.#calls.expire(Date.now()), Math.min(EXPIRY_CHECK_MS, timeoutMs));
    this.#link = new ReconnectingLink({
      ...options,
      url,
      backoff,
      keepalive: keepalive === "off" ? undefined : { ...keepalive, probe: () => this.#ping() },
    }, {
      opened: () => this.#opened(),
      received: (frame) => this.#received(frame),
      lost: ({ wasOpen, code }) => {
        if (wasOpen) this.#lost(code);
      },
    });
    this.#link.start();
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

  /** Applies one operator. Resolves with the state after it. Rejects with a `BrainError` if the relay refuses it. */
  apply(
    session: string,
    operator: string,
    options: ApplyOptions & { readonly params?: JsonObject } = {},
  ): Promise<Snapshot> {
    const { params = {}, ...how } = options;
    return this.#do({ cmd: "ApplyOperator", session_id: session, operator, params }, how);
  }

  /** Applies several operators as one: all of them or none. */
  applyMacro(
    session: string,
    name: string,
    options: ApplyOptions & { readonly steps: readonly MacroStep[] },
  ): Promise<Snapshot> {
    const { steps, ...how } = options;
    return this.#do({ cmd: "ApplyMacro", session_id: session, name, steps: steps.map((step) => ({ ...step })) }, how);
  }

  /** The current state, or the state after an event. */
  async getState(session: string, atSeq?: number): Promise<Snapshot> {
    const at = atSeq === undefined ? {} : { at_seq: atSeq };
    return snapshotOf(await this.call({ cmd: "GetState", session_id: session, ...at }, true));
  }

  /** Forks a session at its current state or after an event. Resolves with the id of the new session. */
  async fork(session: string, { atSeq, owner }: { readonly atSeq?: number; readonly owner?: Json } = {}): Promise<string> {
    const at = { ...(atSeq !== undefined && { at_seq: atSeq }), ...(owner !== undefined && { owner }) };
    return String((await this.call({ cmd: "ForkSession", session_id: session, ...at }))["child"]);
  }

  /** The events of a session, read page by page. */
  async *audit(session: string, afterSeq = -1): AsyncGenerator<JsonObject> {
    for (let after = afterSeq;;) {
      const page = await this.call({ cmd: "GetAudit", session_id: session, after_seq: after }, true);
      const events = page["events"];
      for (const event of Array.isArray(events) ? events : []) if (isObject(event)) yield event;
      after = Number(page["next_seq"]) - 1;
      if (after >= Number(page["head_seq"])) return;
    }
  }

  /** Seals a session: it can be read, forked and closed, but not changed. */
  async seal(session: string, reason?: string): Promise<void> {
    await this.call({ cmd: "SealSession", session_id: session, ...(reason !== undefined && { reason }) }, true);
  }

  /** Ends a session permanently. */
  async closeSession(session: string): Promise<void> {
    this.#subscriptions.delete(session);
    await this.call({ cmd: "CloseSession", session_id: session });
  }

  /** Whether replaying the stored log gives the current state. */
  async replay(session: string): Promise<{ readonly ok: boolean; readonly firstMismatch: number | null }> {
    const { ok, first_mismatch: at } = await this.call({ cmd: "ReplaySession", session_id: session }, true);
    return { ok: ok === true, firstMismatch: typeof at === "number" ? at : null };
  }

  /** Predicts a value from up to three texts. */
  async infer(payload: Texts, traceId?: string): Promise<Inferred> {
    const trace = traceId === undefined ? {} : { trace_id: traceId };
    const { prediction, routing, tokens } = await this.call({ cmd: "Infer", ...trace, payload: { ...payload } }, true);
    const value = isObject(prediction) ? prediction["value"] : null;
    return { value: typeof value === "number" ? value : null, routing: objectOf(routing), tokens: objectOf(tokens) };
  }

  /**
   * Calls the listener with the changes that other clients make, across reconnects. Resolves with a function that ends the subscription.
   * Rejects if the session is unknown. `ended` is called if the relay ends the subscription later, such as when the session has expired.
   */
  async subscribe(
    session: string,
    listener: (change: Change) => void,
    ended: (error: BrainError) => void = () => {},
  ): Promise<() => void> {
    const subscription = this.#subscriptions.get(session) ??
      new SessionSubscription(session, this.#sendSubscribe(session));
    this.#subscriptions.set(session, subscription);
    subscription.listeners.set(listener, ended);
    const stop = (): void => {
      subscription.listeners.delete(listener);
      if (subscription.listeners.size > 0 || this.#subscriptions.get(session) !== subscription) return;
      this.#subscriptions.delete(session);
      this.call({ cmd: "Unsubscribe", session_id: session }, true).catch(() => {}); // Why: the subscription has ended then, too.
    };
    try {
      await subscription.confirmed;
    } catch (error) {
      this.#remove(subscription);
      throw error;
    }
    return stop;
  }

  /** Sends any request of the protocol. An idempotent one is sent again after a lost connection. */
  call(fields: JsonObject, isIdempotent = false): Promise<JsonObject> {
    const id = this.#id();
    const text = JSON.stringify({ ...fields, request_id: id });
    return new Promise((resolve, reject) => {
      const deadline = Date.now() + this.#timeoutMs;
      const call: Call = { id, text, isIdempotent, isSent: false, deadline, resolve, reject };
      if (this.#calls.add(call)) this.#send(call);
    });
  }

  /** The number of unanswered calls. */
  get pending(): number {
    return this.#calls.size;
  }

  /** Closes the connection. Unanswered calls are rejected. */
  close(): void {
    clearInterval(this.#expiry);
    this.#subscriptions.clear();
    this.#link.close();
    this.#calls.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #do(fields: JsonObject, { ifSeq, opId = this.#id() }: ApplyOptions): Promise<Snapshot> {
    const condition = ifSeq === undefined ? {} : { if_seq: ifSeq };
    const snapshot = snapshotOf(await this.call({ ...fields, ...condition, op_id: opId, want: ["meta"] }, true));
    this.#subscriptions.get(String(fields["session_id"]))?.acknowledge(snapshot.seq);
    return snapshot;
  }

  async #sendSubscribe(session: string): Promise<number> {
    return Number((await this.call({ cmd: "Subscribe", session_id: session }, true))["seq"]);
  }

  #opened(): void {
    for (const call of this.#calls.unsent()) this.#send(call);
    for (const subscription of this.#subscriptions.values()) {
      if (subscription.isConfirmed) void this.#resubscribe(subscription);
    }
  }

  /** Why a call: the original relay answers calls in order, without ids. */
  #ping(): undefined {
    this.call({ cmd: "Ping" }).catch(() => {}); // Why: a lost connection is reported by the link.
  }

  #lost(code: number): void {
    this.#calls.connectionLost(code);
    for (const subscription of this.#subscriptions.values()) subscription.beginCatchUp();
  }

  /** Subscribes again after a lost connection, and reads the state if changes were missed. */
  #resubscribe(subscription: SessionSubscription): Promise<void> {
    return this.#catchUp(subscription, async () => {
      const seq = await this.#sendSubscribe(subscription.session);
      return subscription.isBehind(seq) ? await this.getState(subscription.session) : undefined;
    });
  }

  async #catchUp(subscription: SessionSubscription, read: () => Promise<Snapshot | undefined>, attempt = 0): Promise<void> {
    const gap = subscription.beginCatchUp();
    try {
      subscription.completeCatchUp(gap, await read());
    } catch (error) {
      const { code } = error as BrainError; // Why: calls reject with nothing else.
      if (code === "Lost" || code === "Closed") return; // Why: the next connection subscribes again.
      // Why: the session has gone, or the same request would be refused each time.
      if (code === undefined || !TRANSIENT.has(code)) return this.#end(subscription, error as BrainError);
      const { baseMs, capMs } = this.#backoff;
      await new Promise((resolve) => setTimeout(resolve, Math.min(capMs, baseMs * 2 ** attempt)));
      const isActive = this.#subscriptions.get(subscription.session) === subscription;
      if (isActive && subscription.isCurrent(gap)) await this.#catchUp(subscription, read, attempt + 1);
    }
  }

  #end(subscription: SessionSubscription, error: BrainError): void {
    this.#remove(subscription);
    for (const ended of subscription.listeners.values()) ended(error);
  }

  #remove(subscription: SessionSubscription): void {
    const { session } = subscription;
    if (this.#subscriptions.get(session) === subscription) this.#subscriptions.delete(session);
  }

  #send(call: Call): void {
    call.isSent = this.#link.send(call.text);
  }

  #received(frame: unknown): void {
    const message = objectIn(frame);
    if (message === undefined) return;
    const subscription = this.#subscriptions.get(String(message["session_id"]));
    switch (message["type"]) {
      case "State.Delta":
        return subscription?.receive(changeIn(message));
      case "State.Gap":
        if (subscription !== undefined) void this.#catchUp(subscription, () => this.getState(subscription.session));
        return;
      default:
        // Why not `assertNever`: newer servers can send other types.
        this.#calls.settle(message);
    }
  }

  #id(): string {
    return `${this.#name}-${++this.#count}`;
  }
}

const snapshotOf = ({ state, seq }: JsonObject): Snapshot => ({ state: objectOf(state), seq: Number(seq) });
