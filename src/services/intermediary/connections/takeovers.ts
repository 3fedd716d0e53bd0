/** Pending takeovers of names, and how often each name was taken over. Plain state; `takeover.ts` decides. */
import type { Millis } from "../../../core/ids.ts";
import { TAKEOVERS_PER_MINUTE_MAX } from "../../../core/limits.ts";
import type { PeerTimers } from "../timers.ts";
import type { PendingTakeover } from "./peer.ts";

const MINUTE_MS = 60_000;

export class Takeovers {
  readonly #pending = new Map<string, PendingTakeover>();
  readonly #timers: PeerTimers;
  /** When the takeovers of each name within the last minute happened. */
  readonly #times = new Map<string, readonly Millis[]>();

  constructor(timers: PeerTimers) {
    this.#timers = timers;
  }

  get size(): number {
    return this.#pending.size;
  }

  /** The pending takeover of a name. */
  get(name: string): PendingTakeover | undefined {
    return this.#pending.get(name);
  }

  add(pending: PendingTakeover, at: Millis): void {
    this.#pending.set(pending.identity.name, pending);
    this.#timers.set({ is: "takeover", peer: pending.peer }, at);
  }

  remove({ peer, identity: { name } }: PendingTakeover): void {
    this.#timers.clear({ is: "takeover", peer });
    if (this.#pending.get(name)?.peer === peer) this.#pending.delete(name);
  }

  /** True when a name was taken over `TAKEOVERS_PER_MINUTE_MAX` times within the last minute. */
  isExhausted(name: string, now: Millis): boolean {
    return this.#recent(name, now).length >= TAKEOVERS_PER_MINUTE_MAX;
  }

  /** Counts a takeover that happened. At most `namesMax` names are counted; the oldest are dropped. */
  count(name: string, namesMax: number, now: Millis): void {
    const recent = this.#recent(name, now);
    for (const oldest of this.#times.keys()) {
      if (this.#times.size <= namesMax) break;
      this.#times.delete(oldest);
    }
    this.#times.delete(name);
    this.#times.set(name, [...recent, now]);
  }

  #recent(name: string, now: Millis): readonly Millis[] {
    return (this.#times.get(name) ?? []).filter((at) => at + MINUTE_MS > now);
  }
}
