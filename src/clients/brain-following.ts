/**
 * One session that a Brain client follows, and what its listeners hear.
 *
 * Invariants: F1 listeners hear of events in their order, each once; F2 what was missed is made up for by the whole state, and
 * nothing that came before it is told after it.
 */
import { isObject, type Json, type JsonObject } from "../core/json.ts";

/** What others did to a session. After changes were missed, `missed` is true and `changes` is the whole state. */
export interface Change {
  readonly session: string;
  readonly seq: number;
  readonly operator: string;
  readonly changes: JsonObject;
  readonly removed: readonly string[];
  readonly missed: boolean;
}

/** The state of a session after an event. */
export interface Snapshot {
  readonly state: JsonObject;
  readonly seq: number;
}

/** What one client knows of a session that it follows. */
export class Following {
  readonly session: string;
  readonly listeners: Set<(change: Change) => void> = new Set();
  /** Settled once the relay knows of it, or does not know the session. */
  readonly asked: Promise<number>;
  /** The last event that the listeners know of. */
  #seq = -1;
  /** News that came since something was missed. */
  #held: Change[] | undefined;
  #losses = 0;

  constructor(session: string, asked: Promise<number>) {
    this.session = session;
    this.asked = asked;
    asked.then((seq) => this.did(seq), () => {}); // Why: whoever asked is told of the failure.
  }

  /** An event of which whoever listens knows already. */
  did(seq: number): void {
    if (this.#held === undefined) this.#seq = Math.max(this.#seq, seq);
  }

  heard(change: Change): void {
    if (this.#held === undefined) this.#tell(change);
    else this.#held.push(change);
  }

  /** From now on something may be missing, until `regain` is called for this loss. */
  lose(): number {
    if (this.isKnown) this.#held ??= [];
    return ++this.#losses;
  }

  /** True while this loss is the last, and not made up for. */
  owes(loss: number): boolean {
    return loss === this.#losses;
  }

  /** True once the relay said that it tells of this session. */
  get isKnown(): boolean {
    return this.#seq >= 0;
  }

  /** True when there are events after those that the listeners know of. */
  misses(seq: number): boolean {
    return seq > this.#seq;
  }

  /** Nothing is missing any more: all that happened is in this state, or nothing did. Of several losses the last counts. */
  regain(loss: number, snapshot?: Snapshot): void {
    if (!this.owes(loss)) return;
    const { session } = this;
    const held = this.#held ?? [];
    this.#held = undefined;
    if (snapshot !== undefined) {
      const { state, seq } = snapshot;
      this.#tell({ session, seq, operator: "", changes: state, removed: [], missed: true });
    }
    for (const change of held) this.#tell(change);
  }

  #tell(change: Change): void {
    if (change.seq <= this.#seq) return;
    this.#seq = change.seq;
    for (const listener of this.listeners) listener(change);
  }
}

/** The change that a `State.Delta` tells of. */
export function changeIn({ session_id, seq, operator, changes, removed }: JsonObject): Change {
  return {
    session: String(session_id),
    seq: Number(seq),
    operator: String(operator),
    changes: objectOf(changes),
    removed: Array.isArray(removed) ? removed.map(String) : [],
    missed: false,
  };
}

/** The object that stands there, or an empty one. */
export const objectOf = (value: Json | undefined): JsonObject => (isObject(value) ? value : {});
