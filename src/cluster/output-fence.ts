/**
 * Keeps everything that leaves a relay, in order, while the lease of its node is in doubt. It passes on when the lease is confirmed, and is
 * discarded when it is lost.
 *
 * Invariants: OF1 nothing passes unless the lease holds at that moment; OF2 the order is kept, also between what was held and what is new;
 * OF3 after `discard` nothing passes any more.
 */
export class OutputFence {
  readonly #mayAct: () => boolean;
  #held: (() => void)[] = [];
  #isDiscarded = false;
  #isReleasing = false;

  /** `mayAct` reads the clock each time. */
  constructor(mayAct: () => boolean) {
    this.#mayAct = mayAct;
  }

  /** True if a write may go out now: nothing is held, or it is part of what was held and passes now. */
  isOpen(): boolean {
    return !this.#isDiscarded && (this.#isReleasing || this.#held.length === 0) && this.#mayAct();
  }

  /** True while something is held. Reads no clock. */
  get isHolding(): boolean {
    return this.#held.length > 0;
  }

  /** Acts now, or once the lease is confirmed. */
  pass(act: () => void): void {
    if (this.#isDiscarded) return;
    if (this.#held.length === 0 && this.#mayAct()) act();
    else this.#held.push(act);
  }

  /** The lease was confirmed: everything that was held passes, as long as the lease holds. */
  release(): void {
    if (this.#isReleasing) return;
    this.#isReleasing = true;
    let at = 0;
    for (let act = this.#held[0]; act !== undefined && this.#mayAct(); act = this.#held[++at]) act();
    this.#held.splice(0, at);
    this.#isReleasing = false;
  }

  /** The lease was lost. */
  discard(): void {
    this.#isDiscarded = true;
    this.#held = [];
  }
}
