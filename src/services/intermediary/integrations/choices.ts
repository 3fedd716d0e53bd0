/**
 * Choice requests of the relay acting as Neuro: connected integrations and watchers are asked at once, and newcomers while the choice is
 * open are asked when they connect.
 *
 * Invariant: a choice is open from its request until an action is sent for it or its force ends.
 */
import type { StepContext } from "../../../core/context.ts";
import type { PeerId } from "../../../core/ids.ts";
import type { JsonObject } from "../../../core/json.ts";
import type { Observation } from "../../../core/observation.ts";
import type { ChoiceRequest } from "../../../core/service-message.ts";
import type { Integration } from "../connections/peer.ts";
import { sendToIntegration } from "./outbound.ts";

export class Choices {
  #open: ChoiceRequest | undefined;
  /** Watchers that connected while a choice was open and have not been asked yet. */
  readonly #lateWatchers = new Set<PeerId>();

  /** Asks all connected integrations, and watchers by an event. */
  request(choice: ChoiceRequest, integrations: Iterable<Integration>, ctx: StepContext): void {
    this.#open = choice;
    for (const integration of integrations) this.offerTo(integration, ctx);
    ctx.observe({ is: "choose_action", payload: watcherPayload(choice) });
  }

  /** Asks one integration, if a choice is open. */
  offerTo(integration: Integration, ctx: StepContext): void {
    if (this.#open === undefined) return;
    ctx.count("integration", "out", "choose_action");
    sendToIntegration(integration, integrationText(this.#open), ctx);
  }

  /** Asks a watcher after its greeting was confirmed, if a choice is open. */
  offerLater(watcher: PeerId): void {
    if (this.#open !== undefined) this.#lateWatchers.add(watcher);
  }

  /**
   * Asks the watchers that connected late. Other watchers got this event before, so it has the id of the latest event (`cursor`): a
   * watcher that resumes after it misses nothing.
   */
  offerToLateWatchers(cursor: string | undefined, ctx: StepContext): void {
    if (this.#open !== undefined && this.#lateWatchers.size > 0) {
      const event = { event: "choose_action", payload: watcherPayload(this.#open), id: cursor, at: ctx.now };
      const frame = JSON.stringify(event);
      for (const peer of this.#lateWatchers) {
        ctx.count("watcher", "out", "choose_action");
        ctx.emit({ do: "send", to: peer, frame });
      }
    }
    this.#lateWatchers.clear();
  }

  /** Whether an action can be chosen now. */
  offers(name: string): boolean {
    return this.#open !== undefined && this.#open.actions.some((action) => action.name === name);
  }

  /** Closes the choice when an observation says that it is over. */
  observe(observation: Observation): void {
    if (this.#open !== undefined && isOver(this.#open, observation)) this.#open = undefined;
  }
}

function isOver({ game }: ChoiceRequest, observation: Observation): boolean {
  if (observation.is === "action_sent") return observation.forced;
  if (observation.is === "service_rebuilt") return observation.service === "neuro";
  // Why not `replaced`: the replaced force was waiting, and the force of this choice is still open.
  return observation.is === "force_ended" && observation.end !== "replaced" && observation.integration === game;
}

const watcherPayload = (choice: ChoiceRequest): JsonObject => ({ type: "choose_action_request", ...fieldsOf(choice) });

const integrationText = (choice: ChoiceRequest): string =>
  JSON.stringify({ event: "choose_action", payload: { id: choice.id, context: choice.query, ...fieldsOf(choice) } });

const fieldsOf = ({ game, state, query, ephemeral, actions }: ChoiceRequest): JsonObject => ({
  game_title: game,
  state,
  query,
  ephemeral_context: ephemeral,
  actions: actions.map(({ name, description }) => ({ name, desc: description })),
});
