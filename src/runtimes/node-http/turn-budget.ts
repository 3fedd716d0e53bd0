/**
 * The frames that all sockets together handle in one turn of the event loop. Sockets with more wait for the next turn, in order, and read
 * nothing meanwhile.
 *
 * Why: the event loop hands over what all sockets have received in one turn. With many sockets that is work for seconds, in which no
 * request is answered.
 */
const FRAMES_PER_TURN_MAX = 256;
/** A socket that waits gets as many, even if many wait. */
const FRAMES_PER_SOCKET_MIN = 32;

/** Handles at most this many frames. */
type Turn = (framesMax: number) => void;

export class TurnBudget {
  #left = FRAMES_PER_TURN_MAX;
  #isScheduled = false;
  #waiting: Turn[] = [];

  /** Frames that may be handled in this turn. 0 while others wait, because they come first. */
  get left(): number {
    return this.#waiting.length > 0 ? 0 : Math.max(0, this.#left);
  }

  spend(frames: number): void {
    this.#left -= frames;
    this.#schedule();
  }

  /** Continues in a later turn. It may wait again. */
  wait(turn: Turn): void {
    this.#waiting.push(turn);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => this.#nextTurn());
  }

  #nextTurn(): void {
    this.#isScheduled = false;
    this.#left = FRAMES_PER_TURN_MAX;
    const waiting = this.#waiting;
    this.#waiting = [];
    const share = Math.max(FRAMES_PER_SOCKET_MIN, Math.floor(FRAMES_PER_TURN_MAX / waiting.length));
    let at = 0;
    for (; at < waiting.length && this.#left > 0; at++) waiting[at]?.(share);
    this.#waiting = [...waiting.slice(at), ...this.#waiting];
    if (this.#waiting.length > 0) this.#schedule();
  }
}
