/**
 * Frames because of which a backend closes the connection (1007: content; 1009: size).
 *
 * The backend does not name the frame. With 1009 it is the largest of the last ones. A registration of several actions is sent in smaller
 * frames from then on, until a frame with one action is left. With 1007 the actions of the last registrations are tried in groups after the
 * next connect; a group that is rejected again is halved. What is found is withheld and its integration is told, so that no item of one
 * integration closes the connection of all others again.
 *
 * Invariants: RF1 an action that was rejected is not sent again until its definition changes; RF2 each rejection removes an item or halves
 * a group, so reconnecting ends; RF3 nothing but actions is sent while groups are tried, except results.
 */
import type { Millis } from "../../../core/ids.ts";
import type { StepContext } from "../../../core/context.ts";
import { sync } from "../actions/actions.ts";
import { onLinkOpened, refuseCurrentForce } from "../forces/forces.ts";
import { refuse } from "../outbound.ts";
import type { Timer, Upstream, UpstreamAction } from "../state.ts";
import { flushContexts } from "./contexts.ts";
import type { SentFrame } from "./sent-frames.ts";

/** Frames of this time before the close may be its cause. */
const SUSPECT_MS: Millis = 2_000;
/** A group of actions is accepted if the connection is open this long after it was sent. */
const TRIAL_MS: Millis = 1_000;
/** Senders that are told that their message may have been the cause. */
const TOLD_MAX = 8;

export interface LinkClose {
  readonly code: number;
  readonly reason: string;
}

const CONTENT = 1007;
const SIZE = 1009;
const trialTimer = ({ id }: Upstream): Timer => ({ is: "trial", upstream: id });

/** The backend has closed the connection. Call this once the upstream is closed. */
export function blameFrames(upstream: Upstream, close: LinkClose, ctx: StepContext): void {
  const suspects = upstream.sent.since(ctx.now - SUSPECT_MS);
  upstream.sent.clear();
  upstream.service.timers.clear(trialTimer(upstream));
  if (close.code === SIZE) blameLargest(upstream, suspects, close, ctx);
  else if (close.code === CONTENT) blameContent(upstream, suspects, close, ctx);
  // Why here: on the next connection the group that was being tried is tried again.
  for (const action of upstream.trial?.groups[0] ?? []) if (action.standing === "tried") action.standing = "suspected";
}

function blameLargest(upstream: Upstream, suspects: readonly SentFrame[], close: LinkClose, ctx: StepContext): void {
  let largest: SentFrame | undefined;
  for (const frame of suspects) if (largest === undefined || frame.length >= largest.length) largest = frame;
  if (largest === undefined) return;
  if (largest.names.length <= 1) return reject(upstream, largest, close, ctx);
  const registerBytesMax = Math.floor(Math.min(largest.length, upstream.profile.registerBytesMax) / 2);
  upstream.profile = { ...upstream.profile, registerBytesMax };
}

function blameContent(upstream: Upstream, suspects: readonly SentFrame[], close: LinkClose, ctx: StepContext): void {
  const last = suspects.at(-1);
  const tried = upstream.trial?.groups[0]?.filter(({ standing }) => standing === "tried") ?? [];
  const actions = tried.length > 0 ? tried : actionsOf(upstream, suspects);
  const others = suspects.filter(({ command }) => command !== "actions/register" && command !== "startup");
  if (tried.length > 0) upstream.trial?.groups.shift();
  if (last !== undefined && actions.length === 0) return reject(upstream, last, close, ctx);
  if (actions.length === 1 && others.length === 0 && last !== undefined) {
    const frame = suspects.findLast(({ names }) => names.length > 0) ?? last;
    return reject(upstream, { ...frame, names: actions.map(({ name }) => name) }, close, ctx);
  }
  const half = Math.ceil(actions.length / 2);
  const groups = [actions.slice(0, half), actions.slice(half)].filter(({ length }) => length > 0);
  for (const action of actions) action.standing = "suspected";
  const known = upstream.trial;
  upstream.trial = {
    close,
    groups: [...groups, ...known?.groups ?? []],
    others: known?.others ?? others.slice(-TOLD_MAX),
    isFound: known?.isFound ?? false,
  };
}

/** The actions of these registrations that are still registered by somebody. */
function actionsOf(upstream: Upstream, frames: readonly SentFrame[]): readonly UpstreamAction[] {
  const names = new Set(frames.flatMap((frame) => frame.names));
  return [...names].flatMap((name) => upstream.actions.get(name) ?? []).filter(({ standing }) =>
    standing === "accepted" || standing === "tried"
  );
}

/** The connection is open and everything that is not suspected is registered: tries the suspected actions, then continues. */
export function tryNextGroup(upstream: Upstream, ctx: StepContext): void {
  const { trial } = upstream;
  while (trial !== undefined && trial.groups.length > 0) {
    const group = trial.groups[0]?.filter(({ standing, owners }) => standing === "suspected" && owners.size > 0) ?? [];
    if (group.length > 0) {
      for (const action of group) {
        action.standing = "tried";
        upstream.unsynced.add(action);
      }
      sync(upstream, ctx);
      return upstream.service.timers.set(trialTimer(upstream), ctx.now + TRIAL_MS);
    }
    trial.groups.shift();
  }
  upstream.trial = undefined;
  if (trial !== undefined && !trial.isFound) {
    for (const frame of trial.others) report(upstream, frame, trial.close, "shortly after", ctx);
  }
  onLinkOpened(upstream, ctx);
  flushContexts(upstream, ctx);
}

/** The connection is still open after a group was sent. */
export function onTrialTimer(upstream: Upstream, ctx: StepContext): void {
  if (!upstream.isOpen || upstream.trial === undefined) return;
  upstream.sent.clear(); // Why: the backend has taken these frames.
  for (const action of upstream.trial.groups.shift() ?? []) if (action.standing === "tried") action.standing = "accepted";
  tryNextGroup(upstream, ctx);
}

/** A frame is the cause: what it carried is not sent again. */
function reject(upstream: Upstream, frame: SentFrame, close: LinkClose, ctx: StepContext): void {
  if (upstream.trial !== undefined) upstream.trial.isFound = true;
  if (frame.command === "actions/force") refuseCurrentForce(upstream, ctx);
  for (const name of frame.names) {
    const action = upstream.actions.get(name);
    if (action !== undefined) action.standing = "rejected";
  }
  report(upstream, frame, close, "because of", ctx);
}

const WHAT: Readonly<Record<SentFrame["command"], string>> = {
  "startup": "the start of the session",
  "context": "a context",
  "actions/register": "the registration of",
  "actions/unregister": "an unregistration",
  "actions/force": "a force",
  "action/result": "a result",
  "shutdown/ready": "the reply to a shutdown",
  "other": "a message",
};

function report(
  upstream: Upstream,
  frame: SentFrame,
  { code, reason }: LinkClose,
  why: "because of" | "shortly after",
  ctx: StepContext,
): void {
  const what = `${WHAT[frame.command]}${frame.names.length === 0 ? "" : ` ${frame.names.join(", ")}`}`;
  const closed = `upstream ${upstream.id} closed the connection (${code}${
    reason === "" ? "" : `: ${reason}`
  }) ${why} ${what}`;
  const hint = code === SIZE ? `; \`frame_bytes\` of the upstream allows ${upstream.profile.frameBytesMax} bytes` : "";
  const text = `${closed} with ${frame.length} characters; it is not sent again${hint}`;
  refuse(upstream, frame, { fault: code === SIZE ? "tooBig" : "badMessage", reason: text }, ctx);
}
