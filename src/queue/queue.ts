/**
 * Durable at-least-once delivery: one ordered queue for each recipient.
 *
 * ```
 *              recipient connected, nothing waits
 *   message ------------------------------------> in flight --settled or acked--> deleted
 *      |                                           ^     |
 *      |  otherwise                          pump  |     |  socket lost, ack timeout, nak
 *      +-----> writing --stored--> waiting --------+     |
 *                          ^                             |
 *                          +-----------------------------+--max_attempts, expired, term--> dead letter
 * ```
 *
 * Invariants: Q1 a message reported as `queued` is sent only after it is stored, and it stays stored until it is settled, acked or a
 * dead letter; Q2 a recipient gets its entries in the order in which they were created, and a redelivered entry goes before later
 * entries; Q3 bodies are in memory only while they are being written or about to be sent, so the cost of a delivery does not depend on the
 * length of the queue; Q4 stored entries and bytes stay within `queue.per_recipient`, `queue.per_recipient_bytes`, `queue.total`
 * and `queue.total_bytes`.
 * Knows nothing of: names beyond their segments, permission to send, the meaning of a body.
 */
import { assert, assertNever } from "../core/assert.ts";
import { backoffMs } from "../core/link.ts";
import type { StepContext } from "../core/context.ts";
import { Deadlines, earlier } from "../core/deadlines.ts";
import type { StoreEvent } from "../core/event.ts";
import { type Key, type LoadToken, type Millis, rawKey } from "../core/ids.ts";
import { failed, ok, type Result } from "../core/result.ts";
import type { TraceFilter, TraceView } from "../core/traces/trace.ts";
import type { Page } from "../core/view.ts";
import type { ServiceName } from "../core/service.ts";
import type { MessageKind, QueueSettings } from "../core/settings.ts";
import type { CommandTraces } from "./command-traces.ts";
import type { DeadLetters } from "./dead-letters.ts";
import { bodyOf, bytesOf, compareIds, type QueueEntry } from "./entry.ts";
import { EntryLoader, LOAD_ATTEMPTS_MAX } from "./loader.ts";
import { QueueStore } from "./store.ts";
import {
  canSend,
  firstOf,
  frameOf,
  nextToLoad,
  type RecipientQueue,
  type RecipientQueues,
  type RecipientSocket,
  removeInFlight,
  removeWaiting,
  takeUnread,
  waitReason,
} from "./recipient-queue.ts";

export type { QueueDepth, RecipientSocket } from "./recipient-queue.ts";

/** The part of the recipients' queues that others may read. */
export type RecipientsView = Pick<RecipientQueues, "entries" | "bytes" | "oldest" | "depth" | "depths" | "list" | "locate">;

/** A message for a recipient. */
export interface NewMessage {
  readonly kind: MessageKind;
  /** A JSON object as text. */
  readonly body: string;
}

/** The result of sending. `queued` may be reported only once `key` is stored. */
export type SendResult = { readonly is: "sent" } | { readonly is: "queued"; readonly key: Key };

export class Queue {
  readonly #service: ServiceName;
  readonly #store: QueueStore;
  readonly #traces: CommandTraces;
  /** When something has to be done about a connected recipient, by its segment. */
  readonly #deadlines = new Deadlines();
  /** The recipient for which each load was started. */
  readonly #loads = new Map<LoadToken, RecipientQueue>();
  #settings: QueueSettings;

  constructor(service: ServiceName, settings: QueueSettings, traces: CommandTraces) {
    this.#service = service;
    this.#settings = settings;
    this.#traces = traces;
    this.#store = new QueueStore(service, settings, traces);
  }

  configure(settings: QueueSettings): void {
    this.#settings = settings;
    this.#store.configure(settings);
  }

  /** Adds the keys that an earlier process stored, and ignores keys that no queue wrote. */
  restore(keys: readonly Key[]): void {
    this.#store.restore(keys);
  }

  get deadLetters(): DeadLetters {
    return this.#store.deadLetters;
  }

  get recipients(): RecipientsView {
    return this.#store.recipients;
  }

  /** Traces of messages that wait and of those that have ended, newest first. */
  tracePage(filter: TraceFilter, now: Millis): Page<TraceView> {
    return this.#traces.page(this.#store.recipients.all(), filter, now);
  }

  /** The trace of one message, if it is still kept. */
  trace(id: string, now: Millis): TraceView | undefined {
    return this.#traces.find(this.#store.recipients.all(), id, now);
  }

  /** Number of writes that have not ended. */
  get writing(): number {
    return this.#store.writing;
  }

  /** Sets the name of a recipient whose entries were restored: their keys contain only its segment. */
  setName(name: string): void {
    const recipient = this.#store.recipients.of(name);
    if (recipient !== undefined) recipient.name = name;
  }

  /** The recipient has connected: its waiting entries are sent. */
  connect(name: string, socket: RecipientSocket, ctx: StepContext): void {
    const recipient = this.#store.recipients.getOrCreate(name);
    assert(recipient.socket === undefined, `a second socket for ${name}`);
    recipient.socket = socket;
    recipient.isBackpressured = false;
    recipient.resumeAt = 0;
    recipient.loader = new EntryLoader(`${this.#service}:queue:`, this.#store.health);
    this.#pump(recipient, ctx);
  }

  /** The recipient has disconnected: its entries in flight wait again and are stored. */
  disconnect(name: string, ctx: StepContext): void {
    const recipient = this.#store.recipients.of(name);
    if (recipient?.socket === undefined) return;
    const first = firstOf(recipient.inFlight);
    if (first !== undefined) this.#countAttempt(recipient, first, ctx);
    recipient.socket = undefined;
    recipient.loader = undefined;
    recipient.unread.clear();
    this.#putBack(recipient, [...recipient.inFlight.values()], ctx);
    for (const entry of recipient.loaded) entry.body = undefined;
    recipient.loaded.clear();
    this.#deadlines.clear(recipient.segment);
    this.#store.recipients.dropIfEmpty(recipient);
  }

  /** While its socket is under backpressure, nothing is sent to a recipient. */
  setBackpressure(name: string, isBackpressured: boolean, ctx: StepContext): void {
    const recipient = this.#store.recipients.of(name);
    if (recipient === undefined) return;
    recipient.isBackpressured = isBackpressured;
    this.#pump(recipient, ctx);
  }

  /** Sends a message, or queues it if its recipient is away, cannot take more, or has waiting entries. */
  send(name: string, { kind, body }: NewMessage, ctx: StepContext): Result<SendResult> {
    const recipient = this.#store.recipients.getOrCreate(name);
    const isDirect = recipient.waiting.size === 0 && canSend(recipient, this.#settings, ctx.now);
    const bytes = bytesOf(body);
    if (!isDirect && !this.#store.makeSpace(recipient, bytes, ctx)) {
      ctx.observe({ is: "queue_refused", to: name, why: "queueFull" });
      this.#store.recipients.dropIfEmpty(recipient);
      return failed("queueFull", "queue full");
    }
    const entry: QueueEntry = {
      id: ctx.id(),
      at: ctx.now,
      exp: ctx.now + this.#settings.ttl[kind],
      bytes,
      kind,
      key: rawKey(""),
      storage: "memory",
      promise: isDirect ? "sent" : "queued",
      body,
      attempts: 0,
      isRedelivery: false,
      sentAt: 0,
      firstSentAt: 0,
      sends: 0,
      waitsFor: isDirect ? undefined : waitReason(recipient, ctx.now),
      text: undefined,
      sentTo: undefined,
    };
    if (isDirect) {
      this.#transmit(recipient, entry, ctx);
      return ok({ is: "sent" });
    }
    recipient.waiting.add(entry);
    this.#store.write(recipient, entry, ctx);
    return ok({ is: "queued", key: entry.key });
  }

  /** The recipient has processed an entry. False when there is no such entry. */
  ack(name: string, id: string, ctx: StepContext): boolean {
    const found = this.#store.find(name, id);
    if (found === undefined) return false;
    const { recipient, entry } = found;
    this.#store.remove(recipient, entry, { as: "acknowledged" }, ctx);
    ctx.observe({ is: "message_delivered", to: recipient.name, id, confirmed: true });
    this.#pump(recipient, ctx);
    return true;
  }

  /** The recipient asks for an entry and all later ones again: after `delayMs`, or after the backoff of `queue.retry`. */
  nak(
    name: string,
    { id, delayMs }: { readonly id: string; readonly delayMs: Millis | undefined },
    ctx: StepContext,
  ): boolean {
    const found = this.#store.find(name, id);
    if (found === undefined || !found.recipient.inFlight.has(id)) return false;
    const { recipient, entry } = found;
    const { retry, retry_cap, max_attempts } = this.#settings;
    const isLastAttempt = entry.attempts + 1 >= max_attempts;
    const waitMs = delayMs ?? backoffMs({ baseMs: retry, capMs: retry_cap }, entry.attempts, 1);
    const back = [...recipient.inFlight.values()].filter((other) => compareIds(other.id, id) >= 0);
    this.#countAttempt(recipient, entry, ctx);
    this.#putBack(recipient, back, ctx);
    if (!isLastAttempt) {
      recipient.resumeAt = ctx.now + waitMs;
      this.#arm(recipient, recipient.resumeAt);
    }
    this.#pump(recipient, ctx);
    return true;
  }

  /** The recipient refuses an entry permanently. False when there is no such entry. */
  term(name: string, id: string, ctx: StepContext): boolean {
    const found = this.#store.find(name, id);
    if (found === undefined) return false;
    this.#store.deadLetter(found, "terminated", ctx);
    this.#pump(found.recipient, ctx);
    return true;
  }

  /** An operator drops an entry: it does not become a dead letter. False when there is no such entry. */
  drop(name: string, id: string, ctx: StepContext): boolean {
    const found = this.#store.find(name, id);
    if (found === undefined) return false;
    const { recipient, entry } = found;
    this.#store.remove(recipient, entry, { as: "dropped", why: "operator" }, ctx);
    ctx.observe({ is: "message_dead", to: recipient.name, id, why: "dropped" });
    this.#pump(recipient, ctx);
    return true;
  }

  /** The store has finished a write or a load of this queue. */
  step(event: StoreEvent, ctx: StepContext): void {
    switch (event.is) {
      case "stored":
        if (this.#isDeadLetter(event.key)) this.deadLetters.stored(event.key, ctx);
        else this.#writeEnded(event.key, true, ctx);
        return;
      case "storeFailed":
        if (this.#isDeadLetter(event.key)) this.deadLetters.storeFailed(event.key, ctx);
        else this.#writeEnded(event.key, false, ctx);
        return;
      case "loaded":
      case "loadFailed":
        if (event.token.startsWith(`${this.#service}:dead:`)) this.deadLetters.loadEnded(event, ctx);
        else this.#loadEnded(event, ctx);
        return;
      default:
        return assertNever(event);
    }
  }

  tick(ctx: StepContext): void {
    for (const segment of this.#deadlines.due(ctx.now)) {
      const recipient = this.#store.recipients.get(segment);
      if (recipient?.socket !== undefined) this.#due(recipient, recipient.socket, ctx);
    }
    this.#store.tick(ctx);
  }

  nextWakeup(): Millis | undefined {
    return earlier(this.#deadlines.earliest(), this.#store.nextWakeup());
  }

  /** Sends the entries that may be sent now, and loads the next bodies. */
  #pump(recipient: RecipientQueue, ctx: StepContext): void {
    while (canSend(recipient, this.#settings, ctx.now)) {
      const next = recipient.waiting.first;
      if (next === undefined) break;
      if (next.exp <= ctx.now) {
        this.#store.deadLetter({ recipient, entry: next }, "expired", ctx);
        continue;
      }
      if (next.body === undefined || (next.promise === "queued" && next.storage !== "stored")) break;
      removeWaiting(recipient, next);
      this.#transmit(recipient, next, ctx);
    }
    this.#load(recipient, ctx);
  }

  /** Loads the bodies of the next entries. */
  #load(recipient: RecipientQueue, ctx: StepContext): void {
    const { loader } = recipient;
    if (loader === undefined) return;
    if (loader.isIdle) {
      for (const entry of nextToLoad(recipient)) {
        recipient.unread.set(entry.key, entry);
        loader.want(entry.key, entry.bytes);
      }
    }
    const token = loader.start(ctx);
    if (token !== undefined) this.#loads.set(token, recipient);
  }

  #transmit(recipient: RecipientQueue, entry: QueueEntry, ctx: StepContext): void {
    const { socket } = recipient;
    assert(socket !== undefined, "sending without a socket");
    ctx.count("integration", "out", entry.kind);
    // Why only the first time on a connection: a client that never acks, or always naks, would gain an unlimited number of uncounted frames.
    ctx.emit({
      do: "send",
      to: socket.peer,
      frame: frameOf(entry, socket),
      expectsReply: socket.acks && entry.sentTo !== socket.peer,
    });
    entry.sentAt = ctx.now;
    if (entry.sends++ === 0) entry.firstSentAt = ctx.now;
    entry.sentTo = socket.peer;
    if (entry.storage === "stored") {
      entry.text ??= this.#traces.textOf(entry.body);
      entry.body = undefined;
    }
    recipient.inFlight.set(entry.id, entry);
    recipient.inFlightBytes += entry.bytes;
    this.#arm(recipient, this.#dueAt(entry, socket, ctx.now));
  }

  /** When something has to be done about an entry in flight. */
  #dueAt(entry: QueueEntry, { acks }: RecipientSocket, now: Millis): Millis {
    const settledAt = entry.sentAt + this.#settings.settle;
    // Why: an entry that is in memory past `queue.settle` could not be written. It is written again when it returns from flight.
    const waitsForSettling = entry.storage === "memory" && settledAt > now;
    return !acks || waitsForSettling ? settledAt : entry.sentAt + this.#settings.ack_timeout;
  }

  #arm(recipient: RecipientQueue, at: Millis): void {
    const set = this.#deadlines.get(recipient.segment);
    if (set === undefined || at < set) this.#deadlines.set(recipient.segment, at);
  }

  /** The deadline of a connected recipient has expired. */
  #due(recipient: RecipientQueue, socket: RecipientSocket, ctx: StepContext): void {
    if (socket.acks) this.#checkAcks(recipient, ctx);
    else if (!recipient.isBackpressured) this.#settle(recipient, ctx);
    const soonest = ctx.now + (recipient.isBackpressured ? Math.max(1, this.#settings.settle) : 1);
    for (const entry of recipient.inFlight.values()) {
      this.#arm(recipient, Math.max(soonest, this.#dueAt(entry, socket, ctx.now)));
      if (!socket.acks) break;
    }
    if (recipient.resumeAt > ctx.now) this.#arm(recipient, recipient.resumeAt);
    this.#armLoader(recipient, ctx);
    this.#pump(recipient, ctx);
  }

  /** Without acks: an entry counts as delivered when the socket took it `queue.settle` ago and is still open. */
  #settle(recipient: RecipientQueue, ctx: StepContext): void {
    for (const entry of recipient.inFlight.values()) {
      if (entry.sentAt + this.#settings.settle > ctx.now) return;
      this.#store.remove(recipient, entry, { as: "delivered" }, ctx);
      ctx.observe({ is: "message_delivered", to: recipient.name, id: entry.id, confirmed: false });
    }
  }

  /** With acks: an entry without ack is stored after `queue.settle`, and all in flight are sent again after `queue.ack_timeout`. */
  #checkAcks(recipient: RecipientQueue, ctx: StepContext): void {
    const { settle, ack_timeout } = this.#settings;
    const first = firstOf(recipient.inFlight);
    if (first !== undefined && first.sentAt + ack_timeout <= ctx.now) {
      this.#countAttempt(recipient, first, ctx);
      this.#putBack(recipient, [...recipient.inFlight.values()], ctx);
      return;
    }
    for (const entry of recipient.inFlight.values()) {
      if (entry.storage === "memory" && entry.sentAt + settle <= ctx.now) this.#store.write(recipient, entry, ctx);
    }
  }

  /** Counts a failed delivery. Only the first entry in flight can be its cause, so the others keep their attempts. */
  #countAttempt(recipient: RecipientQueue, entry: QueueEntry, ctx: StepContext): void {
    if (++entry.attempts >= this.#settings.max_attempts) this.#store.deadLetter({ recipient, entry }, "attempts", ctx);
  }

  /** Moves entries from flight to the front of those that wait. */
  #putBack(recipient: RecipientQueue, entries: readonly QueueEntry[], ctx: StepContext): void {
    const back = entries.filter((entry) => removeInFlight(recipient, entry));
    for (const entry of back) entry.isRedelivery = true;
    recipient.waiting.addReturned(back);
    for (const entry of back) {
      if (entry.exp <= ctx.now) this.#store.deadLetter({ recipient, entry }, "expired", ctx);
      else if (entry.storage === "memory") this.#store.write(recipient, entry, ctx);
    }
  }

  #writeEnded(key: Key, isStored: boolean, ctx: StepContext): void {
    const location = this.#store.writeEnded(key, isStored, ctx);
    if (location === undefined) return;
    const { recipient, entry } = location;
    this.#pump(recipient, ctx);
    // Why: only the next entry needs its body. The others are loaded when it is their turn, and do not fill the memory.
    if (entry.storage === "stored") {
      if (recipient.waiting.first !== entry) entry.body = undefined;
      else if (entry.body !== undefined) recipient.loaded.add(entry);
    }
    this.#store.recipients.dropIfEmpty(recipient);
  }

  #loadEnded(event: Extract<StoreEvent, { readonly token: LoadToken }>, ctx: StepContext): void {
    const recipient = this.#loads.get(event.token);
    this.#loads.delete(event.token);
    const result = recipient?.loader?.ended(event, this.#settings.retry, ctx);
    if (recipient === undefined || result === undefined) return; // Why: the recipient has disconnected meanwhile.
    for (const [key, value] of result.values) {
      const entry = takeUnread(recipient, key);
      if (entry === undefined) continue;
      entry.body = bodyOf(value, entry.id);
      if (entry.body === undefined) this.#quarantine(recipient, entry, "missing or unreadable", ctx);
      else recipient.loaded.add(entry);
    }
    for (const key of result.unreadable) {
      const entry = takeUnread(recipient, key);
      if (entry !== undefined) this.#quarantine(recipient, entry, `failed to load ${LOAD_ATTEMPTS_MAX} times`, ctx);
    }
    this.#armLoader(recipient, ctx);
    this.#pump(recipient, ctx);
  }

  /** Wakes up for a load that is repeated later. */
  #armLoader(recipient: RecipientQueue, ctx: StepContext): void {
    const retryAt = recipient.loader?.nextWakeup();
    if (retryAt !== undefined && retryAt > ctx.now) this.#arm(recipient, retryAt);
  }

  /** Skips an entry that cannot be read. Its key stays in the store, and it is queued again by the next restart. */
  #quarantine(recipient: RecipientQueue, entry: QueueEntry, why: string, ctx: StepContext): void {
    this.#store.untrack(recipient, entry);
    this.#traces.add(recipient, entry, { as: "dropped", why: "unreadable" }, ctx);
    ctx.observe({ is: "entry_quarantined", key: entry.key, why });
  }

  #isDeadLetter(key: Key): boolean {
    return key.startsWith(`${this.#service}/dead/`);
  }
}
