/**
 * The audit log: the latest acts of operators and watchers, kept over restarts.
 *
 * Why a refusal for a missing scope is not recorded: otherwise read-only users could flush the log by provoking refusals.
 *
 * Invariants: A1 there are at most `AUDIT_KEPT_MAX` entries, and at most half of them are acts of watchers, which are programs and send
 * commands all day; the oldest are dropped first; A2 an entry is in memory from the step of its act on, and stored as soon as the
 * store takes it; A3 each entry is written under a key of its own, and under another key after a failed write.
 */
import type { StepContext } from "../../../core/context.ts";
import type { Entry } from "../../../core/event.ts";
import type { Key, Millis } from "../../../core/ids.ts";
import { isObject } from "../../../core/json.ts";
import { key, segment } from "../../../core/key.ts";
import { AUDIT_KEPT_MAX, AUDIT_TARGET_LENGTH_MAX } from "../../../core/limits.ts";
import { shorten } from "../../../core/text.ts";
import type { Observation } from "../../../core/observation.ts";
import {
  AUDIT_FIELDS,
  type AuditFilter,
  type AuditView,
  matches,
  type Page,
  pageOf,
  type PageRequest,
} from "../../../core/view.ts";
import { WATCHER_ACTS } from "./watcher-acts.ts";

const RETRY_MS: Millis = 5_000;
const WATCHER_ENTRIES_MAX = AUDIT_KEPT_MAX / 2;

interface AuditEntry {
  readonly view: AuditView;
  /** The key under which it is stored or being written. Undefined after a failed write. */
  key: Key | undefined;
}

export class Audit {
  /** Acts of operators, and of watchers, the oldest first. */
  readonly #operators = new Set<AuditEntry>();
  readonly #watchers = new Set<AuditEntry>();
  readonly #writes = new Map<Key, AuditEntry>();
  /** Keys to delete with the first tick after a restart. */
  readonly #excessKeys: Key[] = [];
  /** Entries whose last write failed. */
  readonly #unwritten = new Set<AuditEntry>();
  #retryAt: Millis | undefined;

  restore(entries: readonly Entry[]): void {
    const restored: AuditEntry[] = [];
    for (const { key, value } of entries) {
      if (!isObject(value) || value.v !== 1) continue;
      const { id, at, by, action, target, outcome } = value;
      if (typeof id !== "string" || typeof at !== "number") continue;
      const view = { id, at, by: String(by), action: String(action), target: String(target), outcome: String(outcome) };
      restored.push({ view, key });
    }
    for (const entry of restored.sort(byId)) {
      for (const { key } of this.#add(entry)) if (key !== undefined) this.#excessKeys.push(key);
    }
  }

  /** Records an observation if it is an act of an operator or a watcher. */
  observe(observation: Observation, ctx: StepContext): void {
    if (observation.is !== "operator_acted" || observation.outcome === "notAllowed") return;
    const { by, did: action, to, outcome } = observation;
    const target = shorten(to, AUDIT_TARGET_LENGTH_MAX);
    const view = { id: ctx.id(), at: ctx.now, by: shorten(by, AUDIT_TARGET_LENGTH_MAX), action, target, outcome };
    const entry: AuditEntry = { view, key: undefined };
    const dropped = this.#add(entry);
    this.#write(entry, ctx);
    for (const { key } of dropped) {
      if (key !== undefined && !this.#writes.has(key)) ctx.emit({ do: "delete", key });
    }
  }

  /** The newest entries first, beginning before `after`. */
  page(request: PageRequest & AuditFilter): Page<AuditView> {
    const { since = -Infinity, until = Infinity } = request;
    const views = [...this.#operators, ...this.#watchers].sort(byId).reverse().map(({ view }) => view)
      .filter((view) => view.at >= since && view.at < until && matches(view, request, AUDIT_FIELDS));
    return pageOf(views, request, { id: ({ id }) => id, descending: true });
  }

  /** The write of an entry has ended. */
  writeEnded(key: Key, isStored: boolean, ctx: StepContext): void {
    const entry = this.#writes.get(key);
    if (entry === undefined) return;
    this.#writes.delete(key);
    if (!isStored) {
      entry.key = undefined;
      this.#unwritten.add(entry);
      this.#retryAt ??= ctx.now + RETRY_MS;
    } else if (!this.#operators.has(entry) && !this.#watchers.has(entry)) {
      ctx.emit({ do: "delete", key }); // Why: it was dropped while it was written.
    }
  }

  tick(ctx: StepContext): void {
    for (const key of this.#excessKeys.splice(0)) ctx.emit({ do: "delete", key });
    if (this.#retryAt === undefined || this.#retryAt > ctx.now) return;
    this.#retryAt = undefined;
    for (const entry of this.#unwritten) this.#write(entry, ctx);
    this.#unwritten.clear();
  }

  nextWakeup(): Millis | undefined {
    return this.#excessKeys.length > 0 ? 0 : this.#retryAt;
  }

  /** Adds the newest entry. Removes and returns those beyond the limits: at most one. */
  #add(entry: AuditEntry): readonly AuditEntry[] {
    const own = isOfWatcher(entry) ? this.#watchers : this.#operators;
    own.add(entry);
    const isFull = this.#operators.size + this.#watchers.size > AUDIT_KEPT_MAX;
    const from = this.#watchers.size > WATCHER_ENTRIES_MAX ? this.#watchers : isFull ? this.#ofOldest() : undefined;
    const oldest = from?.values().next().value;
    if (from === undefined || oldest === undefined) return [];
    from.delete(oldest);
    this.#unwritten.delete(oldest);
    return [oldest];
  }

  /** The entries among which is the oldest of all. */
  #ofOldest(): Set<AuditEntry> {
    const [[operator], [watcher]] = [this.#operators, this.#watchers];
    return operator === undefined || (watcher !== undefined && byId(watcher, operator) < 0)
      ? this.#watchers
      : this.#operators;
  }

  #write(entry: AuditEntry, ctx: StepContext): void {
    entry.key = key("intermediary", "audit", segment(entry.view.id), ctx.id());
    this.#writes.set(entry.key, entry);
    ctx.emit({ do: "put", key: entry.key, value: { v: 1, ...entry.view } });
  }
}

const isOfWatcher = ({ view: { action } }: AuditEntry): boolean => WATCHER_ACTS.has(action);
const byId = ({ view: one }: AuditEntry, { view: other }: AuditEntry): number => (one.id < other.id ? -1 : 1);
