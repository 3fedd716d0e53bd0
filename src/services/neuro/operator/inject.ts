/** Messages that a person sends: a context for Neuro, or a raw message to either side. */
import { isObject, isShallow, type Json } from "../../../core/json.ts";
import { linkIdOf } from "../../../core/link.ts";
import { failed, ok, type Result } from "../../../core/result.ts";
import { NALLELY_PEER, RELAY_PEER, type RequestId } from "../../../core/ids.ts";
import { GAME_FRAME_BYTES_MAX } from "../../../core/limits.ts";
import type { StepContext } from "../../../core/context.ts";
import { RELAY, toNeuro } from "../outbound.ts";
import { transcribeFrame } from "../traces/transcript.ts";
import { type Game, type NeuroState, peerOf, type Upstream } from "../state.ts";
import { sendContextDurably, watcherSource } from "../upstream/contexts.ts";
import { fitsBytes, utf8Length } from "../../../core/text.ts";
import { decodeContext, decodeGame } from "../../../neuro-api/decode-game.ts";

/** The sender of raw messages. */
const OPERATOR = "an operator";

export interface OperatorContext {
  readonly requestId: RequestId;
  readonly by: string;
  readonly request: { readonly message: Json; readonly silent?: Json };
}

/** Sends Neuro a context, read like one of a game. If it has to wait, the request is answered once it is stored. */
export function sendOperatorContext(
  upstream: Upstream,
  { requestId, by, request }: OperatorContext,
  ctx: StepContext,
): Result<Json | undefined> {
  const decoded = decodeContext(request);
  if (!decoded.ok) return decoded;
  const { message: { message, silent }, repairs } = decoded.value;
  if (message.trim() === "") return failed("badMessage", "a context must not be empty");
  for (const { what, hint } of repairs) ctx.observe({ is: "input_repaired", from: by, what, hint });
  const { message_bytes } = upstream.service.settings.limits;
  if (message.length > message_bytes) return failed("tooBig", tooLong("context", message.length, message_bytes));
  const sent = sendContextDurably(upstream, watcherSource(upstream.service, by), { message, silent }, ctx);
  if (!sent.ok) return sent;
  if (sent.value === undefined) return ok({ status: "sent" });
  ctx.emit({ do: "respond", requestId, body: { status: "queued" }, after: sent.value });
  return ok(undefined);
}

const tooLong = (what: string, length: number, limit: number): string =>
  `the ${what} has ${length} characters; \`limits.message_bytes\` allows ${limit}`;

const tooLarge = (frame: string, bytesMax: number, limit: string): string =>
  `the message has ${utf8Length(frame)} bytes; ${limit} allows ${bytesMax}`;

/** Sends a message to an integration, verbatim. */
export function injectToGame(game: Game, message: Json, ctx: StepContext): Result<Json> {
  const { name } = game;
  const peer = peerOf(game);
  if (peer === undefined) return failed("notNow", `${name} is not connected`);
  if (peer === NALLELY_PEER || peer === RELAY_PEER) {
    return failed("notNow", `${name} is a part of the relay and has no connection`);
  }
  const frame = JSON.stringify(message);
  if (!isObject(message)) return failed("badMessage", "a message must be a JSON object");
  const { message_bytes } = game.service.settings.limits;
  const [bytesMax, limit] = game.listener === "neuro"
    ? [GAME_FRAME_BYTES_MAX, "the smallest buffer of a game's SDK"] as const
    : [message_bytes, "`limits.message_bytes`"] as const;
  if (!fitsBytes(frame, bytesMax)) return failed("tooBig", tooLarge(frame, bytesMax, limit));
  ctx.emit({ do: "send", to: peer, frame });
  return ok({ status: "sent" });
}

/** Sends a message to Neuro, verbatim; the built-in Neuro gets it decoded. */
export function injectToNeuro(upstream: Upstream, message: Json, ctx: StepContext): Result<Json> {
  const { service: state, link, isOpen, decider, id } = upstream;
  if (!isOpen) return failed("notNow", `upstream ${id} is not connected`);
  const { json_depth, message_bytes } = state.settings.limits;
  const frame = JSON.stringify(message);
  if (!isObject(message) || !isShallow(frame, json_depth)) return failed("badMessage", "a message must be a JSON object");
  if (decider === undefined) {
    const { profile: { frameBytesMax }, sent } = upstream;
    if (!fitsBytes(frame, frameBytesMax)) {
      return failed("tooBig", tooLarge(frame, frameBytesMax, `\`frame_bytes\` of the upstream ${id}`));
    }
    const to = linkIdOf(link);
    if (to === undefined) return failed("notNow", `upstream ${id} is not connected`);
    ctx.emit({ do: "send", to, frame });
    transcribeFrame(upstream, frame, OPERATOR, ctx);
    sent.note(ctx.now, frame, "other", OPERATOR);
    return ok({ status: "sent" });
  }
  if (frame.length > message_bytes) return failed("tooBig", tooLong("message", frame.length, message_bytes));
  const decoded = decodeGame(frame, state.settings.limits);
  if (!decoded.ok) return failed("badMessage", decoded.reason);
  transcribeFrame(upstream, frame, OPERATOR, ctx);
  toNeuro(upstream, decoded.message, RELAY, ctx);
  return ok({ status: "sent" });
}

/** The upstream with this id; without an id, the first. */
export function upstreamAt(state: NeuroState, id: string | undefined): Result<Upstream> {
  const [first] = state.upstreams.values();
  const upstream = id === undefined ? first : state.upstreams.get(id);
  return upstream === undefined ? failed("notFound", `no upstream has the id ${(id ?? "").slice(0, 64)}`) : ok(upstream);
}
