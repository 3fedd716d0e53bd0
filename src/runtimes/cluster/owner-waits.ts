/** Requests for relays without an owner: they wait until the relay has one, all for the same relay together. */
import type { Millis } from "../../core/ids.ts";

const POLL_MS = 50;
/** Requests that wait at the same time. */
const WAITING_MAX = 1_000;

export interface OwnerWaitsPorts<T> {
  /** A request waits for this long. */
  readonly waitMs: Millis;
  /** Where the relay runs; undefined if nowhere. */
  locate(relay: string): Promise<T | undefined>;
  /** Finds the owner of a relay, or gives it one. */
  findOwner(relay: string): void;
}

export class OwnerWaits<T> {
  readonly #ports: OwnerWaitsPorts<T>;
  readonly #searches = new Map<string, Promise<T | undefined>>();
  #waiting = 0;

  constructor(ports: OwnerWaitsPorts<T>) {
    this.#ports = ports;
  }

  /** Where the relay runs, now or soon; undefined if nowhere, or if too many requests wait. */
  async locate(relay: string): Promise<T | undefined> {
    const place = await this.#ports.locate(relay);
    if (place !== undefined || this.#waiting >= WAITING_MAX) return place;
    let search = this.#searches.get(relay);
    if (search === undefined) {
      search = this.#search(relay).finally(() => this.#searches.delete(relay));
      this.#searches.set(relay, search);
    }
    this.#waiting++;
    try {
      return await search;
    } finally {
      this.#waiting--;
    }
  }

  async #search(relay: string): Promise<T | undefined> {
    this.#ports.findOwner(relay);
    for (const end = performance.now() + this.#ports.waitMs;;) {
      const place = await this.#ports.locate(relay);
      if (place !== undefined || performance.now() >= end) return place;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }
}
