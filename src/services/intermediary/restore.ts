/** Restores the state from stored entries and the peers that stayed connected. */
import type { StepContext } from "../../core/context.ts";
import type { RestoreInput } from "../../core/service.ts";
import type { Settings } from "../../core/settings.ts";
import { restorePeer } from "./connections/attachment.ts";
import { addNewcomer } from "./connections/connection-state.ts";
import { recheckTokens } from "./connections/connections.ts";
import { type IntermediaryState, newState } from "./state.ts";
import { entriesByOwner } from "./stored-keys.ts";

export function restore(settings: Settings, input: RestoreInput): IntermediaryState {
  const { entries, resumed, now, retained, hasSlept = false } = input;
  const state = newState(settings, retained);
  const { directory, upload, audit, queue, dead } = entriesByOwner(entries);
  state.directory.restore(directory);
  state.uploads.restore(upload);
  state.audit.restore(audit);
  state.queue.restore([...queue, ...dead].map(({ key }) => key));
  for (const name of state.directory.names()) state.queue.setName(name);
  for (const peer of resumed) {
    if (restorePeer(state.connections, peer, { missed: hasSlept ? 0 : null, now })) continue;
    addNewcomer(state.connections, peer, now + settings.limits.greeting);
  }
  return state;
}

/** The part of a restore that has effects: the Neuro service is notified of resumed integrations, and their queued messages are sent. */
export function completeRestore(state: IntermediaryState, ctx: StepContext): void {
  const { connections: { peers, resumed } } = state;
  if (resumed.length === 0) return;
  for (const { peer: id, events, rate, changes, missed } of resumed.splice(0)) {
    const peer = peers.get(id);
    if (peer?.is === "watcher") {
      state.subscriptions.add(id, { events, rate }, ctx, missed);
      state.changeNotices.change(id, { isWanted: changes, hasMissed: missed === null }, ctx.now);
    }
    if (peer?.is !== "integration") continue;
    const { name, connection, acks, traces, hasQueue } = peer;
    ctx.post("neuro", { is: "integrationJoined", peer: id, name, connection, ...(traces && { traces }) });
    if (hasQueue) state.queue.connect(name, { peer: id, acks, traces }, ctx);
  }
  recheckTokens(state, ctx); // Why: the tokens may have changed while the service was down.
}
