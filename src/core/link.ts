/**
 * The life of one outbound connection that is kept for ever: idle -> dialing -> open -> waiting -> dialing ...
 *
 * Shared by the Neuro client, the neuron and Trevor. It holds no messages: what must not be lost waits in the machine that
 * owns the link, and is sent again from its state when the link opens.
 *
 * Invariants: L1 each attempt has a new `LinkId`, so an event of an older socket finds no link; L2 in `dialing` and `waiting`
 * there is a deadline; L3 the close code decides nothing (an abrupt drop shows as 1000 on one runtime, 0 on another).
 */
import { type Backoff, backoffMs } from "./backoff.ts";
import { type LinkId, linkId, type Millis } from "./ids.ts";
import type { ServiceName } from "./service.ts";
import type { StepContext } from "./context.ts";

export interface Link {
  readonly service: ServiceName;
  readonly name: string;
  state: "idle" | "dialing" | "open" | "waiting";
  id: LinkId | undefined;
  /** Attempts that failed since the link was last open for a while. */
  attempt: number;
  deadline: Millis | undefined;
  openedAt: Millis;
}

export interface LinkPlan {
  readonly url: string;
  readonly backoff: Backoff;
  readonly dialTimeoutMs: Millis;
  readonly headers?: Readonly<Record<string, string>>;
}

/** After this long open, the next loss starts the backoff from the beginning. */
export const STEADY_MS = 5_000;

export const link = (service: ServiceName, name: string): Link => ({
  service,
  name,
  state: "idle",
  id: undefined,
  attempt: 0,
  deadline: undefined,
  openedAt: 0,
});

/** Starts an attempt, whatever the state. */
export function dial(of: Link, plan: LinkPlan, ctx: StepContext): void {
  if (of.id !== undefined) ctx.emit({ do: "closeLink", link: of.id });
  of.id = linkId(`${of.service}:${of.name}:${ctx.id()}`);
  of.state = "dialing";
  of.deadline = ctx.now + plan.dialTimeoutMs;
  ctx.emit({ do: "dial", link: of.id, url: plan.url, ...(plan.headers && { headers: plan.headers }) });
}

/** The attempt succeeded. */
export function opened(of: Link, ctx: StepContext): void {
  of.state = "open";
  of.deadline = undefined;
  of.openedAt = ctx.now;
}

/** The link was lost, or an attempt failed: waits, then dials. Returns how long it waits. */
export function lost(of: Link, plan: LinkPlan, ctx: StepContext): Millis {
  if (of.state === "open" && ctx.now - of.openedAt >= STEADY_MS) of.attempt = 0;
  const waitMs = backoffMs(plan.backoff, of.attempt, ctx.random());
  of.attempt++;
  of.id = undefined;
  of.state = "waiting";
  of.deadline = ctx.now + waitMs;
  return waitMs;
}

/** The deadline came. Returns true when an attempt took too long and was given up; the caller then treats it as lost. */
export function due(of: Link, plan: LinkPlan, ctx: StepContext): boolean {
  if (of.deadline === undefined || of.deadline > ctx.now) return false;
  if (of.state === "waiting") {
    dial(of, plan, ctx);
    return false;
  }
  hangup(of, ctx);
  return true;
}

/** Lets go of the socket without trying again. */
export function hangup(of: Link, ctx: StepContext): void {
  if (of.id !== undefined) ctx.emit({ do: "closeLink", link: of.id });
  of.id = undefined;
  of.state = "idle";
  of.deadline = undefined;
}
