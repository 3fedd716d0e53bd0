/**
 * A session that a Brain client is subscribed to, and the changes that its listeners receive.
 *
 * Invariants: F1 listeners receive the changes in order, each once; F2 missed changes are replaced by the whole state, and no change from
 * before that state is emitted after it.
 */
import type { JsonObject } from "../core/json.ts";
import type { BrainError } from "./brain-error.ts";
import { objectOf } from "./calls.ts";

/** A change that another client made. If changes were missed, `missed` is true and `changes` is the whole state. */
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

/** One subscription of a client. */
export class SessionSubscription {
  readonly session: string;
  /** What gets the changes, with what is told when the relay ends the subscription. */
  readonly listeners: Map<(change: Change) => void, (error: BrainError) => void> = new Map();
  /** Resolves with the session's last event once the relay has confirmed the subscription; rejects if there is no such session. */
  readonly confirmed: Promise<number>;
  /** The last event that the listeners know. */
  #seq = -1;
  /** Changes that arrived while the state is read again; undefined when nothing was missed. */
  #held: Change[] | undefined;
  #gaps = 0;

  constructor(session: string, confirmed: Promise<number>) {
    this.session = session;
    this.confirmed = confirmed;
    confirmed.then((seq) => this.acknowledge(seq), () => {}); // Why: the caller that awaits `confirmed` gets the error.
  }

  /** The listeners know all events up to this one. */
  acknowledge(seq: number): void {
    if (this.#held === undefined) this.#seq = Math.max(this.#seq, seq);
  }

  /** A change arrived. */
  receive(change: Change): void {
    if (this.#held === undefined) this.#emit(change);
    else this.#held.push(change);
  }

  /** Changes may be missing from now on, until `completeCatchUp` is called with the number that this returns. */
  beginCatchUp(): number {
    if (this.isConfirmed) this.#held ??= [];
    return ++this.#gaps;
  }

  /** True while this gap is the last one. */
  isCurrent(gap: number): boolean {
    return gap === this.#gaps;
  }

  /** True once the relay has confirmed the subscription. */
  get isConfirmed(): boolean {
    return this.#seq >= 0;
  }

  /** True when the session has events that the listeners do not know. */
  isBehind(seq: number): boolean {
    return seq > this.#seq;
  }

  /**
   * Nothing is missing any more: the snapshot contains every missed change, or no change was missed. If there are several gaps, only the
   * last one
   * matters.
   */
  completeCatchUp(gap: number, snapshot?: Snapshot): void {
    if (!this.isCurrent(gap)) return;
    const { session } = this;
    const held = this.#held ?? [];
    this.#held = undefined;
    if (snapshot !== undefined) {
      const { state, seq } = snapshot;
      this.#emit({ session, seq, operator: "", changes: state, removed: [], missed: true });
    }
    for (const change of held) this.#emit(change);
  }

  #emit(change: Change): void {
    if (change.seq <= this.#seq) return;
    this.#seq = change.seq;
    for (const listener of this.listeners.keys()) listener(change);
  }
}

/** The change in a `State.Delta`. */
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
