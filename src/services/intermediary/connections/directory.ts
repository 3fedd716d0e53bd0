/**
 * Names of integrations that were connected: a message for one of them is queued while it is away. A message for another name is refused.
 *
 * Invariants: D1 there are at most `DIRECTORY_NAMES_MAX` names, and the least recently seen are dropped first; D2 a name has one live
 * record, the latest; D3 records are written `WRITE_DELAY_MS` later and no reply waits for them: a lost record loses a name, never a queued
 * message.
 */
import type { StepContext } from "../../../core/context.ts";
import { Deadlines } from "../../../core/deadlines.ts";
import type { Entry } from "../../../core/event.ts";
import type { Key, Millis } from "../../../core/ids.ts";
import { isObject } from "../../../core/json.ts";
import { key, segment } from "../../../core/key.ts";
import { DIRECTORY_NAME_MS, DIRECTORY_NAMES_MAX } from "../../../core/limits.ts";

const WRITE_DELAY_MS = 1_000;
/** A record is written again when its name is seen this much later than the record says. */
const REFRESH_MS = 3_600_000;
const NEVER = -Infinity;

interface DirectoryEntry {
  seenAt: Millis;
  /** The `seenAt` of the latest record. */
  recordedAt: Millis;
  /** The stored record, and the record that is being written. */
  stored: Key | undefined;
  writing: Key | undefined;
}

export class Directory {
  /** The least recently seen first. */
  readonly #entries = new Map<string, DirectoryEntry>();
  /** When the record of each name is written. */
  readonly #writesDue = new Deadlines();
  readonly #writes = new Map<Key, string>();
  /** Records that a later one has replaced, to delete with the first tick after a restart. */
  readonly #outdated: Key[] = [];

  /** Adds the records of an earlier process. If a name has several records, the latest one is valid. */
  restore(entries: readonly Entry[]): void {
    const records = entries.flatMap(({ key, value }) =>
      isObject(value) && value.v === 1 && typeof value.name === "string" && typeof value.seen === "number"
        ? [{ key, name: value.name, seenAt: value.seen }]
        : []
    );
    for (const { key, name, seenAt } of records.sort((one, other) => one.seenAt - other.seenAt)) {
      const earlier = this.#entries.get(name);
      if (earlier?.stored !== undefined) this.#outdated.push(earlier.stored);
      this.#entries.delete(name);
      this.#entries.set(name, { seenAt, recordedAt: seenAt, stored: key, writing: undefined });
    }
  }

  /** True for a name that was seen within `DIRECTORY_NAME_MS`. */
  has(name: string, now: Millis): boolean {
    const entry = this.#entries.get(name);
    return entry !== undefined && entry.seenAt + DIRECTORY_NAME_MS > now;
  }

  /** All names, the least recently seen first. */
  names(): IterableIterator<string> {
    return this.#entries.keys();
  }

  /** All names, by their segments in keys. */
  namesBySegment(): ReadonlyMap<string, string> {
    return new Map([...this.#entries.keys()].map((name) => [segment(name), name]));
  }

  /** An integration of this name has greeted or left. */
  recordSeen(name: string, ctx: StepContext): void {
    const entry = this.#entries.get(name) ??
      { seenAt: 0, recordedAt: NEVER, stored: undefined, writing: undefined };
    entry.seenAt = ctx.now;
    this.#entries.delete(name);
    this.#entries.set(name, entry);
    if (entry.recordedAt + REFRESH_MS <= ctx.now && this.#writesDue.get(name) === undefined) {
      this.#writesDue.set(name, ctx.now + WRITE_DELAY_MS);
    }
    for (const [oldest, { stored }] of this.#entries) {
      if (this.#entries.size <= DIRECTORY_NAMES_MAX) break;
      this.#entries.delete(oldest);
      this.#writesDue.clear(oldest);
      if (stored !== undefined) ctx.emit({ do: "delete", key: stored });
    }
  }

  tick(ctx: StepContext): void {
    for (const key of this.#outdated.splice(0)) ctx.emit({ do: "delete", key });
    for (const name of this.#writesDue.due(ctx.now)) this.#write(name, ctx);
  }

  /** The relay stops: delayed records are written now. */
  flush(ctx: StepContext): void {
    for (const name of this.#writesDue.due(Infinity)) this.#write(name, ctx);
  }

  /** The write of a record has ended. */
  writeEnded(record: Key, isStored: boolean, ctx: StepContext): void {
    const name = this.#writes.get(record);
    if (name === undefined) return;
    this.#writes.delete(record);
    const entry = this.#entries.get(name);
    if (entry?.writing !== record) return ctx.emit({ do: "delete", key: record }); // Why: the name was dropped meanwhile.
    entry.writing = undefined;
    if (!isStored) {
      entry.recordedAt = NEVER;
      return;
    }
    if (entry.stored !== undefined) ctx.emit({ do: "delete", key: entry.stored });
    entry.stored = record;
  }

  nextWakeup(): Millis | undefined {
    return this.#outdated.length > 0 ? 0 : this.#writesDue.earliest();
  }

  #write(name: string, ctx: StepContext): void {
    const entry = this.#entries.get(name);
    if (entry === undefined || entry.writing !== undefined) return;
    entry.recordedAt = entry.seenAt;
    entry.writing = key("intermediary", "directory", segment(name), ctx.id());
    this.#writes.set(entry.writing, name);
    ctx.emit({ do: "put", key: entry.writing, value: { v: 1, name, seen: entry.seenAt } });
  }
}
