/**
 * Tells watchers that ask for it which services may show something else than before, so that they read the API again only then.
 *
 * A change is not an event: it is not recorded, has no id, and does not use the rate. A watcher under backpressure gets one notice when its
 * socket is relieved.
 *
 * Invariants: C1 a notice is sent at most `CHANGE_NOTICE_MS` after each change that it reports; C2 no service is wanted again before the
 * notice about it is sent, so a busy relay reports each at most once in that time; C3 what is kept of a watcher are names of services.
 */
import type { StepContext } from "../../../core/context.ts";
import { earlier } from "../../../core/deadlines.ts";
import type { Millis, PeerId } from "../../../core/ids.ts";
import { CHANGE_NOTICE_MS } from "../../../core/limits.ts";
import { SERVICE_NAMES, type ServiceName } from "../../../core/service.ts";

interface ChangeSubscriber {
  /** The services of its next notice. */
  readonly changed: Set<ServiceName>;
  /** When its next notice is due; undefined while nothing has changed. */
  due: Millis | undefined;
  isBackpressured: boolean;
}

export class ChangeNotices {
  readonly #subscribers = new Map<PeerId, ChangeSubscriber>();
  /** The services that each subscriber has in its next notice. */
  readonly #recorded = new Set<ServiceName>();

  /** Whether a change of this service has to be recorded. */
  wants(service: ServiceName): boolean {
    return this.#subscribers.size > 0 && !this.#recorded.has(service);
  }

  /** Subscribes a watcher, or ends its subscription. `hasMissed`: it may have missed notices, so it gets one of all services. */
  change(
    peer: PeerId,
    { isWanted, hasMissed }: { readonly isWanted: boolean; readonly hasMissed: boolean },
    now: Millis,
  ): void {
    if (!isWanted) return this.remove(peer);
    const subscriber = this.#subscribers.get(peer) ?? { changed: new Set(), due: undefined, isBackpressured: false };
    this.#subscribers.set(peer, subscriber);
    this.#recorded.clear();
    if (!hasMissed) return;
    for (const service of SERVICE_NAMES) subscriber.changed.add(service);
    subscriber.due = now;
  }

  remove(peer: PeerId): void {
    this.#subscribers.delete(peer);
  }

  /** What a service shows may have changed. */
  record(service: ServiceName, now: Millis): void {
    this.#recorded.add(service);
    for (const subscriber of this.#subscribers.values()) {
      subscriber.changed.add(service);
      subscriber.due ??= now + CHANGE_NOTICE_MS;
    }
  }

  setBackpressure(peer: PeerId, isBackpressured: boolean): void {
    const subscriber = this.#subscribers.get(peer);
    if (subscriber !== undefined) subscriber.isBackpressured = isBackpressured;
  }

  tick(ctx: StepContext): void {
    for (const [to, subscriber] of this.#subscribers) {
      const { changed, due, isBackpressured } = subscriber;
      if (due === undefined || due > ctx.now || isBackpressured) continue;
      ctx.count("watcher", "out", "changed");
      ctx.emit({ do: "send", to, frame: JSON.stringify({ event: "changed", services: [...changed] }) });
      changed.clear();
      this.#recorded.clear();
      subscriber.due = undefined;
    }
  }

  nextWakeup(): Millis | undefined {
    let earliest: Millis | undefined;
    for (const { due, isBackpressured } of this.#subscribers.values()) {
      if (!isBackpressured) earliest = earlier(earliest, due);
    }
    return earliest;
  }
}
