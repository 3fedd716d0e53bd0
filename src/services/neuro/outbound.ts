/** Sends messages: to Neuro, and to a game. */
import type { GameMessage, NeuroMessage } from "../../core/neuro-messages.ts";
import type { DiagnosticId } from "../../core/diagnostics/catalogue.ts";
import { linkIdOf } from "../../core/link.ts";
import type { StepContext } from "../../core/context.ts";
import type { LinkId } from "../../core/ids.ts";
import { failed } from "../../core/result.ts";
import { diagnose, diagnoseUnnamed, type Occurrence, reportRefusal } from "./diagnostics/diagnose.ts";
import { handleMessage } from "./standalone/decider.ts";
import { type Game, type NeuroState, peerOf, type Upstream } from "./state.ts";
import type { FaultName } from "../../core/fault.ts";
import { fitsBytes, utf8Length } from "../../core/text.ts";
import { encodeGame } from "./codec/encode-game.ts";
import { transcribe } from "./traces/transcript.ts";
import { encodeText, encodeUpstream, isTextMessage } from "./codec/encode-upstream.ts";

/** The sender of messages that are the relay's own. */
export const RELAY = "relay";

/**
 * Sends a message to Neuro. While she is away it is dropped: the caller keeps messages that must not be lost. `from` is the name of the
 * integration whose message it is.
 *
 * Returns whether any of it was sent.
 *
 * Invariant: TN1 no frame has more bytes than the upstream's `frame_bytes`; a message that does not fit costs only its sender an error.
 */
export function toNeuro(upstream: Upstream, message: GameMessage, from: string, ctx: StepContext): boolean {
  if (!upstream.isOpen) return false;
  if (upstream.decider !== undefined) {
    if (!isTextMessage(message)) transcribe(upstream, message, from, ctx);
    for (const answer of handleMessage(upstream.decider, message, from, ctx)) upstream.inbox.push(answer);
    return true;
  }
  const { settings, profile, sent } = upstream;
  const link = linkIdOf(upstream.link);
  if (settings === undefined || link === undefined) return false;
  sent.begin();
  let isSent = false;
  if (isTextMessage(message)) {
    const frame = encodeText(message, settings.name, profile, sent);
    isSent = sendFrame(upstream, link, { message, from, frame, at: 0 }, ctx);
  } else {
    for (const [at, frame] of encodeUpstream(message, settings.name, profile, sent).entries()) {
      if (sendFrame(upstream, link, { message, from, frame, at }, ctx)) isSent = true;
    }
    if (isSent) transcribe(upstream, message, from, ctx);
  }
  if (sent.shortenedFrom > 0) {
    const occurrence = { detail: sizeText(upstream, sent.shortenedFrom), message };
    reportProblem(upstream.service, from, { id: "text_shortened", ...occurrence }, ctx);
  }
  return isSent;
}

/** One of the frames of a message. */
interface MessageFrame {
  readonly message: GameMessage;
  readonly from: string;
  readonly frame: string;
  readonly at: number;
}

/** Sends a frame, unless it is too large. Returns whether it was sent. */
function sendFrame(upstream: Upstream, link: LinkId, part: MessageFrame, ctx: StepContext): boolean {
  const { profile, sent } = upstream;
  const { message, from, frame, at } = part;
  if (!fitsBytes(frame, profile.frameBytesMax)) {
    withhold(upstream, part, ctx);
    return false;
  }
  ctx.count("upstream", "out", message.command);
  ctx.emit({ do: "send", to: link, frame });
  sent.note(ctx.now, frame, message.command, from, sent.namesIn(message, at));
  return true;
}

/** A frame is too large for the backend although its texts were shortened. */
function withhold(upstream: Upstream, { message, from, frame, at }: MessageFrame, ctx: StepContext): void {
  const names = upstream.sent.namesIn(message, at);
  const what = names.length === 0 ? message.command : `${message.command} of ${names.join(", ")}`;
  const reason = `${what} is not sent: ${sizeText(upstream, utf8Length(frame))}`;
  for (const name of names) {
    const action = upstream.actions.get(name);
    if (action !== undefined) [action.standing, action.isRegistered] = ["rejected", false];
  }
  refuse(upstream, { from, names }, { fault: "tooBig", reason }, ctx);
}

const sizeText = ({ id, profile }: Upstream, bytes: number): string =>
  `the frame has ${bytes} bytes; \`frame_bytes\` of the upstream ${id} allows ${profile.frameBytesMax}`;

/** Tells the senders of a message that it is withheld from Neuro: the owners of the named actions, or else the integration `from`. */
export function refuse(
  { actions, service }: Upstream,
  { from, names }: { readonly from: string; readonly names: readonly string[] },
  { fault, reason }: { readonly fault: FaultName; readonly reason: string },
  ctx: StepContext,
): void {
  const owners = names.flatMap((name) => [...actions.get(name)?.owners.values() ?? []].map(({ game }) => game));
  const games = owners.length > 0 ? owners : gamesNamed(service, from);
  if (games.length === 0) ctx.observe({ is: "input_refused", from, fault, reason });
  for (const game of new Set(games)) {
    reportRefusal(game, "message_withheld", failed(fault, reason), ctx);
    // Why only to integrations: a game may crash at a command that it does not know.
    if (game.listener === "intermediary") {
      toGame(game, { command: "other", name: "neuro-relay/refused", data: { code: fault, error: reason } }, ctx);
    }
  }
}

/** Reports a problem of the integration, or of the watcher, with that name. */
export function reportProblem(
  state: NeuroState,
  from: string,
  { id, ...occurrence }: Occurrence & { readonly id: DiagnosticId },
  ctx: StepContext,
): void {
  const games = gamesNamed(state, from);
  for (const game of games) diagnose(game, id, occurrence, ctx);
  if (games.length === 0) diagnoseUnnamed(state, id, { address: from, ...occurrence }, ctx);
}

const gamesNamed = ({ games }: NeuroState, wanted: string): readonly Game[] =>
  [...games.values()].filter(({ name }) => name === wanted);

/** Sends a message to a game. False when the game is not connected, or the message is too large for any game. */
export function toGame(game: Game, message: NeuroMessage, ctx: StepContext): boolean {
  const peer = peerOf(game);
  if (peer === undefined) return false;
  if (game.listener === "intermediary") {
    if (message.command === "action" && isTooLarge(message.data, game.service.settings.limits.message_bytes)) return false;
    ctx.post("intermediary", { is: "neuroMessage", peer: peer, message });
    return true;
  }
  const frame = encodeGame(message);
  if (frame !== undefined) {
    ctx.count("game", "out", message.command);
    ctx.emit({ do: "send", to: peer, frame });
  }
  return frame !== undefined;
}

/** More than an action needs besides its data. */
const ENVELOPE_LENGTH = 1_024;

/** True if the data, as a text in JSON, does not fit a message. */
const isTooLarge = (data: string | undefined, lengthMax: number): boolean =>
  data !== undefined && data.length * 6 > lengthMax - ENVELOPE_LENGTH &&
  JSON.stringify(data).length > lengthMax - ENVELOPE_LENGTH;
