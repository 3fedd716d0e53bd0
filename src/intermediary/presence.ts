/** Who is here, and who is known but away: for watchers, the dashboard and the command line. */
import type { Note } from "../core/note.ts";
import type { PeerView } from "../core/view.ts";
import type { State } from "./state.ts";

/** Games come and go on another door: their notes tell. */
export function seeGame(state: State, note: Note): void {
  if (note.is !== "integration_connected_via_backend" && note.is !== "integration_disconnected_via_backend") return;
  const count = (state.games.get(note.name) ?? 0) + (note.is === "integration_connected_via_backend" ? 1 : -1);
  if (count > 0 && (state.games.has(note.name) || state.games.size < state.settings.limits.peers)) {
    state.games.set(note.name, count);
  } else state.games.delete(note.name);
}

/** Everybody, by name: the connected first, then those for whom a message would be queued. */
export function peerList(state: State): PeerView[] {
  const list: PeerView[] = [];
  for (const { name, since, messages, actions, acks } of state.integrations.values()) {
    const queued = state.queue.kept.depth(name);
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
  for (const name of state.known.all()) {
    if (!state.integrations.has(name)) {
      list.push({ name, type: "integration", connected: false, queued: state.queue.kept.depth(name) });
    }
  }
  return list;
}
