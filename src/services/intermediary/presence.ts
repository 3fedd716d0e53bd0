/** Who is here, and who is known but away: for watchers, the dashboard and the command line. */
import type { Observation } from "../../core/observation.ts";
import type { PeerView } from "../../core/view.ts";
import type { State } from "./state.ts";

/** Games come and go on another door: their notes tell. */
export function seeGame(state: State, observation: Observation): void {
  if (observation.is !== "integration_connected_via_backend" && observation.is !== "integration_disconnected_via_backend") {
    return;
  }
  const count = (state.games.get(observation.name) ?? 0) +
    (observation.is === "integration_connected_via_backend" ? 1 : -1);
  if (count > 0 && (state.games.has(observation.name) || state.games.size < state.settings.limits.peers)) {
    state.games.set(observation.name, count);
  } else state.games.delete(observation.name);
}

/** Everybody, by name: the connected first, then those for whom a message would be queued. */
export function peerList(state: State): PeerView[] {
  const list: PeerView[] = [];
  for (const { name, since, messages, actions, acks } of state.integrations.values()) {
    const queued = state.queue.recipients.depth(name);
    list.push({
      name,
      type: "integration",
      connected: true,
      since,
      messages,
      actions: actions.size,
      acks,
      queued,
    });
  }
  for (const peer of state.peers.values()) {
    if (peer.is !== "watcher") continue;
    const { name, since, messages } = peer;
    list.push({ name, type: "neuro-os", connected: true, since, messages });
  }
  for (const name of state.games.keys()) list.push({ name, type: "game", connected: true });
  for (const name of state.directory.all()) {
    if (!state.integrations.has(name)) {
      list.push({ name, type: "integration", connected: false, queued: state.queue.recipients.depth(name) });
    }
  }
  return list;
}
