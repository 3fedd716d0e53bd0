/** A peer whose greeting was accepted becomes an integration or a watcher. */
import type { StepContext } from "../../../core/context.ts";
import type { IntermediaryState } from "../state.ts";
import { newAccount } from "./connection-state.ts";
import { attachIntegration, attachWatcher } from "./attachment.ts";
import { tokenNamesOf } from "./tokens.ts";
import { type Identity, newIntegration, type Watcher } from "./peer.ts";

/** Adds an integration whose name is free. */
export function addIntegration(
  state: IntermediaryState,
  identity: Identity,
  options: { readonly acks: boolean; readonly traces: boolean; readonly hasQueue: boolean },
  ctx: StepContext,
): void {
  const integration = newIntegration(identity, { ...options, retained: newAccount(state.connections) }, ctx.now);
  const { peer, name, session, connection, acks, traces, hasQueue } = integration;
  state.connections.peers.set(peer, integration);
  state.connections.integrations.set(name, integration);
  attachIntegration(integration, ctx);
  if (acks) ctx.emit({ do: "reply", to: peer, frame: JSON.stringify({ event: "registered", name, session }) });
  ctx.observe({ is: "integration_connected", name });
  ctx.post("neuro", { is: "integrationJoined", peer, name, connection, ...(traces && { traces }) });
  state.choices.offerTo(integration, ctx);
  if (!hasQueue) return;
  state.directory.recordSeen(name, ctx);
  state.queue.connect(name, { peer, acks, traces }, ctx);
}

export function addWatcher(state: IntermediaryState, identity: Identity, ctx: StepContext): void {
  const watcher: Watcher = { is: "watcher", ...identity, messages: 0, repaired: new Set() };
  const { peer, name, scopes } = watcher;
  state.connections.peers.set(peer, watcher);
  state.subscriptions.add(peer, { events: undefined, rate: undefined }, ctx);
  attachWatcher(watcher, {}, ctx);
  state.choices.offerLater(peer);
  const token = tokenNamesOf(state.connections.tokens, watcher.digest);
  ctx.observe({ is: "neuroos_connected", name, privileges: scopes.has("direct") ? "enhanced" : "standard", token });
}
