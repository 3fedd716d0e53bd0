/**
 * The relay as one game of a Neuro: the connection to her, and the messages that are sent each time it opens.
 *
 * After each opening: `startup` once, one register of all visible actions, the open force again, then queued contexts. Games do not
 * notice that a connection was lost.
 * Knows nothing of: sockets, the format of frames.
 */
import { assertNever } from "../../../core/assert.ts";
import type { NeuroMessage } from "../../../core/neuro-messages.ts";

import { DeadlineQueue } from "../../../core/deadlines.ts";
import type { Frame } from "../../../core/json.ts";
import {
  closeLink,
  createLink,
  dialLink,
  failLink,
  giveUpLink,
  linkDue,
  type LinkOptions,
  loseLink,
  openLink,
} from "../../../core/link.ts";
import { RecordRing } from "../../../core/traces/record-ring.ts";
import { RetainedBytes } from "../../../core/retained-bytes.ts";
import type { StepContext } from "../../../core/context.ts";
import type { UpstreamSettings } from "../../../core/settings.ts";
import { lenientText } from "../../../core/text.ts";
import { createDecider } from "../standalone/decider-state.ts";
import { deciderHost } from "./decider-host.ts";
import { PROFILES } from "./profiles.ts";
import { RELAY, toNeuro } from "../outbound.ts";
import type { NeuroState, Upstream } from "../state.ts";
import { decodeUpstream } from "../codec/decode-upstream.ts";
import { forgetRegistered, registerAll } from "../actions/actions.ts";
import { newContexts } from "./contexts.ts";
import { announceChain, isChainedToItself, readChain, viaOf } from "./relay-chain.ts";
import { blameFrames, type LinkClose, tryNextGroup } from "./rejected-frames.ts";
import { SentFrames } from "./sent-frames.ts";
import { forwardSpeechFinished, requestShutdown, sessionStarted } from "./broadcast.ts";
import { dispatchAction } from "../pending/dispatch-action.ts";
import { forgetUpstreamIds } from "../pending/pending-actions.ts";
import { TransientMap } from "../transient-map.ts";

/** A request for all actions this soon after they were registered crossed the registration on its way, and is ignored. */
const RESYNC_ECHO_MS = 2_000;
/** Id of the built-in Neuro. */
const OWN_UPSTREAM = "relay";

/** An upstream that has not been dialled; without settings, the built-in Neuro. */
export function newUpstream(state: NeuroState, settings: UpstreamSettings | undefined, now: number): Upstream {
  const id = settings?.id ?? OWN_UPSTREAM;
  return {
    service: state,
    id,
    settings,
    profile: profileOf(settings),
    link: createLink("neuro", id),
    decider: settings === undefined ? createDecider(state.settings["nakurity-backend"], deciderHost(state)) : undefined,
    isOpen: false,
    since: now,
    linkNumber: 0,
    hasBackpressure: false,
    relaysAhead: [],
    sent: new SentFrames(),
    trial: undefined,
    session: undefined,
    registeredAllAt: 0,
    actions: new Map(),
    prefixed: new Map(),
    reserved: new Set(),
    unsynced: new Set(),
    forces: { current: undefined, answerBy: 0, waiting: new Map(), retiredNames: new Map() },
    pendingActions: {
      byUpstreamId: new TransientMap(),
      others: new Set(),
      retained: new RetainedBytes(state.retained, "peer_bytes"),
      deadlines: new DeadlineQueue(),
    },
    contexts: newContexts(settings, now),
    shutdown: { asked: new Set(), awaited: new Set(), isRequested: false },
    transcript: new RecordRing(state.transcripts),
    inbox: [],
  };
}

/** The profile of the backend, with the deadline and the frame size from the settings. */
export function profileOf(settings: UpstreamSettings | undefined): Upstream["profile"] {
  const profile = PROFILES[settings?.profile ?? "neuro"];
  if (settings === undefined) return profile;
  const { action_deadline: deadline, frame_bytes: frameBytesMax } = settings;
  const deadlineMs = deadline === undefined ? profile.deadlineMs : deadline - Math.ceil(deadline / 10);
  return { ...profile, deadlineMs, frameBytesMax, registerBytesMax: Math.min(profile.registerBytesMax, frameBytesMax) };
}

/** Starts dialling; the built-in Neuro is open at once. */
export function start(upstream: Upstream, ctx: StepContext): void {
  if (upstream.settings === undefined) return open(upstream, ctx);
  ctx.observe({ is: "upstream_dialing", upstream: upstream.id, attempt: upstream.link.attempt });
  dialLink(upstream.link, linkOptionsOf(upstream), ctx);
}

/** The link is open. */
export function linkOpened(upstream: Upstream, ctx: StepContext): void {
  openLink(upstream.link, ctx.now);
  const url = (upstream.settings?.url ?? "").replace(/[?#].*$/s, "");
  ctx.observe({ is: "upstream_connected", upstream: upstream.id, url });
  open(upstream, ctx);
}

/** The link was lost, or could not be opened. */
export function linkClosed(
  upstream: Upstream,
  { code, reason: given, isFinal = false }: LinkClose & { readonly isFinal?: boolean },
  ctx: StepContext,
): void {
  const wasOpen = upstream.isOpen;
  const reason = given === "" ? `closed with ${code}` : given;
  close(upstream, ctx);
  if (wasOpen) blameFrames(upstream, { code, reason: given }, ctx);
  const retryMs = isFinal ? giveUpLink(upstream.link, reason) : loseLink(upstream.link, linkOptionsOf(upstream), ctx);
  ctx.observe({ is: "upstream_lost", upstream: upstream.id, reason, retry_ms: retryMs });
}

/** The link's deadline has come. */
export function linkTick(upstream: Upstream, ctx: StepContext): void {
  const due = linkDue(upstream.link, ctx.now);
  switch (due) {
    case "nothing":
      return;
    case "redial":
      return start(upstream, ctx);
    case "dialTimeout": {
      close(upstream, ctx);
      const retryMs = failLink(upstream.link, linkOptionsOf(upstream), ctx);
      return ctx.observe({ is: "upstream_lost", upstream: upstream.id, reason: "no answer", retry_ms: retryMs });
    }
    case "probe":
    case "silence":
      return; // Why: the runtime's WebSocket client finds a silent backend.
    default:
      return assertNever(due);
  }
}

/** Closes the link and dials again, because the address has changed. */
export function redial(upstream: Upstream, ctx: StepContext): void {
  close(upstream, ctx);
  start(upstream, ctx);
}

/** Closes the link permanently. */
export function stop(upstream: Upstream, ctx: StepContext): void {
  upstream.decider?.memory.clear();
  close(upstream, ctx);
  closeLink(upstream.link, ctx);
}

/** A frame from Neuro. */
export function receiveFrame(upstream: Upstream, frame: Frame, ctx: StepContext): void {
  const { limits } = upstream.service.settings;
  if (frame.length > limits.message_bytes) {
    const reason = `a message of ${frame.length} bytes; \`limits.message_bytes\` allows ${limits.message_bytes}`;
    return ctx.observe({ is: "upstream_unreadable", upstream: upstream.id, reason });
  }
  const message = decodeUpstream(frame, limits);
  if ("fault" in message) {
    ctx.count("upstream", "in", "unreadable");
    return ctx.observe({ is: "upstream_unreadable", upstream: upstream.id, reason: message.reason });
  }
  ctx.count("upstream", "in", message.command);
  if (message.command !== "action") ctx.observe({ is: "backend_message", payload: lenientText(frame) });
  receiveMessage(upstream, message, ctx);
}

/** A message from Neuro. */
export function receiveMessage(upstream: Upstream, message: NeuroMessage, ctx: StepContext): void {
  switch (message.command) {
    case "action":
      return dispatchAction(upstream, message, ctx);
    case "startup":
      return sessionStarted(upstream, message.session, ctx);
    case "actions/reregister_all":
      if (ctx.now - upstream.registeredAllAt >= RESYNC_ECHO_MS) registerAll(upstream, ctx);
      return;
    case "speech_finished":
      return forwardSpeechFinished(upstream, message, ctx);
    case "shutdown/graceful":
      return requestShutdown(upstream, message.wanted ? "graceful" : "cancelled", ctx);
    case "shutdown/immediate":
      return requestShutdown(upstream, "immediate", ctx);
    case "other": // Why nothing else: watchers have seen it, and no game knows it.
      return receiveChain(upstream, message, ctx);
    default:
      return assertNever(message);
  }
}

/** The upstream is a relay, and tells which relays are ahead of this one. */
function receiveChain(upstream: Upstream, message: NeuroMessage & { readonly command: "other" }, ctx: StepContext): void {
  const ahead = readChain(message);
  if (ahead === undefined) return;
  upstream.relaysAhead = ahead;
  if (!isChainedToItself(upstream)) return announceChain(upstream.service, ctx);
  // Why again with backoff: the next dial tells which relays are behind this one, so the relay that it reaches refuses it.
  close(upstream, ctx);
  const retryMs = failLink(upstream.link, linkOptionsOf(upstream), ctx);
  ctx.observe({ is: "upstream_lost", upstream: upstream.id, reason: "relays chained in a loop", retry_ms: retryMs });
}

/** Tells the Intermediary whether Neuro is reachable. */
export function announceUpstreams(state: NeuroState, ctx: StepContext): void {
  const upstreams = [...state.upstreams.values()];
  const configured = upstreams.some(({ settings }) => settings !== undefined);
  const open = upstreams.some(({ isOpen }) => isOpen);
  ctx.post("intermediary", { is: "upstreamChanged", configured, open });
}

function open(upstream: Upstream, ctx: StepContext): void {
  const { settings, profile, service: state } = upstream;
  upstream.isOpen = true;
  upstream.since = ctx.now;
  upstream.linkNumber++;
  toNeuro(upstream, { command: "startup" }, RELAY, ctx);
  registerAll(upstream, ctx);
  if (!profile.acksStartup && settings?.character !== undefined) {
    const characterId = settings.character;
    sessionStarted(upstream, { sessionId: ctx.secret(), characterId, displayName: displayNameOf(characterId) }, ctx);
  }
  tryNextGroup(upstream, ctx);
  announceUpstreams(state, ctx);
}

function close(upstream: Upstream, ctx: StepContext): void {
  const wasOpen = upstream.isOpen;
  upstream.isOpen = false;
  upstream.hasBackpressure = false;
  upstream.since = wasOpen ? ctx.now : upstream.since;
  forgetUpstreamIds(upstream.pendingActions);
  forgetRegistered(upstream);
  upstream.shutdown.awaited.clear();
  upstream.shutdown.isRequested = false;
  if (upstream.relaysAhead.length > 0) {
    upstream.relaysAhead = [];
    announceChain(upstream.service, ctx);
  }
  if (wasOpen) announceUpstreams(upstream.service, ctx);
}

function linkOptionsOf({ settings, service: state }: Upstream): LinkOptions {
  return {
    url: settings?.url ?? "",
    backoff: { baseMs: settings?.backoff.base ?? 0, capMs: settings?.backoff.cap ?? 0 },
    dialTimeoutMs: settings?.dial_timeout ?? 0,
    headers: { "Neuro-Relay-Via": viaOf(state) },
  };
}

const displayNameOf = (character: string): string =>
  character === "neuro" ? "Neuro-sama" : character === "evil" ? "Evil Neuro" : character;
