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
import { type AuditView, type Page, pageOf, type PageRequest } from "../../../core/view.ts";
import { WATCHER_ACTS } from "./watcher-acts.ts";

const RETRY_MS: Millis = 5_000;
const WATCHER_ENTRIES_MAX = AUDIT_KEPT_MAX / 2;

interface AuditEntry {
  readonly view: AuditView;
  /** The key under which it is stored or being written. Undefined after a failed write. */
  key: Key | undefined;
}

export class Audit {
  /** The oldest first. */
  #entries: AuditEntry[] = [];
  readonly #writes = new Map<Key, AuditEntry>();
  /** Keys to delete with the first tick after a restart. */
  readonly #excessKeys: Key[] = [];
  #retryAt: Millis | undefined;

  restore(entries: readonly Entry[]): void {
    for (const { key, value } of entries) {
      if (!isObject(value) || value.v !== 1) continue;
      const { id, at, by, action, target, outcome } = value;
      if (typeof id !== "string" || typeof at !== "number") continue;
      const view = { id, at, by: String(by), action: String(action), target: String(target), outcome: String(outcome) };
      this.#entries.push({ view, key });
    }
    this.#entries.sort((one, other) => (one.view.id < other.view.id ? -1 : 1));
    for (const { key } of this.#removeExcess()) if (key !== undefined) this.#excessKeys.push(key);
  }

  /** Records an observation if it is an act of an operator or a watcher. */
  observe(observation: Observation, ctx: StepContext): void {
    if (observation.is !== "operator_acted" || observation.outcome === "notAllowed") return;
    const { by, did: action, to, outcome } = observation;
    const target = shorten(to, AUDIT_TARGET_LENGTH_MAX);
    const view = { id: ctx.id(), at: ctx.now, by: shorten(by, AUDIT_TARGET_LENGTH_MAX), action, target, outcome };
    const entry: AuditEntry = { view, key: undefined };
    this.#entries.push(entry);
    this.#write(entry, ctx);
    for (const { key } of this.#removeExcess()) {
      if (key !== undefined && !this.#writes.has(key)) ctx.emit({ do: "delete", key });
    }
  }

  /** The newest entries first, beginning before `after`. */
  page(request: PageRequest): Page<AuditView> {
    return pageOf(this.#entries.map(({ view }) => view).reverse(), request, { id: ({ id }) => id, descending: true });
  }

  /** The write of an entry has ended. */
  writeEnded(key: Key, isStored: boolean, ctx: StepContext): void {
    const entry = this.#writes.get(key);
    if (entry === undefined) return;
    this.#writes.delete(key);
    if (!isStored) {
      entry.key = undefined;
      this.#retryAt ??= ctx.now + RETRY_MS;
    } else if (!this.#entries.includes(entry)) ctx.emit({ do: "delete", key }); // Why: it was dropped while it was written.
  }

  tick(ctx: StepContext): void {
    for (const key of this.#excessKeys.splice(0)) ctx.emit({ do: "delete", key });
    if (this.#retryAt === undefined || this.#retryAt > ctx.now) return;
    this.#retryAt = undefined;
    for (const entry of this.#entries) if (entry.key === undefined) this.#write(entry, ctx);
  }

  nextWakeup(): Millis | undefined {
    return this.#excessKeys.length > 0 ? 0 : this.#retryAt;
  }

  /** Removes and returns the entries beyond the limits. */
  #removeExcess(): ReadonlySet<AuditEntry> {
    const excess = new Set(beyond(this.#entries.filter(isOfWatcher), WATCHER_ENTRIES_MAX));
    const rest = this.#entries.filter((entry) => !excess.has(entry));
    for (const entry of beyond(rest, AUDIT_KEPT_MAX)) excess.add(entry);
    if (excess.size > 0) this.#entries = rest.filter((entry) => !excess.has(entry));
    return excess;
  }

  #write(entry: AuditEntry, ctx: StepContext): void {
    entry.key = key("intermediary", "audit", segment(entry.view.id), ctx.id());
    this.#writes.set(entry.key, entry);
    ctx.emit({ do: "put", key: entry.key, value: { v: 1, ...entry.view } });
  }
}

const isOfWatcher = ({ view: { action } }: AuditEntry): boolean => WATCHER_ACTS.has(action);

/** The oldest entries beyond the first `most`. */
const beyond = (entries: readonly AuditEntry[], most: number): readonly AuditEntry[] =>
  entries.slice(0, Math.max(0, entries.length - most));
