/**
 * The life of one outbound connection that is kept open: when it is dialed, given up, probed and dialed again.
 *
 * ```
 *   idle --dialLink--> dialing --openLink--> open
 *                       ^    |                  |
 *         "redial" due  |    | loseLink         | loseLink
 *                       |    v                  |
 *                      waiting <----------------+
 * ```
 *
 * A dial that can never succeed leads from `dialing` to `failed`, which only `dialLink` leaves: another attempt would fail as well.
 *
 * The one reconnect policy of this project: the Neuro and Nallely services run it with the engine's effects, and
 * `websocket-client/reconnecting-link.ts` runs it for the standalone clients and the dashboard. A link holds no messages: messages that
 * must not be lost stay with the link's owner, who sends them again from its own state when the link opens.
 *
 * Invariants: L1 each attempt has a new `LinkId`, so an event of an older socket matches no link; L2 `dialing` and `waiting` have a
 * deadline, and so has `open` with keepalive; L3 the close code decides nothing, because an abrupt drop shows as 1000 on one runtime and
 * as 0 on another; L4 silence alone never ends an open link: a probe must have gone unanswered for `answerMs`, so a timer that rings
 * late (a suspended laptop, a hidden browser tab) closes nothing.
 */
import { assertNever } from "./assert.ts";
import type { StepContext } from "./context.ts";
import { type LinkId, linkId, type Millis } from "./ids.ts";

/** Delay between attempts: `baseMs`, doubled each time up to `capMs`. */
export interface Backoff {
  readonly baseMs: Millis;
  readonly capMs: Millis;
}

/** Full jitter: a random delay up to the bound of this attempt, so that many peers of one server do not reconnect together. */
export function backoffMs(backoff: Backoff, attempt: number, random: number): Millis {
  return Math.floor(random * Math.min(backoff.capMs, backoff.baseMs * 2 ** Math.min(attempt, 30)));
}

/** How an open link is checked. */
export interface KeepaliveOptions {
  /** A probe is due after this long without a frame. */
  readonly idleMs: Millis;
  /** The link is lost if nothing arrives within this time after the probe. */
  readonly answerMs: Millis;
}

export interface LinkOptions {
  readonly url: string;
  readonly backoff: Backoff;
  readonly dialTimeoutMs: Millis;
  readonly headers?: Readonly<Record<string, string>>;
}

export type LinkState =
  | { readonly is: "idle" }
  | { readonly is: "dialing"; readonly id: LinkId; readonly until: Millis }
  | OpenLink
  | { readonly is: "waiting"; readonly until: Millis }
  /** This URL can never be dialed, or not by this runtime. */
  | { readonly is: "failed"; readonly reason: string };

interface OpenLink {
  readonly is: "open";
  readonly id: LinkId;
  readonly since: Millis;
  /** When the last frame arrived. */
  receivedAt: Millis;
  /** When the probe was sent that is not answered yet. */
  probedAt: Millis | undefined;
}

/** The name of a link's state. */
export type LinkPhase = LinkState["is"];

export interface Link {
  /** Begins the ids of its attempts; the relay routes their events by its first segment, the service. */
  readonly prefix: string;
  state: LinkState;
  /** Attempts that failed since the link was last open for `STABLE_MS`. */
  attempt: number;
}

/** After this long open, the next loss starts the backoff from the beginning. */
export const STABLE_MS = 5_000;

/** The task of the link's owner. */
export type LinkDue =
  | "nothing"
  /** The wait is over: `dialLink`. */
  | "redial"
  /** The attempt took longer than `dialTimeoutMs`: `failLink`. */
  | "dialTimeout"
  /** Send something that the peer answers, and call `probeLink`. */
  | "probe"
  /** The probe was not answered: `failLink`. */
  | "silence";

/** A link of that service and name that has not been dialed. */
export const createLink = (service: string, name: string): Link => ({
  prefix: `${service}:${name}`,
  state: { is: "idle" },
  attempt: 0,
});

/** The id of the socket that is dialing or open. */
export const linkIdOf = ({ state }: Link): LinkId | undefined =>
  state.is === "dialing" || state.is === "open" ? state.id : undefined;

/** Starts an attempt, whatever the state. */
export function dialLink(link: Link, options: LinkOptions, ctx: StepContext): void {
  closeSocket(link, ctx);
  const id = linkId(`${link.prefix}:${ctx.id()}`);
  link.state = { is: "dialing", id, until: ctx.now + options.dialTimeoutMs };
  ctx.emit({ do: "dial", link: id, url: options.url, ...(options.headers && { headers: options.headers }) });
}

/** The attempt succeeded. */
export function openLink(link: Link, now: Millis): void {
  if (link.state.is !== "dialing") return;
  link.state = { is: "open", id: link.state.id, since: now, receivedAt: now, probedAt: undefined };
}

/** A frame arrived. */
export function confirmLink({ state }: Link, now: Millis): void {
  if (state.is !== "open") return;
  state.receivedAt = now;
  state.probedAt = undefined;
}

/** A probe was sent. */
export function probeLink({ state }: Link, now: Millis): void {
  if (state.is === "open") state.probedAt = now;
}

/** An attempt that can never succeed: there is no other one. */
export function giveUpLink(link: Link, reason: string): undefined {
  link.state = { is: "failed", reason };
}

/** The socket has closed, or could not be opened: waits, then dials. Returns the length of the wait. */
export function loseLink(link: Link, { backoff }: LinkOptions, ctx: StepContext): Millis {
  if (link.state.is === "open" && ctx.now - link.state.since >= STABLE_MS) link.attempt = 0;
  const retryMs = backoffMs(backoff, link.attempt, ctx.random());
  link.attempt++;
  link.state = { is: "waiting", until: ctx.now + retryMs };
  return retryMs;
}

/** Closes the socket, waits, then dials. Returns the length of the wait. */
export function failLink(link: Link, options: LinkOptions, ctx: StepContext): Millis {
  closeSocket(link, ctx);
  return loseLink(link, options, ctx);
}

/** Closes the socket without another attempt. */
export function closeLink(link: Link, ctx: StepContext): void {
  closeSocket(link, ctx);
  link.state = { is: "idle" };
}

/** Takes the socket out of the link, which is idle then. The caller has to close it. */
export function releaseSocket(link: Link): LinkId | undefined {
  const id = linkIdOf(link);
  link.state = { is: "idle" };
  return id;
}

/** Gives an open link another socket, which has just opened. Returns the old one, which the caller has to close. */
export function replaceSocket(link: Link, id: LinkId, now: Millis): LinkId | undefined {
  const { state } = link;
  if (state.is !== "open") return undefined;
  link.state = { is: "open", id, since: state.since, receivedAt: now, probedAt: undefined };
  return state.id;
}

/** The time of the next deadline. An open link has a deadline only with keepalive. */
export function linkDeadline({ state }: Link, keepalive?: KeepaliveOptions): Millis | undefined {
  switch (state.is) {
    case "idle":
    case "failed":
      return undefined;
    case "dialing":
    case "waiting":
      return state.until;
    case "open":
      if (keepalive === undefined) return undefined;
      return state.probedAt === undefined ? state.receivedAt + keepalive.idleMs : state.probedAt + keepalive.answerMs;
    default:
      return assertNever(state);
  }
}

/** The task that is due now. This function changes nothing: the owner acts on the result. */
export function linkDue(link: Link, now: Millis, keepalive?: KeepaliveOptions): LinkDue {
  const deadline = linkDeadline(link, keepalive);
  if (deadline === undefined || deadline > now) return "nothing";
  const { state } = link;
  switch (state.is) {
    case "idle":
    case "failed":
      return "nothing";
    case "dialing":
      return "dialTimeout";
    case "waiting":
      return "redial";
    case "open":
      return state.probedAt === undefined ? "probe" : "silence";
    default:
      return assertNever(state);
  }
}

function closeSocket(link: Link, ctx: StepContext): void {
  const id = linkIdOf(link);
  if (id !== undefined) ctx.emit({ do: "closeLink", link: id });
}
