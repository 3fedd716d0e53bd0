/** Checks the greeting of a newcomer: format, token, type, name, scope, in this order. */
import type { StepContext } from "../../../core/context.ts";
import type { FaultName } from "../../../core/fault.ts";
import { type Frame, isObject, type JsonObject } from "../../../core/json.ts";
import type { Scope } from "../../../core/settings.ts";
import { errorReplyText, jsonOf } from "../codec/frames.ts";
import { readGreeting } from "../codec/greeting.ts";
import { inWords, unreadable, wrongField } from "../codec/problems.ts";
import type { IntermediaryState } from "../state.ts";
import { addIntegration, addWatcher } from "./admission.ts";
import { type Connections, newAccount, removeNewcomer } from "./connection-state.ts";
import { closePeer } from "./connections.ts";
import type { Identity, Newcomer } from "./peer.ts";
import { requestTakeover } from "./takeover.ts";
import { grantOf, tokenNamesOf } from "./tokens.ts";

/** The first frame of a newcomer. */
export function greet(state: IntermediaryState, newcomer: Newcomer, frame: Frame, ctx: StepContext): void {
  const { connections, settings: { limits } } = state;
  const read = readGreeting(frame, { bytesMax: limits.greeting_bytes, depthMax: limits.json_depth });
  ctx.count("newcomer", "in", read.ok ? "registration" : "unreadable");
  if (!read.ok) {
    const { fault, reason } = read;
    return refuse(state, newcomer, { fault, reason, fields: greetingHint(frame, limits.json_depth) }, ctx);
  }
  const { type, name, token, acks, traces, problem } = read.value;
  const givenName = name.ok ? name.value : undefined;
  const grant = grantOf(connections.tokens, token, givenName ?? "");
  if (grant === undefined) {
    const fields = typeof token === "string" ? {} : { hint: "`auth_token` must be a text" };
    return refuse(state, newcomer, { fault: "badToken", reason: "invalid auth token", fields }, ctx);
  }
  if (type !== "integration" && type !== "neuro-os") {
    const fields = { hint: wrongField("type", '"integration" or "neuro-os"', type) };
    return refuse(state, newcomer, { fault: "badGreeting", reason: "unknown registration type", fields }, ctx);
  }
  if (!name.ok) return refuse(state, newcomer, { fault: name.fault, reason: name.reason }, ctx);
  const needs: Scope = type === "integration" ? "integration" : "watch";
  if (!grant.scopes.has(needs)) {
    return refuse(state, newcomer, { fault: "notAllowed", reason: "not allowed", fields: { needs } }, ctx);
  }
  const { peer, connection } = newcomer;
  const { digest } = grant;
  ctx.observe({ is: "token_used", names: tokenNamesOf(connections.tokens, digest), digest, address: connection.address });
  removeNewcomer(connections, peer);
  const session = ctx.secret();
  const identity: Identity = {
    peer,
    connection,
    name: givenName ?? generateName(connections),
    ...grant,
    session,
    since: ctx.now,
  };
  if (type === "neuro-os") return addWatcher(state, identity, ctx);
  if (problem !== undefined) {
    ctx.observe({
      is: "input_refused",
      from: identity.name,
      fault: "badMessage",
      reason: problem,
    });
  }
  if (givenName === undefined) return addIntegration(state, identity, { acks, traces, hasQueue: false }, ctx);
  if (!connections.integrations.has(givenName)) {
    return addIntegration(state, identity, { acks, traces, hasQueue: true }, ctx);
  }
  const retained = newAccount(connections);
  requestTakeover(state, { is: "pendingTakeover", peer, identity, acks, traces, frames: [], retained }, ctx);
}

/** Why a frame is no greeting. Nothing of an object is shown, because it may contain a token. */
function greetingHint(frame: Frame, depthMax: number): JsonObject {
  const message = jsonOf(frame, depthMax);
  if (message === undefined) return { hint: unreadable(frame, depthMax) };
  return isObject(message) ? {} : { hint: `a registration must be an object, not ${inWords(message)}` };
}

interface GreetingRefusal {
  readonly fault: FaultName;
  readonly reason: string;
  readonly fields?: JsonObject;
}

function refuse(
  state: IntermediaryState,
  newcomer: Newcomer,
  { fault, reason, fields }: GreetingRefusal,
  ctx: StepContext,
): void {
  ctx.observe({ is: "greeting_refused", fault, address: newcomer.connection.address, reason });
  ctx.emit({ do: "reply", to: newcomer.peer, frame: errorReplyText(reason, fault, fields) });
  closePeer(state, newcomer, fault, ctx);
}

/** The name of a peer that gave none: `unknown-<n>`. */
function generateName(connections: Connections): string {
  let name = `unknown-${++connections.generatedNames}`;
  while (connections.integrations.has(name)) name = `unknown-${++connections.generatedNames}`;
  return name;
}
