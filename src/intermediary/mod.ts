/**
 * The Intermediary: the relay's own protocol, with integrations that act and watchers that observe and command.
 *
 * A frame comes in here and goes to `registry.ts` (who are you), `integration.ts` or `router.ts` (what do you want); what is for
 * somebody who is away goes through the queue of `core`; what everybody may know comes back as a note and leaves by `watch.ts`.
 *
 * Invariants: I1 nothing that a peer sends makes a step throw; I2 a note that is told here leads to no other note.
 */
import { earlier } from "../core/deadlines.ts";
import type { LifeEvent, PeerEvent, RoomEvent, StoreEvent } from "../core/event.ts";
import type { Millis, PeerId } from "../core/ids.ts";
import type { Note } from "../core/note.ts";
import type { Room } from "../core/room.ts";
import type { Tell } from "../core/tell.ts";
import type { Turn } from "../core/turn.ts";
import { AUDIT_PREFIX } from "./audit.ts";
import { chatDue } from "./chatter.ts";
import { deliver, hear, introduce, spread } from "./integration.ts";
import { KNOWN_PREFIX } from "./known.ts";
import { askLate, offer, seeChoice } from "./offers.ts";
import { seeGame } from "./presence.ts";
import { ask, inquire, settlePromise } from "./questions.ts";
import { close, forget, greet, greetingsDue, keep, open, recheck, settle } from "./registry.ts";
import { directsLost, request, taken } from "./router.ts";
import { restore, resume } from "./restore.ts";
import type { Claimant, State } from "./state.ts";
import { tokensOf } from "./tokens.ts";
import { UPLOAD_PREFIX } from "./uploads.ts";
import { errorText } from "./wire.ts";

export type { State as IntermediaryState } from "./state.ts";

export const intermediary: Room<State> = {
  name: "intermediary",
  resident: [AUDIT_PREFIX, KNOWN_PREFIX, UPLOAD_PREFIX],
  restore,
  step,
  nextWakeup,
};

function step(state: State, event: RoomEvent, turn: Turn): void {
  switch (event.is) {
    case "told":
      return hearRoom(state, event.message, turn);
    case "stored":
    case "storeFailed":
    case "loaded":
    case "loadFailed":
      return stepStore(state, event, turn);
    case "saved":
      return state.uploads.saved(event, turn);
    case "asked":
      return ask(state, event, turn);
    case "tick":
    case "configured":
    case "draining":
      return stepLife(state, event, turn);
    case "ran":
    case "dialed":
    case "received":
    case "dropped":
    case "linkPressed":
    case "linkEased":
      return; // Why: this room has neither jobs nor links.
    default:
      return stepPeer(state, event, turn);
  }
}

function stepPeer(state: State, event: PeerEvent, turn: Turn): void {
  if (event.is === "opened") return open(state, event, turn);
  const peer = state.peers.get(event.peer);
  if (peer === undefined) return;
  switch (event.is) {
    case "frame":
      return stepFrame(state, event, turn);
    case "closed":
      forget(state, peer, turn);
      return peer.is === "integration" ? promote(state, state.claimants.get(peer.name), turn) : undefined;
    case "limited": {
      const frame = errorText("rate limit", "rateLimit", { retry_after_ms: event.retryMs });
      return turn.put({ do: "reply", to: event.peer, frame });
    }
    case "ponged":
      if (peer.is === "integration") peer.heardAt = turn.now;
      return;
    case "pressed":
    case "eased":
      if (peer.is === "watcher") state.watch.press(peer.peer, event.is === "pressed");
      if (peer.is === "integration" && peer.hasQueue) state.queue.press(peer.name, event.is === "pressed", turn);
      return;
  }
}

function stepFrame(state: State, { peer: id, frame }: PeerEvent & { is: "frame" }, turn: Turn): void {
  const peer = state.peers.get(id);
  if (peer === undefined || state.closeAt !== undefined) return; // Why: while draining nothing new is taken on.
  switch (peer.is) {
    case "newcomer":
      return greet(state, { newcomer: peer, frame }, turn);
    case "claimant":
      return keep(state, { claimant: peer, frame }, turn);
    case "integration":
      return hear(state, { from: peer, frame }, turn);
    case "watcher":
      return request(state, { from: peer, frame }, turn);
  }
}

/** A claimant gets its name, and what it said while it waited is heard. */
function promote(state: State, claimant: Claimant | undefined, turn: Turn): void {
  if (claimant === undefined) return;
  for (const frame of settle(state, claimant, turn)) stepFrame(state, { is: "frame", peer: claimant.peer, frame }, turn);
}

function hearRoom(state: State, message: Tell, turn: Turn): void {
  switch (message.is) {
    case "noted":
      return see(state, message.note, turn);
    case "upstream":
      state.upstream = { configured: message.configured, open: message.open };
      return;
    case "deliver": {
      const to = state.peers.get(message.peer);
      return to?.is === "integration" ? deliver(to, message.message, turn) : undefined;
    }
    case "taken":
      return taken(state, message, turn);
    case "offer":
      return offer(state, message.offer, turn);
    case "context":
      return spread(state, message, turn);
    default:
      return; // Why: the rest of the table is for other rooms.
  }
}

function see(state: State, note: Note, turn: Turn): void {
  if (note.is === "room_rebuilt" && note.room === "neuro") {
    for (const integration of state.integrations.values()) introduce(integration, turn);
  }
  if (note.is === "panicked" && note.room === "neuro") directsLost(state, turn);
  state.audit.see(note, turn);
  seeGame(state, note);
  seeChoice(state, note);
  state.watch.see(note, turn);
  if (note.is === "neuroos_connected") askLate(state, turn);
}

function stepStore(state: State, event: StoreEvent, turn: Turn): void {
  if (event.is === "loaded" || event.is === "loadFailed") {
    if (!inquire(state, event, turn)) state.queue.step(event, turn);
    return;
  }
  const isStored = event.is === "stored";
  const isOther = state.known.settled(event.key, isStored, turn) || state.uploads.settled(event.key, isStored, turn) ||
    state.audit.settled(event.key, isStored, turn);
  if (isOther) return;
  state.queue.step(event, turn);
  settlePromise(state, event, turn);
}

function stepLife(state: State, event: LifeEvent, turn: Turn): void {
  switch (event.is) {
    case "configured":
      state.settings = event.settings;
      state.tokens = tokensOf(event.settings);
      state.queue.configure(event.settings.queue);
      state.uploads.configure(event.settings.uploads);
      return recheck(state, turn);
    case "draining":
      state.closeAt = event.until;
      state.known.flush(turn);
      return leaveIfDone(state, turn);
    case "tick":
      return tick(state, turn);
  }
}

function tick(state: State, turn: Turn): void {
  resume(state, turn);
  greetingsDue(state, turn);
  for (const id of state.claims.due(turn.now)) {
    const claimant = state.peers.get(id as PeerId); // Why: only ids of peers are set there, here and below.
    if (claimant?.is === "claimant") promote(state, claimant, turn);
  }
  for (const id of state.chatters.due(turn.now)) {
    const integration = state.peers.get(id as PeerId);
    if (integration?.is === "integration") chatDue(integration, turn);
  }
  state.known.tick(turn);
  state.queue.tick(turn);
  state.uploads.tick(turn);
  state.audit.tick(turn);
  state.watch.tick(turn);
  leaveIfDone(state, turn);
}

/** While draining: once every write that somebody waits for has ended, or at the last moment, everybody is sent away. */
function leaveIfDone(state: State, turn: Turn): void {
  if (state.closeAt === undefined || state.isDrained) return;
  if (state.queue.writing > 0 && turn.now < state.closeAt) return;
  for (const peer of [...state.peers.values()]) close(state, { peer, fault: "restarting" }, turn);
  turn.put({ do: "drained", room: "intermediary" });
  state.isDrained = true;
}

/** While draining: as soon as nothing is being written, in a step of its own, so that the replies to that leave first. */
const drainAt = ({ closeAt, isDrained, queue }: State): Millis | undefined =>
  closeAt === undefined || isDrained ? undefined : queue.writing > 0 ? closeAt : 0;

function nextWakeup(state: State): Millis | undefined {
  if (state.returned.length > 0) return 0;
  let first = state.greetings.earliest();
  first = earlier(first, state.claims.earliest());
  first = earlier(first, state.chatters.earliest());
  first = earlier(first, state.known.nextWakeup());
  first = earlier(first, state.queue.nextWakeup());
  first = earlier(first, state.uploads.nextWakeup());
  first = earlier(first, state.audit.nextWakeup());
  first = earlier(first, state.watch.nextWakeup());
  return earlier(first, drainAt(state));
}
