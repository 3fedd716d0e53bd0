/**
 * Requests for events that wait for the first one.
 *
 * Invariant: W1 each gets one response: with events, after its `wait`, or at once while draining.
 */
import type { StepContext } from "../../../core/context.ts";
import { Deadlines } from "../../../core/deadlines.ts";
import type { Millis } from "../../../core/ids.ts";
import { respond } from "../../../core/request.ts";
import type { EventPage } from "../../../core/view.ts";
import type { RequestedBy } from "../operator/responses.ts";
import type { Subscriptions } from "./subscriptions.ts";

interface EventWaiter {
  readonly requested: RequestedBy<"events">;
  /** The last event that it did not want. */
  cursor: string;
}

export class EventWaiters {
  readonly #waiters = new Map<string, EventWaiter>();
  readonly #deadlines = new Deadlines();

  get size(): number {
    return this.#waiters.size;
  }

  /** Keeps a request until there is an event after this page. */
  add(requested: RequestedBy<"events">, { page: { cursor }, until }: { page: EventPage; until: Millis }): void {
    this.#waiters.set(requested.requestId, { requested, cursor });
    this.#deadlines.set(requested.requestId, until);
  }

  /** Responds to the requests for which there is an event now. */
  wake(subscriptions: Subscriptions, ctx: StepContext): void {
    for (const waiter of this.#waiters.values()) {
      const page = pageFor(waiter, subscriptions, ctx);
      if (page.items.length > 0) this.#respond(waiter, page, ctx);
      else waiter.cursor = page.cursor;
    }
  }

  tick(subscriptions: Subscriptions, ctx: StepContext): void {
    for (const id of this.#deadlines.due(ctx.now)) {
      const waiter = this.#waiters.get(id);
      if (waiter !== undefined) this.#respond(waiter, pageFor(waiter, subscriptions, ctx), ctx);
    }
  }

  respondToAll(subscriptions: Subscriptions, ctx: StepContext): void {
    for (const waiter of this.#waiters.values()) this.#respond(waiter, pageFor(waiter, subscriptions, ctx), ctx);
  }

  nextWakeup(): Millis | undefined {
    return this.#deadlines.earliest();
  }

  #respond({ requested }: EventWaiter, page: EventPage, ctx: StepContext): void {
    this.#waiters.delete(requested.requestId);
    this.#deadlines.clear(requested.requestId);
    respond(requested, page, ctx);
  }
}

const pageFor = ({ requested, cursor }: EventWaiter, subscriptions: Subscriptions, ctx: StepContext): EventPage =>
  subscriptions.page({ ...requested.request, after: cursor }, ctx);
