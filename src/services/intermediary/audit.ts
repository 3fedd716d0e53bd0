/**
 * Who did what to the relay: the last acts of people, kept over restarts.
 *
 * Why refusals for want of a scope are not kept: whoever may only look could else push out what was really done.
 *
 * Invariants: A1 at most `AUDIT_KEPT_MAX` entries, half of them of watchers, which are programs and command all day; the oldest go
 * first; A2 an entry is in memory from the step of its act on, and
 * stored as soon as the store takes it; A3 each is written under a key of its own, and under a new one when that failed.
 */
import type { Entry } from "../../core/event.ts";
import type { Key, Millis } from "../../core/ids.ts";
import { isObject } from "../../core/json.ts";
import { key, segment } from "../../core/key.ts";
import { AUDIT_KEPT_MAX } from "../../core/limits.ts";
import type { Observation } from "../../core/observation.ts";
import type { StepContext } from "../../core/context.ts";
import { type AuditView, type Page, pageOf, type PageRequest } from "../../core/view.ts";
import type { WatcherRequest } from "./wire.ts";

export const AUDIT_PREFIX = "intermediary/audit/";

const RETRY_MS: Millis = 5_000;
/** Characters of what a peer has named. */
const TEXT_MAX = 256;

const BY_WATCHERS: ReadonlySet<string> = new Set(["command", "direct", "choice"] satisfies WatcherRequest["is"][]);
const OF_WATCHERS_MAX = AUDIT_KEPT_MAX / 2;

interface Kept {
  readonly view: AuditView;
  /** Where it is stored, or being written. */
  key: Key | undefined;
}

export class Audit {
  /** The oldest first. */
  #kept: Kept[] = [];
  readonly #writing = new Map<Key, Kept>();
  readonly #stale: Key[] = [];
  #retryAt: Millis | undefined;

  restore(entries: readonly Entry[]): void {
    for (const { key, value } of entries) {
      if (!isObject(value) || value.v !== 1) continue;
      const { id, at, by, did, to, outcome } = value;
      if (typeof id !== "string" || typeof at !== "number") continue;
      const view = { id, at, by: String(by), did: String(did), to: String(to), outcome: String(outcome) };
      this.#kept.push({ view, key });
    }
    this.#kept.sort((one, other) => (one.view.id < other.view.id ? -1 : 1));
    for (const { key } of this.#excess()) if (key !== undefined) this.#stale.push(key);
  }

  /** A fact; it is kept when it is an act of a person. */
  see(observation: Observation, ctx: StepContext): void {
    if (observation.is !== "operator_acted" || observation.outcome === "notAllowed") return;
    const { by, did, to, outcome } = observation;
    const view = { id: ctx.id(), at: ctx.now, by: by.slice(0, TEXT_MAX), did, to: to.slice(0, TEXT_MAX), outcome };
    const kept: Kept = { view, key: undefined };
    this.#kept.push(kept);
    this.#write(kept, ctx);
    for (const { key } of this.#excess()) {
      if (key !== undefined && !this.#writing.has(key)) ctx.emit({ do: "delete", key });
    }
  }

  /** The newest first, those before `after`. */
  page(part: PageRequest): Page<AuditView> {
    return pageOf(this.#kept.map(({ view }) => view).reverse(), part, { id: ({ id }) => id, descending: true });
  }

  /** True when it was an entry of this that was written, or not. */
  settled(of: Key, isStored: boolean, ctx: StepContext): boolean {
    const kept = this.#writing.get(of);
    if (kept === undefined) return false;
    this.#writing.delete(of);
    if (!isStored) {
      kept.key = undefined;
      this.#retryAt ??= ctx.now + RETRY_MS;
    } else if (!this.#kept.includes(kept)) ctx.emit({ do: "delete", key: of }); // Why: it has become too old meanwhile.
    return true;
  }

  tick(ctx: StepContext): void {
    for (const key of this.#stale.splice(0)) ctx.emit({ do: "delete", key });
    if (this.#retryAt === undefined || this.#retryAt > ctx.now) return;
    this.#retryAt = undefined;
    for (const kept of this.#kept) if (kept.key === undefined) this.#write(kept, ctx);
  }

  nextWakeup(): Millis | undefined {
    return this.#stale.length > 0 ? 0 : this.#retryAt;
  }

  /** Takes out what is more than may be kept. */
  #excess(): ReadonlySet<Kept> {
    const watchers = this.#kept.filter(isOfWatcher);
    const gone = new Set(oldest(watchers, OF_WATCHERS_MAX));
    const rest = this.#kept.filter((kept) => !gone.has(kept));
    for (const kept of oldest(rest, AUDIT_KEPT_MAX)) gone.add(kept);
    if (gone.size > 0) this.#kept = rest.filter((kept) => !gone.has(kept));
    return gone;
  }

  #write(kept: Kept, ctx: StepContext): void {
    kept.key = key("intermediary", "audit", segment(kept.view.id), ctx.id());
    this.#writing.set(kept.key, kept);
    ctx.emit({ do: "put", key: kept.key, value: { v: 1, ...kept.view } });
  }
}

const isOfWatcher = ({ view: { did } }: Kept): boolean => BY_WATCHERS.has(did);

/** Those that are more than so many. */
const oldest = (all: readonly Kept[], most: number): readonly Kept[] => all.slice(0, Math.max(0, all.length - most));
