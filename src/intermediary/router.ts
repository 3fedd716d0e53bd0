/**
 * Watchers: what they ask for, and where it goes.
 *
 * Every request gets one reply, in order, with the `request_id` that it brought.
 */
import type { FaultName } from "../core/fault.ts";
import type { Frame, Json, JsonObject } from "../core/json.ts";
import type { Key } from "../core/ids.ts";
import { failed, ok, type Result } from "../core/result.ts";
import type { Scope } from "../core/settings.ts";
import type { Turn } from "../core/turn.ts";
import { peerList } from "./presence.ts";
import { post, registeredActions } from "./integration.ts";
import { attach } from "./registry.ts";
import type { State, Watcher } from "./state.ts";
import { errorText, jsonOf, readRequest, replyText, type RequestId, requestIdOf, type WatcherRequest } from "./wire.ts";

/** What becomes of a request: a reply, which may have to wait until something is stored. */
type Outcome = Result<{ readonly reply: JsonObject; readonly after?: Key }>;

/** A frame of a watcher. */
export function request(state: State, { from, frame }: { from: Watcher; frame: Frame }, turn: Turn): void {
  from.messages++;
  const message = jsonOf(frame, state.settings.limits.json_depth);
  if (message === undefined) return complain(from, { code: "badMessage", error: "watcher messages must be JSON" }, turn);
  const requestId = requestIdOf(message);
  const asked = readRequest(message);
  const needs = scopeFor(asked);
  if (needs !== undefined && !from.scopes.has(needs)) {
    return complain(from, { code: "notAllowed", error: "not allowed", more: { needs }, requestId }, turn);
  }
  const outcome = carryOut(state, { from, asked }, turn);
  if (!outcome.ok) return complain(from, { code: outcome.fault, error: outcome.reason, requestId }, turn);
  const { reply, after } = outcome.value;
  turn.put({
    do: "reply",
    to: from.peer,
    frame: replyText(reply, requestId),
    ...(after !== undefined && { after, otherwise: unavailable(requestId) }),
  });
}

function scopeFor({ is }: WatcherRequest): Scope | undefined {
  if (is === "direct") return "direct";
  return is === "command" || is === "choice" ? "command" : undefined;
}

function carryOut(state: State, { from, asked }: { from: Watcher; asked: WatcherRequest }, turn: Turn): Outcome {
  switch (asked.is) {
    case "command":
      return command(state, { from: from.name, target: asked.target, cmd: asked.cmd }, turn);
    case "direct":
      return direct(state, { from: from.name, payload: asked.payload }, turn);
    case "choice":
      turn.put({
        do: "tell",
        room: "neuro",
        message: { is: "chose", from: from.name, name: asked.name, data: asked.data },
      });
      return ok({ reply: { status: "chosen" } });
    case "peers":
      return ok({ reply: { peers: peerList(state) } });
    case "actions":
      return ok({ reply: { actions: registeredActions(state) } });
    case "subscribe": {
      const events = state.watch.subscribe(from.peer, asked, turn);
      attach(from, { kind: "neuro-os", ...(asked.events && { events }) }, turn);
      const snapshot = asked.snapshot && { peers: peerList(state), upstream: state.upstream, after: state.watch.cursor };
      return ok({ reply: { status: "subscribed", events, ...(snapshot && { snapshot }) } });
    }
    case "unknown":
      return failed("notFound", "invalid target/cmd");
  }
}

/** A command for an integration, or (`*`) for all that are connected. */
export function command(state: State, order: { from: string; target: string; cmd: Json }, turn: Turn): Outcome {
  const { from, target, cmd } = order;
  const body = JSON.stringify({ from_watcher: from, cmd });
  if (target === "*") return broadcast(state, body, turn);
  const integration = state.integrations.get(target);
  if (integration === undefined && !state.known.has(target, turn.now) && state.queue.kept.depth(target) === 0) {
    return failed("notFound", "invalid target/cmd");
  }
  if (integration?.hasQueue === false) {
    post(integration, body, turn);
    return ok({ reply: { status: "sent" } });
  }
  const sending = state.queue.send(target, { kind: "command", body }, turn);
  if (!sending.ok) return sending;
  return sending.value.is === "sent"
    ? ok({ reply: { status: "sent" } })
    : ok({ reply: { status: "queued" }, after: sending.value.key });
}

function broadcast(state: State, body: string, turn: Turn): Outcome {
  let count = 0;
  for (const integration of state.integrations.values()) {
    if (!integration.hasQueue) post(integration, body, turn);
    if (!integration.hasQueue || state.queue.send(integration.name, { kind: "command", body }, turn).ok) count++;
  }
  return ok({ reply: { status: "sent", count } });
}

/** Anything for Neuro herself. Where the relay plays her, it hears it. */
function direct(state: State, { from, payload }: { from: string; payload: Json | undefined }, turn: Turn): Outcome {
  if (payload === undefined || payload === null) return failed("badMessage", "invalid payload");
  const { configured, open } = state.upstream;
  if (!configured && !state.settings["nakurity-backend"].enabled) return failed("notFound", "neuro backend not available");
  turn.put({ do: "tell", room: "neuro", message: { is: "direct", from, payload } });
  return ok({ reply: { status: configured && !open ? "queued" : "forwarded_to_neuro" } });
}

interface Complaint {
  readonly code: FaultName;
  readonly error: string;
  readonly more?: JsonObject;
  readonly requestId?: RequestId;
}

function complain(to: Watcher, { code, error, more = {}, requestId }: Complaint, turn: Turn): void {
  const fields = requestId === undefined ? more : { ...more, request_id: requestId };
  turn.put({ do: "reply", to: to.peer, frame: errorText(error, code, fields) });
}

const unavailable = (requestId: RequestId): string =>
  errorText("queue unavailable", "storageFailed", requestId === undefined ? {} : { request_id: requestId });
