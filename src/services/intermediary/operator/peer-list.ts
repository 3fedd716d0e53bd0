import type { PeerView } from "../../../core/view.ts";
import type { IntermediaryState } from "../state.ts";

/** All peers: connected integrations, watchers and games, then the integrations that are away but in the directory. */
export function peerList({ connections, games, directory, queue }: IntermediaryState): PeerView[] {
  const list: PeerView[] = [];
  for (const { name, since, messages, actions, acks } of connections.integrations.values()) {
    const queued = queue.recipients.depth(name);
    list.push({ name, type: "integration", connected: true, since, messages, actions: actions.size, acks, queued });
  }
  for (const peer of connections.peers.values()) {
    if (peer.is !== "watcher") continue;
    const { name, since, messages } = peer;
    list.push({ name, type: "neuro-os", connected: true, since, messages });
  }
  for (const name of games.names()) list.push({ name, type: "game", connected: true });
  for (const name of directory.names()) {
    if (connections.integrations.has(name)) continue;
    list.push({ name, type: "integration", connected: false, queued: queue.recipients.depth(name) });
  }
  return list;
}
