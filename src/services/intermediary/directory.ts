/**
 * Names of integrations that have been here: what is sent to one of them while it is away is queued, not refused.
 *
 * Invariants: K1 at most `KNOWN_NAMES_MAX`, the least recently seen go first; K2 a name's record has one live key, the latest
 * generation; K3 records are written behind, nobody waits for them: losing one costs a name, never an entry of the queue.
 */
import { Deadlines } from "../../core/deadlines.ts";
import type { Entry } from "../../core/event.ts";
import type { Key, Millis } from "../../core/ids.ts";
import { isObject } from "../../core/json.ts";
import { key, segment } from "../../core/key.ts";
import { DIRECTORY_NAME_MS, DIRECTORY_NAMES_MAX } from "../../core/limits.ts";
import type { StepContext } from "../../core/context.ts";

export const DIRECTORY_PREFIX = "intermediary/known/";

/** How long a record waits to be written, and how much later a name has to be seen again to be worth another. */
const WRITE_BEHIND_MS = 1_000;
const REFRESH_MS = 3_600_000;
const NEVER = -Infinity;

interface DirectoryEntry {
  seen: Millis;
  /** When the record says it was seen. */
  written: Millis;
  /** The stored record, and the one that is being written. */
  stored: Key | undefined;
  writing: Key | undefined;
}

export class Directory {
  /** In the order of being seen. */
  readonly #names = new Map<string, DirectoryEntry>();
  readonly #unwritten = new Deadlines();
  readonly #writes = new Map<Key, string>();
  readonly #stale: Key[] = [];

  /** Takes in the records of an earlier run; of each name the latest counts, the others are deleted with the first tick. */
  restore(entries: readonly Entry[]): void {
    const records = entries.flatMap(({ key, value }) =>
      isObject(value) && value.v === 1 && typeof value.name === "string" && typeof value.seen === "number"
        ? [{ key, name: value.name, seen: value.seen }]
        : []
    );
    for (const { key, name, seen } of records.sort((one, other) => one.seen - other.seen)) {
      const earlier = this.#names.get(name);
      if (earlier?.stored !== undefined) this.#stale.push(earlier.stored);
      this.#names.delete(name);
      this.#names.set(name, { seen, written: seen, stored: key, writing: undefined });
    }
  }

  has(name: string, now: Millis): boolean {
    const known = this.#names.get(name);
    return known !== undefined && known.seen + DIRECTORY_NAME_MS > now;
  }

  /** All names, the least recently seen first. */
  all(): IterableIterator<string> {
    return this.#names.keys();
  }

  /** All names by their segments in keys. */
  bySegment(): ReadonlyMap<string, string> {
    return new Map([...this.#names.keys()].map((name) => [segment(name), name]));
  }

  /** A name greeted, or left. */
  recordSeen(name: string, ctx: StepContext): void {
    const known = this.#names.get(name) ??
      { seen: 0, written: NEVER, stored: undefined, writing: undefined };
    known.seen = ctx.now;
    this.#names.delete(name);
    this.#names.set(name, known);
    if (known.written + REFRESH_MS <= ctx.now && this.#unwritten.get(name) === undefined) {
      this.#unwritten.set(name, ctx.now + WRITE_BEHIND_MS);
    }
    for (const [oldest, { stored }] of this.#names) {
      if (this.#names.size <= DIRECTORY_NAMES_MAX) break;
      this.#names.delete(oldest);
      this.#unwritten.clear(oldest);
      if (stored !== undefined) ctx.emit({ do: "delete", key: stored });
    }
  }

  tick(ctx: StepContext): void {
    for (const key of this.#stale.splice(0)) ctx.emit({ do: "delete", key });
    for (const name of this.#unwritten.due(ctx.now)) this.#write(name, ctx);
  }

  /** The relay stops: what would be written later is written now. */
  flush(ctx: StepContext): void {
    for (const name of this.#unwritten.due(Infinity)) this.#write(name, ctx);
  }

  /** True when it was a record of this that was written, or not. */
  writeEnded(of: Key, isStored: boolean, ctx: StepContext): boolean {
    const name = this.#writes.get(of);
    if (name === undefined) return false;
    this.#writes.delete(of);
    const known = this.#names.get(name);
    if (known?.writing !== of) {
      ctx.emit({ do: "delete", key: of }); // Why: the name was forgotten meanwhile.
      return true;
    }
    known.writing = undefined;
    if (!isStored) {
      known.written = NEVER;
      return true;
    }
    if (known.stored !== undefined) ctx.emit({ do: "delete", key: known.stored });
    known.stored = of;
    return true;
  }

  nextWakeup(): Millis | undefined {
    return this.#stale.length > 0 ? 0 : this.#unwritten.earliest();
  }

  #write(name: string, ctx: StepContext): void {
    const known = this.#names.get(name);
    if (known === undefined || known.writing !== undefined) return;
    known.written = known.seen;
    known.writing = key("intermediary", "known", segment(name), ctx.id());
    this.#writes.set(known.writing, name);
    ctx.emit({ do: "put", key: known.writing, value: { v: 1, name, seen: known.seen } });
  }
}
