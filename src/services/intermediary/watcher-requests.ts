/**
 * Watchers: what they ask for, and where it goes.
 *
 * Every request gets one reply, in order, with the `request_id` that it brought.
 */
import type { FaultName } from "../../core/fault.ts";
import { type Frame, type Json, type JsonObject, plain } from "../../core/json.ts";
import type { Key, Millis, PeerId } from "../../core/ids.ts";
import { failed, ok, type Result } from "../../core/result.ts";
import type { Scope } from "../../core/settings.ts";
import type { ServiceMessage } from "../../core/service-message.ts";
import type { StepContext } from "../../core/context.ts";
import { peerList } from "./presence.ts";
import { registeredActions, send } from "./integration.ts";
import { attach } from "./registry.ts";
import type { State, Watcher } from "./state.ts";
import { errorText, jsonOf, readRequest, replyText, type RequestId, requestIdOf, type WatcherRequest } from "./wire.ts";

/** What becomes of a request: a reply, which may have to wait until something is stored, or for another room. */
type RequestResult = Result<{ readonly reply: JsonObject; readonly after?: Key } | "later">;

/** What becomes of a command. */
type CommandResult = Result<{ readonly reply: JsonObject; readonly after?: Key }>;

/** A frame of a watcher. */
export function receiveRequest(state: State, { from, frame }: { from: Watcher; frame: Frame }, ctx: StepContext): void {
  from.messages++;
  const message = jsonOf(frame, state.settings.limits.json_depth);
  if (message === undefined) {
    ctx.count("watcher", "in", "unreadable");
    return replyWithError(from.peer, { code: "badMessage", error: "watcher messages must be JSON" }, ctx);
  }
  const requestId = requestIdOf(message);
  const asked = readRequest(message);
  ctx.count("watcher", "in", asked.is);
  const needs = scopeFor(asked);
  if (needs !== undefined && !from.scopes.has(needs)) {
    return replyWithError(from.peer, { code: "notAllowed", error: "not allowed", more: { needs }, requestId }, ctx);
  }
  const outcome = execute(state, { from, asked, requestId }, ctx);
  recordAct(state, { from, asked, outcome }, ctx);
  if (!outcome.ok) return replyWithError(from.peer, { code: outcome.fault, error: outcome.reason, requestId }, ctx);
  if (outcome.value === "later") return;
  const { reply, after } = outcome.value;
  ctx.emit({
    do: "reply",
    to: from.peer,
    frame: replyText(reply, requestId),
    ...(after !== undefined && { after, onFailure: unavailable(requestId) }),
  });
}

function scopeFor({ is }: WatcherRequest): Scope | undefined {
  if (is === "direct") return "direct";
  return is === "command" || is === "choice" ? "command" : undefined;
}

/** Programs command all day long: each is on record once a minute for each of its kinds of command. */
const RECORD_MS: Millis = 60_000;
const RECORDED_MAX = 1_000;

interface CompletedRequest {
  readonly from: Watcher;
  readonly asked: WatcherRequest;
  readonly outcome: RequestResult;
}

/** What a watcher did, as far as it changes something. */
function recordAct(state: State, { from: { name: by }, asked, outcome }: CompletedRequest, ctx: StepContext): void {
  if (asked.is !== "command" && asked.is !== "direct" && asked.is !== "choice") return;
  const to = asked.is === "command" ? asked.target : asked.is === "choice" ? asked.name : "neuro";
  const result = outcome.ok ? "done" : outcome.fault;
  const { recordedActs } = state;
  const act = `${asked.is}\n${result}\n${by}\n${to}`;
  if ((recordedActs.get(act) ?? -Infinity) + RECORD_MS > ctx.now) return;
  if (recordedActs.size >= RECORDED_MAX) recordedActs.clear();
  recordedActs.set(act, ctx.now);
  ctx.observe({ is: "operator_acted", by, did: asked.is, to, outcome: result });
}

interface ReceivedRequest {
  readonly from: Watcher;
  readonly asked: WatcherRequest;
  readonly requestId: RequestId;
}

function execute(state: State, { from, asked, requestId }: ReceivedRequest, ctx: StepContext): RequestResult {
  switch (asked.is) {
    case "command":
      return command(state, { from: from.name, target: asked.target, cmd: asked.cmd }, ctx);
    case "direct":
      return direct(state, { from, payload: asked.payload, requestId }, ctx);
    case "choice":
      ctx.post("neuro", { is: "actionChosen", from: from.name, name: asked.name, data: asked.data });
      return ok({ reply: { status: "chosen" } });
    case "peers":
      return ok({ reply: { peers: plain(peerList(state)) } });
    case "actions":
      return ok({ reply: { actions: registeredActions(state) } });
    case "subscribe": {
      const events = state.subscriptions.subscribe(from.peer, asked, ctx);
      attach(from, { kind: "neuro-os", ...(asked.events && { events }), ...(asked.rate && { rate: asked.rate }) }, ctx);
      const snapshot = asked.snapshot &&
        { peers: plain(peerList(state)), upstream: state.upstream, after: state.subscriptions.cursor };
      return ok({ reply: { status: "subscribed", events, ...(snapshot && { snapshot }) } });
    }
    case "unknown":
      return failed("notFound", "invalid target/cmd");
  }
}

/** A command for an integration, or (`*`) for all that are connected. */
export function command(state: State, order: { from: string; target: string; cmd: Json }, ctx: StepContext): CommandResult {
  const { from, target, cmd } = order;
  const body = JSON.stringify({ from_watcher: from, cmd });
  if (target === "*") return commandAll(state, body, ctx);
  const integration = state.integrations.get(target);
  if (integration === undefined && !state.directory.has(target, ctx.now) && state.queue.recipients.depth(target) === 0) {
    return failed("notFound", "invalid target/cmd");
  }
  if (integration?.hasQueue === false) {
    send(integration, body, ctx);
    return ok({ reply: { status: "sent" } });
  }
  const sending = state.queue.send(target, { kind: "command", body }, ctx);
  if (!sending.ok) return sending;
  return sending.value.is === "sent"
    ? ok({ reply: { status: "sent" } })
    : ok({ reply: { status: "queued" }, after: sending.value.key });
}

function commandAll(state: State, body: string, ctx: StepContext): CommandResult {
  let count = 0;
  for (const integration of state.integrations.values()) {
    if (!integration.hasQueue) send(integration, body, ctx);
    if (!integration.hasQueue || state.queue.send(integration.name, { kind: "command", body }, ctx).ok) count++;
  }
  return ok({ reply: { status: "sent", count } });
}

interface DirectMessage {
  readonly from: Watcher;
  readonly payload: Json | undefined;
  readonly requestId: RequestId;
}

/** Anything for Neuro herself. Where the relay plays her, it hears it; while she is away, her room says whether it is kept. */
function direct(state: State, { from, payload, requestId }: DirectMessage, ctx: StepContext): RequestResult {
  if (payload === undefined || payload === null) return failed("badMessage", "invalid payload");
  const { configured, open } = state.upstream;
  if (!configured && !state.settings["nakurity-backend"].enabled) return failed("notFound", "neuro backend not available");
  const said = { is: "directMessage" as const, from: from.name, payload };
  if (open || !configured) {
    ctx.post("neuro", said);
    return ok({ reply: { status: "forwarded_to_neuro" } });
  }
  const id = ctx.id();
  state.pendingDirectMessages.set(id, { peer: from.peer, requestId });
  ctx.post("neuro", { ...said, id });
  return ok("later");
}

/** Neuro's room says what became of something for her: what waits for her was promised only once it is stored. */
export function directSettled(
  state: State,
  { id, key, isFull }: ServiceMessage & { readonly is: "directSettled" },
  ctx: StepContext,
): void {
  const direct = state.pendingDirectMessages.get(id);
  if (direct === undefined) return;
  state.pendingDirectMessages.delete(id);
  const { peer, requestId } = direct;
  if (isFull) return replyWithError(peer, { code: "queueFull", error: "queue full", requestId }, ctx);
  const frame = replyText({ status: key === undefined ? "forwarded_to_neuro" : "queued" }, requestId);
  const waiting = key === undefined ? {} : { after: key, onFailure: unavailable(requestId) };
  ctx.emit({ do: "reply", to: peer, frame, ...waiting });
}

/** Neuro's room failed: what it was given last is nowhere. */
export function failDirectMessages(state: State, ctx: StepContext): void {
  for (const { peer, requestId } of state.pendingDirectMessages.values()) {
    ctx.emit({ do: "reply", to: peer, frame: unavailable(requestId) });
  }
  state.pendingDirectMessages.clear();
}

interface ErrorReply {
  readonly code: FaultName;
  readonly error: string;
  readonly more?: JsonObject;
  readonly requestId?: RequestId;
}

function replyWithError(to: PeerId, { code, error, more = {}, requestId }: ErrorReply, ctx: StepContext): void {
  const fields = requestId === undefined ? more : { ...more, request_id: requestId };
  ctx.emit({ do: "reply", to, frame: errorText(error, code, fields) });
}

const unavailable = (requestId: RequestId): string =>
  errorText("queue unavailable", "storageFailed", requestId === undefined ? {} : { request_id: requestId });
