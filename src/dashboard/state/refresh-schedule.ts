/**
 * Decides when the relay is asked again.
 *
 * ```
 *   waiting --time is up, page visible--> refreshing --done--> waiting
 *      |                                                          ^
 *      +--time is up, page hidden--> hidden --page visible--------+
 *
 *   any --stop--> stopped
 * ```
 *
 * Invariants: R1 one refresh at a time; R2 a refresh after a change starts at least `ACTIVE_INTERVAL_MS` after the previous one;
 * only `refreshNow` shortens that; R3 without a change the relay is asked at the interval that the owner wants then; R4 nothing is asked
 * while the page is hidden, or after `stop`.
 */
import { assertNever } from "../../core/assert.ts";
import type { Millis } from "../../core/ids.ts";
import type { DashboardPorts, Undo } from "./ports.ts";

/** Between two refreshes while the relay reports changes. */
export const ACTIVE_INTERVAL_MS: Millis = 1_000;
/** Collects what happens together into one refresh. */
export const DEBOUNCE_MS: Millis = 120;

type RefreshPhase =
  | { readonly is: "waiting"; readonly due: Millis; readonly cancel: Undo }
  /** `next`: when the following refresh is due. */
  | { readonly is: "refreshing"; readonly next: Millis }
  | { readonly is: "hidden" }
  | { readonly is: "stopped" };

export interface RefreshOwner {
  /** Must not reject. */
  refresh(): Promise<void>;
  /** When the next refresh is due without a change, after one that has just ended. */
  idleMs(): Millis;
}

export class RefreshSchedule {
  readonly #ports: Pick<DashboardPorts, "clock" | "visibility">;
  readonly #owner: RefreshOwner;
  #phase: RefreshPhase = { is: "hidden" };
  #startedAt: Millis = -Infinity;

  constructor(ports: Pick<DashboardPorts, "clock" | "visibility">, owner: RefreshOwner) {
    this.#ports = ports;
    this.#owner = owner;
  }

  /** The relay reported a change. */
  scheduleRefresh(): void {
    this.#bringForward(this.#startedAt + ACTIVE_INTERVAL_MS);
  }

  /** A person did something, or looks again. */
  refreshNow(): void {
    this.#bringForward(-Infinity);
  }

  stop(): void {
    if (this.#phase.is === "waiting") this.#phase.cancel();
    this.#phase = { is: "stopped" };
  }

  #bringForward(due: Millis): void {
    const phase = this.#phase;
    switch (phase.is) {
      case "waiting":
        // Why the earliest: without it a stream of changes would postpone the refresh again and again.
        if (this.#earliest(due) >= phase.due) return;
        phase.cancel();
        return this.#wait(due);
      case "refreshing":
        this.#phase = { is: "refreshing", next: Math.min(phase.next, due) };
        return;
      case "hidden":
        if (this.#ports.visibility.isVisible()) this.#wait(due);
        return;
      case "stopped":
        return;
      default:
        return assertNever(phase);
    }
  }

  #earliest(due: Millis): Millis {
    return Math.max(this.#ports.clock.now() + DEBOUNCE_MS, due);
  }

  #wait(wanted: Millis): void {
    const { clock } = this.#ports;
    const due = this.#earliest(wanted);
    const cancel = clock.later(due - clock.now(), () => void this.#run());
    this.#phase = { is: "waiting", due, cancel };
  }

  async #run(): Promise<void> {
    if (!this.#ports.visibility.isVisible()) {
      this.#phase = { is: "hidden" };
      return;
    }
    this.#startedAt = this.#ports.clock.now();
    this.#phase = { is: "refreshing", next: Infinity };
    await this.#owner.refresh();
    const phase = this.#phase as RefreshPhase; // Why the cast: the compiler does not see that it may have changed meanwhile.
    if (phase.is === "refreshing") this.#wait(Math.min(phase.next, this.#startedAt + this.#owner.idleMs()));
  }
}
