/** What a person says to either side: a context for Neuro, or any message, as it is. */
import { isObject, isShallow, type Json } from "../../../core/json.ts";
import { failed, ok, type Result } from "../../../core/result.ts";
import { NALLELY_PEER, type RequestId } from "../../../core/ids.ts";
import type { StepContext } from "../../../core/context.ts";
import { toNeuro } from "../outbound.ts";
import type { Game, NeuroState, Upstream } from "../state.ts";
import { sendContextDurably, watcherSource } from "../upstream/contexts.ts";
import { decodeGame } from "../codec/decode-game.ts";

export interface OperatorContext {
  readonly requestId: RequestId;
  readonly by: string;
  readonly message: string;
  readonly silent: boolean;
}

/** Puts a context before Neuro. While she cannot be told it waits, and the call is answered once it is stored. */
export function sendOperatorContext(
  upstream: Upstream,
  { requestId, by, message, silent }: OperatorContext,
  ctx: StepContext,
): Result<Json | undefined> {
  if (message.trim() === "") return failed("badMessage", "a context says something");
  if (message.length > upstream.service.settings.limits.message_bytes) return failed("tooBig", "this is too long");
  const at = sendContextDurably(upstream, { source: watcherSource(by), message, silent }, ctx);
  if (at === false) return failed("queueFull", "too much of yours waits for Neuro already");
  if (at === undefined) return ok({ status: "sent" });
  ctx.emit({ do: "respond", requestId, body: { status: "queued" }, after: at });
  return ok(undefined);
}

/** Sends a message to an integration, word for word. */
export function injectToGame({ peer, name }: Game, message: Json, ctx: StepContext): Result<Json> {
  if (peer === undefined) return failed("notNow", `${name} is not connected`);
  if (peer === NALLELY_PEER) return failed("notNow", `${name} is the relay itself`);
  const frame = JSON.stringify(message);
  if (!isObject(message)) return failed("badMessage", "a message is an object");
  ctx.emit({ do: "send", to: peer, frame });
  return ok({ status: "sent" });
}

/** Sends a message to Neuro, word for word; where the relay plays her, she hears it. */
export function injectToNeuro(upstream: Upstream, message: Json, ctx: StepContext): Result<Json> {
  const { service: state, link, isOpen, decider, id } = upstream;
  if (!isOpen) return failed("notNow", `upstream ${id} is not connected`);
  const { json_depth, message_bytes } = state.settings.limits;
  const frame = JSON.stringify(message);
  if (!isObject(message) || !isShallow(frame, json_depth)) return failed("badMessage", "a message is an object");
  if (frame.length > message_bytes) return failed("tooBig", "this message is too big");
  if (decider === undefined) {
    if (link.id !== undefined) ctx.emit({ do: "send", to: link.id, frame });
    return ok({ status: "sent" });
  }
  const decoded = decodeGame(frame, state.settings.limits);
  if (!decoded.ok) return failed("badMessage", decoded.reason);
  toNeuro(upstream, decoded.value.message, ctx);
  return ok({ status: "sent" });
}

/** The upstream of that id, or the first. */
export function upstreamAt(state: NeuroState, id: string | undefined): Result<Upstream> {
  const [first] = state.upstreams.values();
  const upstream = id === undefined ? first : state.upstreams.get(id);
  return upstream === undefined ? failed("notFound", `no upstream is called ${(id ?? "").slice(0, 64)}`) : ok(upstream);
}
