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
import type { RoomName } from "./room.ts";
import type { Turn } from "./turn.ts";

export interface Link {
  readonly room: RoomName;
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

export const link = (room: RoomName, name: string): Link => ({
  room,
  name,
  state: "idle",
  id: undefined,
  attempt: 0,
  deadline: undefined,
  openedAt: 0,
});

/** Starts an attempt, whatever the state. */
export function dial(of: Link, plan: LinkPlan, turn: Turn): void {
  if (of.id !== undefined) turn.put({ do: "hangup", link: of.id });
  of.id = linkId(`${of.room}:${of.name}:${turn.id()}`);
  of.state = "dialing";
  of.deadline = turn.now + plan.dialTimeoutMs;
  turn.put({ do: "dial", link: of.id, url: plan.url, ...(plan.headers && { headers: plan.headers }) });
}

/** The attempt succeeded. */
export function opened(of: Link, turn: Turn): void {
  of.state = "open";
  of.deadline = undefined;
  of.openedAt = turn.now;
}

/** The link was lost, or an attempt failed: waits, then dials. Returns how long it waits. */
export function lost(of: Link, plan: LinkPlan, turn: Turn): Millis {
  if (of.state === "open" && turn.now - of.openedAt >= STEADY_MS) of.attempt = 0;
  const waitMs = backoffMs(plan.backoff, of.attempt, turn.random());
  of.attempt++;
  of.id = undefined;
  of.state = "waiting";
  of.deadline = turn.now + waitMs;
  return waitMs;
}

/** The deadline came. Returns true when an attempt took too long and was given up; the caller then treats it as lost. */
export function due(of: Link, plan: LinkPlan, turn: Turn): boolean {
  if (of.deadline === undefined || of.deadline > turn.now) return false;
  if (of.state === "waiting") {
    dial(of, plan, turn);
    return false;
  }
  hangup(of, turn);
  return true;
}

/** Lets go of the socket without trying again. */
export function hangup(of: Link, turn: Turn): void {
  if (of.id !== undefined) turn.put({ do: "hangup", link: of.id });
  of.id = undefined;
  of.state = "idle";
  of.deadline = undefined;
}
