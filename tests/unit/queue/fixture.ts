/** A room that is nothing but a queue, on virtual time with a store, and killed where a test wants. */
import { DEFAULTS } from "../../../src/core/defaults.ts";
import type { Effect } from "../../../src/core/effect.ts";
import type { StoreEvent } from "../../../src/core/event.ts";
import { type Key, type LoadToken, type Millis, type PeerId, peerId } from "../../../src/core/ids.ts";
import type { Json, JsonObject } from "../../../src/core/json.ts";
import type { Observation } from "../../../src/core/observation.ts";
import { Queue, type SendOutcome } from "../../../src/queue/queue.ts";
import type { Result } from "../../../src/core/result.ts";
import type { QueueSettings } from "../../../src/core/settings.ts";
import type { StepContext } from "../../../src/core/context.ts";

export const QUEUE: QueueSettings = DEFAULTS.queue;

export class Post {
  readonly queue: Queue;
  readonly settings: QueueSettings;
  readonly stored: Map<Key, Json>;
  readonly sent: { readonly to: PeerId; readonly frame: JsonObject }[] = [];
  readonly observations: Observation[] = [];
  readonly effects: Effect[] = [];
  /** Keys of each load so far. */
  readonly loads: (readonly Key[])[] = [];
  now: Millis;
  isFailing = false;
  readonly #epoch: number;
  readonly #puts = new Map<Key, Json>();
  #pendingLoads: { readonly token: LoadToken; readonly keys: readonly Key[] }[] = [];
  #count = 0;
  #sockets = 0;

  constructor(
    settings: Partial<QueueSettings> = {},
    past: { stored?: ReadonlyMap<Key, Json>; now?: Millis; epoch?: number } = {},
  ) {
    this.settings = { ...QUEUE, ...settings };
    this.stored = new Map(past.stored);
    this.now = past.now ?? 1_000_000;
    this.#epoch = past.epoch ?? 1;
    this.queue = new Queue("intermediary", this.settings);
    this.queue.restore([...this.stored.keys()].map((key) => ({ key })));
    this.run((ctx) => this.queue.tick(ctx));
  }

  restart(): Post {
    return new Post(this.settings, { stored: this.stored, now: this.now + 1, epoch: this.#epoch + 1 });
  }

  run<T>(work: (ctx: StepContext) => T): T {
    const id = () => `${String(this.#epoch).padStart(13, "0")}-${String(++this.#count).padStart(10, "0")}`;
    const ctx: StepContext = {
      now: this.now,
      random: () => 0.5,
      id,
      secret: id,
      emit: (effect) => this.#do(effect),
      post: () => {},
      observe: (observation) => void this.observations.push(observation),
      count: () => {},
    };
    return work(ctx);
  }

  /** All writes and reads end, and what follows from them. */
  store(): void {
    while (this.#puts.size + this.#pendingLoads.length > 0) {
      for (const [key, value] of [...this.#puts]) this.settle(key, value);
      for (const { token, keys } of this.#pendingLoads.splice(0)) {
        const entries = keys.flatMap((key) => (this.stored.has(key) ? [{ key, value: this.stored.get(key) ?? null }] : []));
        this.event({ is: "loaded", token, entries });
      }
    }
  }

  settle(key: Key, value: Json): void {
    if (!this.#puts.delete(key)) return;
    if (!this.isFailing) this.stored.set(key, value);
    this.event(this.isFailing ? { is: "storeFailed", key, reason: "test" } : { is: "stored", key });
  }

  /** Fails the reads that are under way. */
  failLoads(): void {
    for (const { token } of this.#pendingLoads.splice(0)) this.event({ is: "loadFailed", token, reason: "test" });
  }

  event(event: StoreEvent): void {
    this.run((ctx) => this.queue.step(event, ctx));
  }

  pass(ms: Millis): void {
    const until = this.now + ms;
    for (let at = this.queue.nextWakeup(); at !== undefined && at <= until; at = this.queue.nextWakeup()) {
      this.now = Math.max(this.now, at);
      this.run((ctx) => this.queue.tick(ctx));
      this.store();
    }
    this.now = until;
  }

  /** A message with a number; stored before this returns, unless told otherwise. */
  send(to: string, n: number, isStored = true): Result<SendOutcome> {
    const result = this.run((ctx) => this.queue.send(to, { kind: "command", body: JSON.stringify({ n }) }, ctx));
    if (isStored) this.store();
    return result;
  }

  open(name: string, acks = false): PeerId {
    const peer = peerId(`${name}-${++this.#sockets}`);
    this.run((ctx) => this.queue.open(name, { peer, acks }, ctx));
    this.store();
    return peer;
  }

  shut(name: string, isStored = true): void {
    this.run((ctx) => this.queue.close(name, ctx));
    if (isStored) this.store();
  }

  ack(name: string, id: unknown): boolean {
    const isKnown = this.run((ctx) => this.queue.ack(name, String(id), ctx));
    this.store();
    return isKnown;
  }

  /** The numbers sent to a peer, in order. */
  numbers(to: PeerId): Json[] {
    return this.sent.filter((sent) => sent.to === to).map(({ frame }) => frame.n ?? null);
  }

  frames(to: PeerId): JsonObject[] {
    return this.sent.filter((sent) => sent.to === to).map(({ frame }) => frame);
  }

  /** Keys of what is stored for queues, or dead. */
  keys(kind: "queue" | "dead"): Key[] {
    return [...this.stored.keys()].filter((key) => key.startsWith(`intermediary/${kind}/`));
  }

  noted(name: Observation["is"]): Observation[] {
    return this.observations.filter(({ is }) => is === name);
  }

  #do(effect: Effect): void {
    this.effects.push(effect);
    if (effect.do === "send") this.sent.push({ to: peerId(effect.to), frame: JSON.parse(String(effect.frame)) });
    if (effect.do === "put") {
      if (this.#puts.has(effect.key) || this.stored.has(effect.key)) throw new Error(`written twice: ${effect.key}`);
      this.#puts.set(effect.key, effect.value);
    }
    if (effect.do === "delete") {
      this.#puts.delete(effect.key);
      this.stored.delete(effect.key);
    }
    if (effect.do === "load") {
      this.loads.push(effect.keys);
      this.#pendingLoads.push(effect);
    }
  }
}
