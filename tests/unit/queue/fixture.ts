/** A queue in virtual time with a store that a test controls. It can be restarted at any moment. */
import { DEFAULTS } from "../../../src/core/defaults.ts";
import type { Effect } from "../../../src/core/effect.ts";
import type { StoreEvent } from "../../../src/core/event.ts";
import { type Key, type LoadToken, type Millis, type PeerId, peerId } from "../../../src/core/ids.ts";
import type { Json, JsonObject } from "../../../src/core/json.ts";
import type { Observation } from "../../../src/core/observation.ts";
import { RetainedBytes } from "../../../src/core/retained-bytes.ts";
import { Secrets } from "../../../src/core/secrets.ts";
import { traceLimits } from "../../../src/core/traces/limits.ts";
import { RingBudget } from "../../../src/core/traces/record-ring.ts";
import { CommandTraces } from "../../../src/queue/command-traces.ts";
import { Queue, type SendResult } from "../../../src/queue/queue.ts";
import type { Result } from "../../../src/core/result.ts";
import type { QueueSettings } from "../../../src/core/settings.ts";
import type { StepContext } from "../../../src/core/context.ts";

export const QUEUE: QueueSettings = DEFAULTS.queue;

export class QueueFixture {
  readonly queue: Queue;
  readonly settings: QueueSettings;
  readonly stored: Map<Key, Json>;
  readonly sent: { readonly to: PeerId; readonly frame: JsonObject }[] = [];
  readonly observations: Observation[] = [];
  readonly effects: Effect[] = [];
  /** The keys of each load so far. */
  readonly loads: (readonly Key[])[] = [];
  now: Millis;
  isFailing = false;
  /** Keys whose loads fail. */
  readonly unreadable = new Set<Key>();
  readonly #epoch: number;
  readonly #effectsMax: number;
  readonly #puts = new Map<Key, Json>();
  #pendingLoads: { readonly token: LoadToken; readonly keys: readonly Key[] }[] = [];
  #count = 0;
  #sockets = 0;

  constructor(
    settings: Partial<QueueSettings> = {},
    from: { stored?: ReadonlyMap<Key, Json>; now?: Millis; epoch?: number; effectsMax?: number } = {},
  ) {
    this.settings = { ...QUEUE, ...settings };
    this.stored = new Map(from.stored);
    this.now = from.now ?? 1_000_000;
    this.#epoch = from.epoch ?? 1;
    this.#effectsMax = from.effectsMax ?? Infinity;
    const budget = new RingBudget(new RetainedBytes(), traceLimits(DEFAULTS));
    this.queue = new Queue("intermediary", this.settings, new CommandTraces(budget, new Secrets(), () => false));
    this.queue.restore([...this.stored.keys()]);
    this.step((ctx) => this.queue.tick(ctx));
  }

  /** True after `effectsMax` effects: later ones are not executed. */
  get isKilled(): boolean {
    return this.effects.length >= this.#effectsMax;
  }

  /** A new process after a kill. With `torn` the writes under way have left torn entries. */
  restartAfterKill({ torn }: { readonly torn: boolean }): QueueFixture {
    const left: [Key, Json][] = torn ? [...this.#puts.keys()].map((key) => [key, null]) : [];
    const stored = new Map([...this.stored, ...left]);
    return new QueueFixture(this.settings, { stored, now: this.now + 1, epoch: this.#epoch + 1 });
  }

  restart(): QueueFixture {
    return new QueueFixture(this.settings, { stored: this.stored, now: this.now + 1, epoch: this.#epoch + 1 });
  }

  step<T>(work: (ctx: StepContext) => T): T {
    const id = () => `${String(this.#epoch).padStart(13, "0")}-${String(++this.#count).padStart(10, "0")}`;
    const ctx: StepContext = {
      now: this.now,
      random: () => 0.5,
      id,
      secret: id,
      emit: (effect) => this.#do(effect),
      observe: (observation) => void this.observations.push(observation),
      post: () => {},
      count: () => {},
    };
    return work(ctx);
  }

  /** Ends all writes and loads, and those that follow from them. */
  store(): void {
    while (this.#puts.size + this.#pendingLoads.length > 0) {
      if (this.isKilled) return;
      for (const [key, value] of [...this.#puts]) this.endWrite(key, value);
      for (const { token, keys } of this.#pendingLoads.splice(0)) {
        if (keys.some((key) => this.unreadable.has(key))) {
          this.event({ is: "loadFailed", token, reason: "test" });
          continue;
        }
        const entries = keys.flatMap((key) => (this.stored.has(key) ? [{ key, value: this.stored.get(key) ?? null }] : []));
        this.event({ is: "loaded", token, entries });
      }
    }
  }

  endWrite(key: Key, value: Json): void {
    if (this.isKilled || !this.#puts.delete(key)) return;
    if (!this.isFailing) this.stored.set(key, value);
    this.event(this.isFailing ? { is: "storeFailed", key, reason: "test" } : { is: "stored", key });
  }

  /** Fails the loads that are under way. */
  failLoads(): void {
    for (const { token } of this.#pendingLoads.splice(0)) this.event({ is: "loadFailed", token, reason: "test" });
  }

  event(event: StoreEvent): void {
    this.step((ctx) => this.queue.step(event, ctx));
  }

  advance(ms: Millis): void {
    const until = this.now + ms;
    for (let at = this.queue.nextWakeup(); at !== undefined && at <= until; at = this.queue.nextWakeup()) {
      this.now = Math.max(this.now, at);
      this.step((ctx) => this.queue.tick(ctx));
      this.store();
    }
    this.now = until;
  }

  /** Sends a numbered message. It is stored before this returns, unless `isStored` is false. */
  send(to: string, n: number, isStored = true): Result<SendResult> {
    const result = this.step((ctx) => this.queue.send(to, { kind: "command", body: JSON.stringify({ n }) }, ctx));
    if (isStored) this.store();
    return result;
  }

  connect(name: string, acks = false): PeerId {
    const peer = peerId(`${name}-${++this.#sockets}`);
    this.step((ctx) => this.queue.connect(name, { peer, acks }, ctx));
    this.store();
    return peer;
  }

  disconnect(name: string, isStored = true): void {
    this.step((ctx) => this.queue.disconnect(name, ctx));
    if (isStored) this.store();
  }

  ack(name: string, id: unknown): boolean {
    const isKnown = this.step((ctx) => this.queue.ack(name, String(id), ctx));
    this.store();
    return isKnown;
  }

  /** The numbers of the messages sent to a peer, in order. */
  numbers(to: PeerId): Json[] {
    return this.sent.filter((sent) => sent.to === to).map(({ frame }) => frame.n ?? null);
  }

  frames(to: PeerId): JsonObject[] {
    return this.sent.filter((sent) => sent.to === to).map(({ frame }) => frame);
  }

  /** Stored keys of entries or of dead letters. */
  keys(kind: "queue" | "dead"): Key[] {
    return [...this.stored.keys()].filter((key) => key.startsWith(`intermediary/${kind}/`));
  }

  observed(name: Observation["is"]): Observation[] {
    return this.observations.filter(({ is }) => is === name);
  }

  #do(effect: Effect): void {
    if (this.isKilled) return;
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
