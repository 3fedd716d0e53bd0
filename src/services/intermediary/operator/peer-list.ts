import type { PeerView, WatcherView } from "../../../core/view.ts";
import { tokenNamesOf } from "../connections/tokens.ts";
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

/** The watchers with a socket. */
export function watcherList({ connections, subscriptions }: IntermediaryState): WatcherView[] {
  const list: WatcherView[] = [];
  for (const watcher of connections.peers.values()) {
    if (watcher.is !== "watcher") continue;
    const { peer, name, digest, connection: { address, userAgent }, scopes, since } = watcher;
    const { events = null, rate = null } = subscriptions.optionsOf(peer);
    const token = tokenNamesOf(connections.tokens, digest);
    list.push({ name, via: "socket", token, address, user_agent: userAgent, scopes: [...scopes], since, events, rate });
  }
  return list;
}
