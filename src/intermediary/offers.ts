/**
 * What the relay asks when it plays Neuro: who is here is asked at once, who comes while nobody has chosen yet is asked then.
 *
 * Invariant: an offer is open from when it is made until an action is sent for it, or its force ends.
 */
import type { JsonObject } from "../core/json.ts";
import type { Note } from "../core/note.ts";
import type { Offer } from "../core/tell.ts";
import type { Turn } from "../core/turn.ts";
import { post } from "./integration.ts";
import type { Integration, State, Watcher } from "./state.ts";

/** Asks everybody who wants to choose. */
export function offer(state: State, made: Offer, turn: Turn): void {
  state.offered = made;
  for (const integration of state.integrations.values()) ask(integration, made, turn);
  turn.note({ is: "choose_action", payload: request(made) });
}

/** Asks an integration that came late. */
export function offerLate(state: State, to: Integration, turn: Turn): void {
  if (state.offered !== undefined) ask(to, state.offered, turn);
}

function ask(to: Integration, made: Offer, turn: Turn): void {
  turn.count("integration", "out", "choose_action");
  post(to, question(made), turn);
}

/** Asks a watcher that came late, once it was told that it watches. */
export function offerNext({ offered, unasked }: State, { peer }: Watcher): void {
  if (offered !== undefined) unasked.add(peer);
}

/** Those whose turn it is. The event is an old one to all others, so it bears the id of the last: to go on after it is right. */
export function askLate({ offered, unasked, watch }: State, turn: Turn): void {
  if (offered !== undefined && unasked.size > 0) {
    const event = { event: "choose_action", payload: request(offered), id: watch.cursor, at: turn.now };
    const frame = JSON.stringify(event);
    for (const peer of unasked) {
      turn.count("watcher", "out", "choose_action");
      turn.put({ do: "send", to: peer, frame });
    }
  }
  unasked.clear();
}

/** A fact after which there may be nothing left to choose. */
export function seeChoice(state: State, note: Note): void {
  const { offered } = state;
  if (offered === undefined) return;
  // Why not when one was replaced: that one waited, the one that was offered is still open.
  const isOver = (note.is === "action_sent" && note.forced) || (note.is === "room_rebuilt" && note.room === "neuro") ||
    (note.is === "force_ended" && note.end !== "replaced" && note.integration === offered.game);
  if (isOver) state.offered = undefined;
}

const request = (made: Offer): JsonObject => ({ type: "choose_action_request", ...fieldsOf(made) });

const question = (made: Offer): string =>
  JSON.stringify({ event: "choose_action", payload: { id: made.id, context: made.query, ...fieldsOf(made) } });

const fieldsOf = ({ game, state, query, ephemeral, actions }: Offer): JsonObject => ({
  game_title: game,
  state,
  query,
  ephemeral_context: ephemeral,
  actions: actions.map(({ name, description }) => ({ name, desc: description })),
});
