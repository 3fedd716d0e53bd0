/**
 * Messages for those who are away, or may be: per recipient, in order, at least once.
 *
 * ```
 *              peer is here, nothing waits
 *   message ------------------------------------> in flight --settled or acked--> gone
 *      |                                           ^     |
 *      |  else                            pump     |     |  socket lost, no ack, nak
 *      +-----> writing --stored--> ready ----------+     |
 *                          ^                             |
 *                          +-----------------------------+--too often, expired, term--> dead letter
 * ```
 *
 * Invariants: Q1 what was promised `queued` is sent only after it was stored, and is on disk until it is settled, acked or dead;
 * Q2 a recipient gets its entries in the order in which they were made, repeats go back to before what came later; Q3 bodies are
 * in memory only while they are written or about to be sent, so a delivery costs the same whatever waits behind it; Q4 entries
 * and bytes on disk stay within the settings, per recipient and in total.
 * Knows nothing of: names beyond their segments, who may send, what a body means.
 */
import { assert } from "../core/assert.ts";
import { backoffMs } from "../core/backoff.ts";
import type { DeadLetters } from "./dead-letters.ts";
import { Deadlines } from "../core/deadlines.ts";
import type { Entry, StoreEvent } from "../core/event.ts";
import { type Key, type LoadToken, loadToken, type Millis, rawKey } from "../core/ids.ts";
import { bodyOf, bytesOf, type QueueEntry } from "./entry.ts";
import {
  firstOf,
  frameOf,
  isOpen,
  nextToLoad,
  type RecipientQueue,
  type RecipientQueues,
  removeInFlight,
  type Socket,
} from "./recipient-queue.ts";
import { QueueStore } from "./store.ts";
import { failed, ok, type Result } from "../core/result.ts";
import type { ServiceName } from "../core/service.ts";
import type { MessageKind, QueueSettings } from "../core/settings.ts";
import type { StepContext } from "../core/context.ts";

export type { Depth, Socket } from "./recipient-queue.ts";

/** What may be seen of the lanes. */
export type RecipientsView = Pick<RecipientQueues, "entries" | "bytes" | "oldest" | "depth" | "depths" | "list" | "locate">;

/** A message for a recipient: a JSON object as text. */
export interface QueuedMessage {
  readonly kind: MessageKind;
  readonly body: string;
}

/** What became of a message; `queued` holds only once `key` is stored. */
export type SendOutcome = { readonly is: "sent" } | { readonly is: "queued"; readonly key: Key };

export class Queue {
  readonly #service: ServiceName;
  readonly #store: QueueStore;
  readonly #recipients: RecipientQueues;
  readonly #deadlines = new Deadlines();
  readonly #loads = new Map<LoadToken, { readonly to: RecipientQueue; readonly window: readonly QueueEntry[] }>();
  #settings: QueueSettings;

  constructor(service: ServiceName, settings: QueueSettings) {
    this.#service = service;
    this.#settings = settings;
    this.#store = new QueueStore(service, settings);
    this.#recipients = this.#store.recipients;
  }

  configure(settings: QueueSettings): void {
    this.#settings = settings;
    this.#store.configure(settings);
  }

  /** Takes in the keys that an earlier run left; those of other kinds are not looked at. */
  restore(entries: readonly Entry[]): void {
    this.#store.restore(entries.map(({ key }) => key));
  }

  get dead(): DeadLetters {
    return this.#store.dead;
  }

  /** What is kept, to be looked at. */
  get recipients(): RecipientsView {
    return this.#recipients;
  }

  /** Writes that have not yet ended. */
  get writing(): number {
    return this.#store.writing;
  }

  /** Asks for the value of an entry; `loaded` with this token follows. */
  read({ key }: QueueEntry, ctx: StepContext): LoadToken {
    const token = loadToken(`${this.#service}:entry:${ctx.id()}`);
    ctx.emit({ do: "load", token, keys: [key] });
    return token;
  }

  /** Says whose a segment is, for those whose entries an earlier run left. */
  setName(name: string): void {
    const to = this.#recipients.of(name);
    if (to !== undefined) to.name = name;
  }

  /** The recipient is connected: what waits for it is sent. */
  open(name: string, socket: Socket, ctx: StepContext): void {
    const to = this.#recipients.getOrCreate(name);
    assert(to.socket === undefined, `a second socket for ${name}`);
    to.socket = socket;
    to.isBackpressured = false;
    to.resumeAt = 0;
    this.#pump(to, ctx);
  }

  /** Its socket is gone: what was in flight waits again, on disk. */
  close(name: string, ctx: StepContext): void {
    const to = this.#recipients.of(name);
    if (to?.socket === undefined) return;
    const blamed = firstOf(to.inFlight);
    if (blamed !== undefined) this.#countAttempt(to, blamed, ctx);
    to.socket = undefined;
    if (to.loading !== undefined) this.#loads.delete(to.loading);
    to.loading = undefined;
    this.#putBack(to, [...to.inFlight.values()], ctx);
    for (const entry of to.waiting.values()) if (entry.disk === "stored") entry.body = undefined;
    this.#deadlines.clear(to.segment);
    this.#recipients.dropIfEmpty(to);
  }

  /** More waits in its socket than should: nothing is sent until it has eased. */
  setBackpressure(name: string, isPressed: boolean, ctx: StepContext): void {
    const to = this.#recipients.of(name);
    if (to === undefined) return;
    to.isBackpressured = isPressed;
    this.#pump(to, ctx);
  }

  /** Sends a message, or writes it where its recipient is away, behind or has something waiting. */
  send(name: string, { kind, body }: QueuedMessage, ctx: StepContext): Result<SendOutcome> {
    const to = this.#recipients.getOrCreate(name);
    const isDirect = to.waiting.size === 0 && isOpen(to, this.#settings, ctx.now);
    const bytes = bytesOf(body);
    if (!isDirect && !this.#store.makeRoom(to, bytes, ctx)) {
      ctx.observe({ is: "queue_refused", to: name, why: "queueFull" });
      this.#recipients.dropIfEmpty(to);
      return failed("queueFull", "queue full");
    }
    const entry: QueueEntry = {
      id: ctx.id(),
      at: ctx.now,
      exp: ctx.now + this.#settings.ttl[kind],
      bytes,
      kind,
      key: rawKey(""),
      disk: "none",
      promise: isDirect ? "sent" : "queued",
      body,
      attempts: 0,
      isRepeat: false,
      sentAt: 0,
    };
    if (isDirect) {
      this.#transmit(to, entry, ctx);
      return ok({ is: "sent" });
    }
    to.waiting.set(entry.id, entry);
    this.#store.write(to, entry, ctx);
    return ok({ is: "queued", key: entry.key });
  }

  /** The recipient has done with an entry. False when it has no such entry. */
  ack(name: string, id: string, ctx: StepContext): boolean {
    const [to, entry] = this.#store.find(name, id);
    if (to === undefined || entry === undefined) return false;
    this.#store.remove(to, entry, ctx);
    ctx.observe({ is: "message_delivered", to: to.name, id, confirmed: true });
    this.#pump(to, ctx);
    return true;
  }

  /** The recipient wants it, and with it all after it, again: after `delayMs`, or after the usual backoff. */
  nak(name: string, nak: { id: string; delayMs: Millis | undefined }, ctx: StepContext): boolean {
    const [to, entry] = this.#store.find(name, nak.id);
    if (to === undefined || entry === undefined || !to.inFlight.has(nak.id)) return false;
    const { retry, retry_cap, max_attempts } = this.#settings;
    const isDead = entry.attempts + 1 >= max_attempts;
    const waitMs = nak.delayMs ?? backoffMs({ baseMs: retry, capMs: retry_cap }, entry.attempts, 1);
    const back = [...to.inFlight.values()].filter(({ id }) => id >= nak.id);
    this.#countAttempt(to, entry, ctx);
    this.#putBack(to, back, ctx);
    if (!isDead) {
      to.resumeAt = ctx.now + waitMs;
      this.#arm(to, to.resumeAt);
    }
    this.#pump(to, ctx);
    return true;
  }

  /** The recipient never wants it again. */
  term(name: string, id: string, ctx: StepContext): boolean {
    const [recipient, entry] = this.#store.find(name, id);
    if (recipient === undefined || entry === undefined) return false;
    this.#store.deadLetter({ recipient, entry }, "terminated", ctx);
    this.#pump(recipient, ctx);
    return true;
  }

  /** Removes an entry without a letter, at a person's word. */
  drop(name: string, id: string, ctx: StepContext): boolean {
    const [to, entry] = this.#store.find(name, id);
    if (to === undefined || entry === undefined) return false;
    this.#store.remove(to, entry, ctx);
    ctx.observe({ is: "message_dead", to: to.name, id, why: "dropped" });
    this.#pump(to, ctx);
    return true;
  }

  /** What the store says; true when it concerns this queue. */
  step(event: StoreEvent, ctx: StepContext): boolean {
    switch (event.is) {
      case "stored":
      case "storeFailed":
        return this.#writeEnded(event.key, event.is === "stored", ctx);
      case "loaded":
        return this.dead.loaded(event.token, event.entries, ctx) || this.#loaded(event.token, event.entries, ctx);
      case "loadFailed":
        return this.dead.loadFailed(event.token) || this.#loadFailed(event.token, ctx);
    }
  }

  tick(ctx: StepContext): void {
    for (const recipient of this.#deadlines.due(ctx.now)) {
      const to = this.#recipients.get(recipient);
      if (to?.socket !== undefined) this.#due(to, to.socket, ctx);
    }
    this.#store.tick(ctx);
  }

  nextWakeup(): Millis | undefined {
    const [due, shelf] = [this.#deadlines.earliest(), this.#store.nextWakeup()];
    return due === undefined || shelf === undefined ? due ?? shelf : Math.min(due, shelf);
  }

  /** Sends what may be sent, and has the next bodies read. */
  #pump(recipient: RecipientQueue, ctx: StepContext): void {
    while (isOpen(recipient, this.#settings, ctx.now)) {
      const next = firstOf(recipient.waiting);
      if (next === undefined) break;
      if (next.exp <= ctx.now) {
        this.#store.deadLetter({ recipient, entry: next }, "expired", ctx);
        continue;
      }
      if (next.body === undefined || (next.promise === "queued" && next.disk !== "stored")) break;
      recipient.waiting.delete(next.id);
      this.#transmit(recipient, next, ctx);
    }
    if (recipient.socket === undefined || recipient.loading !== undefined) return;
    const window = nextToLoad(recipient);
    if (window.length === 0) return;
    recipient.loading = loadToken(`${this.#service}:queue:${ctx.id()}`);
    this.#loads.set(recipient.loading, { to: recipient, window });
    ctx.emit({ do: "load", token: recipient.loading, keys: window.map(({ key }) => key) });
  }

  #transmit(to: RecipientQueue, entry: QueueEntry, ctx: StepContext): void {
    const { socket } = to;
    assert(socket !== undefined, "sending without a socket");
    ctx.count("integration", "out", entry.kind);
    // Why the first time only: who never acks, or naks, would be asked for ever.
    ctx.emit({
      do: "send",
      to: socket.peer,
      frame: frameOf(entry, socket),
      expectsReply: socket.acks && entry.sentAt === 0,
    });
    entry.sentAt = ctx.now;
    if (entry.disk === "stored") entry.body = undefined;
    to.inFlight.set(entry.id, entry);
    to.inFlightBytes += entry.bytes;
    this.#arm(to, this.#dueAt(entry, socket, ctx.now));
  }

  /** When something has to be done about an entry in flight. */
  #dueAt(entry: QueueEntry, { acks }: Socket, now: Millis): Millis {
    const settledAt = entry.sentAt + this.#settings.settle;
    // Why: what is still held past its settling could not be written; it is tried again when it comes back.
    const isHeld = entry.disk === "none" && settledAt > now;
    return !acks || isHeld ? settledAt : entry.sentAt + this.#settings.ack_timeout;
  }

  #arm(to: RecipientQueue, at: Millis): void {
    const set = this.#deadlines.get(to.segment);
    if (set === undefined || at < set) this.#deadlines.set(to.segment, at);
  }

  /** A deadline of a connected recipient has come. */
  #due(to: RecipientQueue, socket: Socket, ctx: StepContext): void {
    if (socket.acks) this.#dueAcks(to, ctx);
    else if (!to.isBackpressured) this.#settle(to, ctx);
    const soonest = ctx.now + (to.isBackpressured ? Math.max(1, this.#settings.settle) : 1);
    for (const entry of to.inFlight.values()) {
      this.#arm(to, Math.max(soonest, this.#dueAt(entry, socket, ctx.now)));
      if (!socket.acks) break;
    }
    if (to.resumeAt > ctx.now) this.#arm(to, to.resumeAt);
    this.#pump(to, ctx);
  }

  /** Without acks: what the socket took long enough ago, and is still open, was delivered as far as one can know. */
  #settle(to: RecipientQueue, ctx: StepContext): void {
    for (const entry of to.inFlight.values()) {
      if (entry.sentAt + this.#settings.settle > ctx.now) return;
      this.#store.remove(to, entry, ctx);
      ctx.observe({ is: "message_delivered", to: to.name, id: entry.id, confirmed: false });
    }
  }

  /** With acks: what is not acked soon is written; what is not acked in time goes again, with all after it. */
  #dueAcks(to: RecipientQueue, ctx: StepContext): void {
    const { settle, ack_timeout } = this.#settings;
    const first = firstOf(to.inFlight);
    if (first !== undefined && first.sentAt + ack_timeout <= ctx.now) {
      this.#countAttempt(to, first, ctx);
      this.#putBack(to, [...to.inFlight.values()], ctx);
      return;
    }
    for (const entry of to.inFlight.values()) {
      if (entry.disk === "none" && entry.sentAt + settle <= ctx.now) this.#store.write(to, entry, ctx);
    }
  }

  /** Only the first of what was in flight can have been the cause: the others lose no attempt. */
  #countAttempt(recipient: RecipientQueue, entry: QueueEntry, ctx: StepContext): void {
    if (++entry.attempts >= this.#settings.max_attempts) this.#store.deadLetter({ recipient, entry }, "attempts", ctx);
  }

  /** Out of flight, to before what waits. */
  #putBack(recipient: RecipientQueue, entries: readonly QueueEntry[], ctx: StepContext): void {
    const back = new Map<string, QueueEntry>();
    for (const entry of entries) {
      if (!removeInFlight(recipient, entry)) continue;
      entry.isRepeat = true;
      back.set(entry.id, entry);
    }
    recipient.waiting = new Map([...back, ...recipient.waiting]);
    for (const entry of back.values()) {
      if (entry.exp <= ctx.now) this.#store.deadLetter({ recipient, entry }, "expired", ctx);
      else if (entry.disk === "none") this.#store.write(recipient, entry, ctx);
    }
  }

  #writeEnded(key: Key, isStored: boolean, ctx: StepContext): boolean {
    const settled = this.#store.writeEnded(key, isStored, ctx);
    if (typeof settled === "boolean") return settled;
    const { recipient, entry } = settled;
    this.#pump(recipient, ctx);
    // Why: what is not sent next would fill the memory while it waits; it is read again in its turn.
    if (entry.disk === "stored" && firstOf(recipient.waiting) !== entry) entry.body = undefined;
    this.#recipients.dropIfEmpty(recipient);
    return true;
  }

  #loaded(token: LoadToken, loaded: readonly Entry[], ctx: StepContext): boolean {
    const load = this.#loads.get(token);
    if (load === undefined) return false;
    const { to, window } = load;
    this.#loads.delete(token);
    to.loading = undefined;
    const values = new Map(loaded.map(({ key, value }) => [key, value]));
    for (const entry of window) {
      if (to.waiting.get(entry.id) !== entry) continue;
      entry.body = bodyOf(values.get(entry.key), entry.id);
      if (entry.body !== undefined) continue;
      this.#store.untrack(to, entry);
      ctx.observe({ is: "entry_quarantined", key: entry.key, why: "gone or unreadable" });
    }
    this.#pump(to, ctx);
    return true;
  }

  #loadFailed(token: LoadToken, ctx: StepContext): boolean {
    const to = this.#loads.get(token)?.to;
    if (to === undefined) return false;
    this.#loads.delete(token);
    to.loading = undefined;
    to.resumeAt = ctx.now + this.#settings.retry;
    this.#arm(to, to.resumeAt);
    return true;
  }
}
