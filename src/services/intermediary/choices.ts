/**
 * What the relay asks when it plays Neuro: who is here is asked at once, who comes while nobody has chosen yet is asked then.
 *
 * Invariant: an offer is open from when it is made until an action is sent for it, or its force ends.
 */
import type { JsonObject } from "../../core/json.ts";
import type { Observation } from "../../core/observation.ts";
import type { ChoiceRequest } from "../../core/service-message.ts";
import type { StepContext } from "../../core/context.ts";
import { send } from "./integration.ts";
import type { Integration, State, Watcher } from "./state.ts";

/** Asks everybody who wants to choose. */
export function requestChoice(state: State, made: ChoiceRequest, ctx: StepContext): void {
  state.openChoice = made;
  for (const integration of state.integrations.values()) sendChoiceRequest(integration, made, ctx);
  ctx.observe({ is: "choose_action", payload: requestMessage(made) });
}

/** Asks an integration that came late. */
export function requestChoiceOfLateIntegration(state: State, to: Integration, ctx: StepContext): void {
  if (state.openChoice !== undefined) sendChoiceRequest(to, state.openChoice, ctx);
}

function sendChoiceRequest(to: Integration, made: ChoiceRequest, ctx: StepContext): void {
  ctx.count("integration", "out", "choose_action");
  send(to, requestEvent(made), ctx);
}

/** Asks a watcher that came late, once it was told that it watches. */
export function requestChoiceOfLateWatcher({ openChoice, lateWatchers }: State, { peer }: Watcher): void {
  if (openChoice !== undefined) lateWatchers.add(peer);
}

/** Those whose turn it is. The event is an old one to all others, so it bears the id of the last: to go on after it is right. */
export function sendLateChoiceRequests({ openChoice, lateWatchers, subscriptions }: State, ctx: StepContext): void {
  if (openChoice !== undefined && lateWatchers.size > 0) {
    const event = { event: "choose_action", payload: requestMessage(openChoice), id: subscriptions.cursor, at: ctx.now };
    const frame = JSON.stringify(event);
    for (const peer of lateWatchers) {
      ctx.count("watcher", "out", "choose_action");
      ctx.emit({ do: "send", to: peer, frame });
    }
  }
  lateWatchers.clear();
}

/** A fact after which there may be nothing left to choose. */
export function closeChoice(state: State, observation: Observation): void {
  const { openChoice } = state;
  if (openChoice === undefined) return;
  // Why not when one was replaced: that one waited, the one that was offered is still open.
  const isOver = (observation.is === "action_sent" && observation.forced) ||
    (observation.is === "service_rebuilt" && observation.service === "neuro") ||
    (observation.is === "force_ended" && observation.end !== "replaced" && observation.integration === openChoice.game);
  if (isOver) state.openChoice = undefined;
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
