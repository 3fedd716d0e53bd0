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
import { post, registeredActions } from "./integration.ts";
import { attach } from "./registry.ts";
import type { State, Watcher } from "./state.ts";
import { errorText, jsonOf, readRequest, replyText, type RequestId, requestIdOf, type WatcherRequest } from "./wire.ts";

/** What becomes of a request: a reply, which may have to wait until something is stored, or for another room. */
type Outcome = Result<{ readonly reply: JsonObject; readonly after?: Key } | "later">;

/** What becomes of a command. */
type Commanded = Result<{ readonly reply: JsonObject; readonly after?: Key }>;

/** A frame of a watcher. */
export function request(state: State, { from, frame }: { from: Watcher; frame: Frame }, ctx: StepContext): void {
  from.messages++;
  const message = jsonOf(frame, state.settings.limits.json_depth);
  if (message === undefined) {
    ctx.count("watcher", "in", "unreadable");
    return complain(from.peer, { code: "badMessage", error: "watcher messages must be JSON" }, ctx);
  }
  const requestId = requestIdOf(message);
  const asked = readRequest(message);
  ctx.count("watcher", "in", asked.is);
  const needs = scopeFor(asked);
  if (needs !== undefined && !from.scopes.has(needs)) {
    return complain(from.peer, { code: "notAllowed", error: "not allowed", more: { needs }, requestId }, ctx);
  }
  const outcome = carryOut(state, { from, asked, requestId }, ctx);
  record(state, { from, asked, outcome }, ctx);
  if (!outcome.ok) return complain(from.peer, { code: outcome.fault, error: outcome.reason, requestId }, ctx);
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

interface Done {
  readonly from: Watcher;
  readonly asked: WatcherRequest;
  readonly outcome: Outcome;
}

/** What a watcher did, as far as it changes something. */
function record(state: State, { from: { name: by }, asked, outcome }: Done, ctx: StepContext): void {
  if (asked.is !== "command" && asked.is !== "direct" && asked.is !== "choice") return;
  const to = asked.is === "command" ? asked.target : asked.is === "choice" ? asked.name : "neuro";
  const result = outcome.ok ? "done" : outcome.fault;
  const { recorded } = state;
  const act = `${asked.is}\n${result}\n${by}\n${to}`;
  if ((recorded.get(act) ?? -Infinity) + RECORD_MS > ctx.now) return;
  if (recorded.size >= RECORDED_MAX) recorded.clear();
  recorded.set(act, ctx.now);
  ctx.observe({ is: "operator_acted", by, did: asked.is, to, outcome: result });
}

interface Asked {
  readonly from: Watcher;
  readonly asked: WatcherRequest;
  readonly requestId: RequestId;
}

function carryOut(state: State, { from, asked, requestId }: Asked, ctx: StepContext): Outcome {
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
      const events = state.watch.subscribe(from.peer, asked, ctx);
      attach(from, { kind: "neuro-os", ...(asked.events && { events }), ...(asked.rate && { rate: asked.rate }) }, ctx);
      const snapshot = asked.snapshot &&
        { peers: plain(peerList(state)), upstream: state.upstream, after: state.watch.cursor };
      return ok({ reply: { status: "subscribed", events, ...(snapshot && { snapshot }) } });
    }
    case "unknown":
      return failed("notFound", "invalid target/cmd");
  }
}

/** A command for an integration, or (`*`) for all that are connected. */
export function command(state: State, order: { from: string; target: string; cmd: Json }, ctx: StepContext): Commanded {
  const { from, target, cmd } = order;
  const body = JSON.stringify({ from_watcher: from, cmd });
  if (target === "*") return broadcast(state, body, ctx);
  const integration = state.integrations.get(target);
  if (integration === undefined && !state.known.has(target, ctx.now) && state.queue.kept.depth(target) === 0) {
    return failed("notFound", "invalid target/cmd");
  }
  if (integration?.hasQueue === false) {
    post(integration, body, ctx);
    return ok({ reply: { status: "sent" } });
  }
  const sending = state.queue.send(target, { kind: "command", body }, ctx);
  if (!sending.ok) return sending;
  return sending.value.is === "sent"
    ? ok({ reply: { status: "sent" } })
    : ok({ reply: { status: "queued" }, after: sending.value.key });
}

function broadcast(state: State, body: string, ctx: StepContext): Commanded {
  let count = 0;
  for (const integration of state.integrations.values()) {
    if (!integration.hasQueue) post(integration, body, ctx);
    if (!integration.hasQueue || state.queue.send(integration.name, { kind: "command", body }, ctx).ok) count++;
  }
  return ok({ reply: { status: "sent", count } });
}

interface ForNeuro {
  readonly from: Watcher;
  readonly payload: Json | undefined;
  readonly requestId: RequestId;
}

/** Anything for Neuro herself. Where the relay plays her, it hears it; while she is away, her room says whether it is kept. */
function direct(state: State, { from, payload, requestId }: ForNeuro, ctx: StepContext): Outcome {
  if (payload === undefined || payload === null) return failed("badMessage", "invalid payload");
  const { configured, open } = state.upstream;
  if (!configured && !state.settings["nakurity-backend"].enabled) return failed("notFound", "neuro backend not available");
  const said = { is: "directMessage" as const, from: from.name, payload };
  if (open || !configured) {
    ctx.post("neuro", said);
    return ok({ reply: { status: "forwarded_to_neuro" } });
  }
  const id = ctx.id();
  state.directs.set(id, { peer: from.peer, requestId });
  ctx.post("neuro", { ...said, id });
  return ok("later");
}

/** Neuro's room says what became of something for her: what waits for her was promised only once it is stored. */
export function taken(
  state: State,
  { id, key, isFull }: ServiceMessage & { readonly is: "directSettled" },
  ctx: StepContext,
): void {
  const direct = state.directs.get(id);
  if (direct === undefined) return;
  state.directs.delete(id);
  const { peer, requestId } = direct;
  if (isFull) return complain(peer, { code: "queueFull", error: "queue full", requestId }, ctx);
  const frame = replyText({ status: key === undefined ? "forwarded_to_neuro" : "queued" }, requestId);
  const waiting = key === undefined ? {} : { after: key, onFailure: unavailable(requestId) };
  ctx.emit({ do: "reply", to: peer, frame, ...waiting });
}

/** Neuro's room failed: what it was given last is nowhere. */
export function directsLost(state: State, ctx: StepContext): void {
  for (const { peer, requestId } of state.directs.values()) {
    ctx.emit({ do: "reply", to: peer, frame: unavailable(requestId) });
  }
  state.directs.clear();
}

interface Complaint {
  readonly code: FaultName;
  readonly error: string;
  readonly more?: JsonObject;
  readonly requestId?: RequestId;
}

function complain(to: PeerId, { code, error, more = {}, requestId }: Complaint, ctx: StepContext): void {
  const fields = requestId === undefined ? more : { ...more, request_id: requestId };
  ctx.emit({ do: "reply", to, frame: errorText(error, code, fields) });
}

const unavailable = (requestId: RequestId): string =>
  errorText("queue unavailable", "storageFailed", requestId === undefined ? {} : { request_id: requestId });
