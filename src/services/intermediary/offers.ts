/**
 * What the relay asks when it plays Neuro: who is here is asked at once, who comes while nobody has chosen yet is asked then.
 *
 * Invariant: an offer is open from when it is made until an action is sent for it, or its force ends.
 */
import type { JsonObject } from "../../core/json.ts";
import type { Observation } from "../../core/observation.ts";
import type { ChoiceRequest } from "../../core/service-message.ts";
import type { StepContext } from "../../core/context.ts";
import { post } from "./integration.ts";
import type { Integration, State, Watcher } from "./state.ts";

/** Asks everybody who wants to choose. */
export function offer(state: State, made: ChoiceRequest, ctx: StepContext): void {
  state.offered = made;
  for (const integration of state.integrations.values()) ask(integration, made, ctx);
  ctx.observe({ is: "choose_action", payload: requestMessage(made) });
}

/** Asks an integration that came late. */
export function offerLate(state: State, to: Integration, ctx: StepContext): void {
  if (state.offered !== undefined) ask(to, state.offered, ctx);
}

function ask(to: Integration, made: ChoiceRequest, ctx: StepContext): void {
  ctx.count("integration", "out", "choose_action");
  post(to, requestEvent(made), ctx);
}

/** Asks a watcher that came late, once it was told that it watches. */
export function offerNext({ offered, unasked }: State, { peer }: Watcher): void {
  if (offered !== undefined) unasked.add(peer);
}

/** Those whose turn it is. The event is an old one to all others, so it bears the id of the last: to go on after it is right. */
export function askLate({ offered, unasked, watch }: State, ctx: StepContext): void {
  if (offered !== undefined && unasked.size > 0) {
    const event = { event: "choose_action", payload: requestMessage(offered), id: watch.cursor, at: ctx.now };
    const frame = JSON.stringify(event);
    for (const peer of unasked) {
      ctx.count("watcher", "out", "choose_action");
      ctx.emit({ do: "send", to: peer, frame });
    }
  }
  unasked.clear();
}

/** A fact after which there may be nothing left to choose. */
export function seeChoice(state: State, observation: Observation): void {
  const { offered } = state;
  if (offered === undefined) return;
  // Why not when one was replaced: that one waited, the one that was offered is still open.
  const isOver = (observation.is === "action_sent" && observation.forced) ||
    (observation.is === "service_rebuilt" && observation.service === "neuro") ||
    (observation.is === "force_ended" && observation.end !== "replaced" && observation.integration === offered.game);
  if (isOver) state.offered = undefined;
}

const requestMessage = (made: ChoiceRequest): JsonObject => ({ type: "choose_action_request", ...fieldsOf(made) });

const requestEvent = (made: ChoiceRequest): string =>
  JSON.stringify({ event: "choose_action", payload: { id: made.id, context: made.query, ...fieldsOf(made) } });

const fieldsOf = ({ game, state, query, ephemeral, actions }: ChoiceRequest): JsonObject => ({
  game_title: game,
  state,
  query,
  ephemeral_context: ephemeral,
  actions: actions.map(({ name, description }) => ({ name, desc: description })),
});
