/** Checks the greeting of a newcomer: format, token, type, name, scope, in this order. */
import type { StepContext } from "../../../core/context.ts";
import type { FaultName } from "../../../core/fault.ts";
import type { Frame, JsonObject } from "../../../core/json.ts";
import type { Scope } from "../../../core/settings.ts";
import { errorReplyText } from "../codec/frames.ts";
import { readGreeting } from "../codec/greeting.ts";
import type { IntermediaryState } from "../state.ts";
import { addIntegration, addWatcher } from "./admission.ts";
import { type Connections, newAccount, removeNewcomer } from "./connection-state.ts";
import { closePeer } from "./connections.ts";
import type { Identity, Newcomer } from "./peer.ts";
import { requestTakeover } from "./takeover.ts";
import { grantOf } from "./tokens.ts";

/** The first frame of a newcomer. */
export function greet(state: IntermediaryState, newcomer: Newcomer, frame: Frame, ctx: StepContext): void {
  const { connections, settings: { limits } } = state;
  const read = readGreeting(frame, { bytesMax: limits.greeting_bytes, depthMax: limits.json_depth });
  ctx.count("newcomer", "in", read.ok ? "registration" : "unreadable");
  if (!read.ok) return refuse(state, newcomer, { fault: read.fault, reason: read.reason }, ctx);
  const { type, name, token, acks } = read.value;
  const givenName = name.ok ? name.value : undefined;
  const grant = grantOf(connections.tokens, token, givenName ?? "");
  if (grant === undefined) return refuse(state, newcomer, { fault: "badToken", reason: "invalid auth token" }, ctx);
  if (type !== "integration" && type !== "neuro-os") {
    return refuse(state, newcomer, { fault: "badGreeting", reason: "unknown registration type" }, ctx);
  }
  if (!name.ok) return refuse(state, newcomer, { fault: name.fault, reason: name.reason }, ctx);
  const needs: Scope = type === "integration" ? "integration" : "watch";
  if (!grant.scopes.has(needs)) {
    return refuse(state, newcomer, { fault: "notAllowed", reason: "not allowed", fields: { needs } }, ctx);
  }
  const { peer, connection } = newcomer;
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
  if (givenName === undefined) return addIntegration(state, identity, { acks, hasQueue: false }, ctx);
  if (!connections.integrations.has(givenName)) return addIntegration(state, identity, { acks, hasQueue: true }, ctx);
  const retained = newAccount(connections);
  requestTakeover(state, { is: "pendingTakeover", peer, identity, acks, frames: [], retained }, ctx);
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
