/**
 * Choice requests of the relay acting as Neuro: connected integrations and watchers are asked at once, and newcomers while the choice is
 * open are asked when they connect.
 *
 * Invariant: a choice is open from its request until an action is sent for it or its force ends.
 */
import type { StepContext } from "../../../core/context.ts";
import type { PeerId } from "../../../core/ids.ts";
import type { JsonObject } from "../../../core/json.ts";
import { fitsBytes } from "../../../core/text.ts";
import type { Observation } from "../../../core/observation.ts";
import type { ChoiceRequest } from "../../../core/service-message.ts";
import type { Integration } from "../connections/peer.ts";
import { boundedEvent } from "../watchers/events.ts";
import { sendToIntegration } from "./outbound.ts";

interface OpenChoice {
  readonly choice: ChoiceRequest;
  /** The message for integrations; undefined if it is too large for them. */
  readonly text: string | undefined;
}

export class Choices {
  #open: OpenChoice | undefined;
  /** Watchers that connected while a choice was open and have not been asked yet. */
  readonly #lateWatchers = new Set<PeerId>();

  /** Opens a choice. A message of more than `bytesMax` bytes is not sent to integrations. */
  open(choice: ChoiceRequest, bytesMax: number): void {
    const text = integrationText(choice);
    this.#open = { choice, text: fitsBytes(text, bytesMax) ? text : undefined };
  }

  /** Asks all connected integrations, and watchers by an event. */
  offerToAll(integrations: Iterable<Integration>, ctx: StepContext): void {
    for (const integration of integrations) this.offerTo(integration, ctx);
    if (this.#open !== undefined) ctx.observe({ is: "choose_action", payload: watcherPayload(this.#open.choice) });
  }

  /** Asks one integration, if a choice is open. */
  offerTo(integration: Integration, ctx: StepContext): void {
    if (this.#open?.text === undefined) return;
    ctx.count("integration", "out", "choose_action");
    sendToIntegration(integration, this.#open.text, ctx);
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
      const event = { event: "choose_action", payload: watcherPayload(this.#open.choice), id: cursor, at: ctx.now };
      const frame = boundedEvent(JSON.stringify(event));
      for (const peer of this.#lateWatchers) {
        ctx.count("watcher", "out", "choose_action");
        ctx.emit({ do: "send", to: peer, frame });
      }
    }
    this.#lateWatchers.clear();
  }

  get isOpen(): boolean {
    return this.#open !== undefined;
  }

  /** Whether an action can be chosen now. */
  offers(name: string): boolean {
    return this.#open !== undefined && this.#open.choice.actions.some((action) => action.name === name);
  }

  /** Closes the choice when an observation says that it is over. */
  observe(observation: Observation): void {
    if (this.#open !== undefined && isOver(this.#open.choice, observation)) this.#open = undefined;
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
