/**
 * Actions by which Neuro herself asks integrations to shut down: one for each connected integration whose policy has `shutdown_action`.
 *
 * They belong to an integration of the relay's own. So they are listed, can be paused, need approval and have results as all actions do, and
 * the names and the registries of the other integrations do not change.
 *
 * Invariants: SA1 Neuro has such an action while its integration is connected, and its policy permits it; SA2 only the relay answers them.
 */
import { assertNever } from "../../../core/assert.ts";
import { RELAY_PEER } from "../../../core/ids.ts";
import { isObject, parseJson } from "../../../core/json.ts";
import type { Action, NeuroMessage } from "../../../core/neuro-messages.ts";
import type { ShutdownKind } from "../../../core/request.ts";
import type { StepContext } from "../../../core/context.ts";
import { UPSTREAM_NAME_MAX } from "../../../core/limits.ts";
import { shorten } from "../../../core/text.ts";
import { handleGameMessage } from "../games/game-messages.ts";
import { connectGame, findOrCreateGame } from "../games/registry.ts";
import { type Game, isConnected, type NeuroState } from "../state.ts";
import { askable, shutDown } from "./shutdown.ts";

/** The name of the relay's own integration. */
const RELAY_NAME = "Neuro Relay";
const KINDS: readonly ShutdownKind[] = ["graceful", "cancel", "immediate"];

/** Registers the actions that are missing, and unregisters those whose integration has left. */
export function syncShutdownActions(state: NeuroState, ctx: StepContext): void {
  const { shutdownActions: { offered, changed }, drain } = state;
  const [gone, added]: [string[], Action[]] = [[], []];
  for (const game of changed) {
    if (!game.policy.shutdown_action && offered.size === 0) continue;
    const name = nameFor(game);
    const isOffered = offered.get(name) === game.slug;
    const isWanted = game.policy.shutdown_action && drain.is === "none" && askable(state, game).length > 0;
    if (isWanted === isOffered || (isWanted && offered.has(name))) continue;
    if (isWanted) {
      offered.set(name, game.slug);
      added.push(actionFor(name, game));
    } else {
      offered.delete(name);
      gone.push(name);
    }
  }
  changed.clear();
  if (gone.length === 0 && added.length === 0) return;
  const relay = state.integrations.get(RELAY_PEER) ?? joinRelay(state, ctx);
  if (gone.length > 0) handleGameMessage(relay, { command: "actions/unregister", names: gone }, ctx);
  if (added.length > 0) handleGameMessage(relay, { command: "actions/register", actions: added }, ctx);
  changed.delete(relay);
}

/** A message of Neuro to the relay's own integration. */
export function answerNeuro(state: NeuroState, message: NeuroMessage, ctx: StepContext): void {
  const relay = state.integrations.get(RELAY_PEER);
  if (relay === undefined) return;
  switch (message.command) {
    case "action": {
      const { success, text } = execute(state, message, ctx);
      return handleGameMessage(relay, { command: "action/result", id: message.id, success, message: text }, ctx);
    }
    case "actions/reregister_all":
      state.shutdownActions.offered.clear();
      for (const game of state.games.values()) state.shutdownActions.changed.add(game);
      return;
    case "startup":
    case "speech_finished":
    case "shutdown/graceful":
    case "shutdown/immediate":
    case "other":
      return;
    default:
      return assertNever(message);
  }
}

function execute(
  state: NeuroState,
  { name, data = "" }: NeuroMessage & { readonly command: "action" },
  ctx: StepContext,
): { readonly success: boolean; readonly text: string } {
  const slug = state.shutdownActions.offered.get(name) ?? "";
  const game = state.slugs.get(slug);
  const given = parseJson(data, 4);
  const how = KINDS.find((kind) => isObject(given) && given.how === kind);
  if (game === undefined || !isConnected(game)) return { success: false, text: "It is not connected any more." };
  if (how === undefined) return { success: false, text: `\`how\` must be one of ${KINDS.join(", ")}.` };
  const count = shutDown([game], how, ctx);
  const outcome = count > 0 ? "done" : "notNow";
  ctx.observe({ is: "operator_acted", by: "neuro", did: DID[how], to: slug, outcome });
  if (count === 0) return { success: false, text: `${game.name} was not asked to shut down before.` };
  return { success: true, text: how === "cancel" ? `${game.name} continues.` : `${game.name} was asked to shut down.` };
}

const DID = { graceful: "shut_down", immediate: "shut_down_now", cancel: "cancel_shutdown" } as const;

const nameFor = ({ slug }: Game): string => `shut_down_${slug}`.slice(0, UPSTREAM_NAME_MAX);

const actionFor = (name: string, game: Game): Action => ({
  name,
  description:
    `Asks ${shorten(game.name, 64)} to shut down: gracefully, when it is ready; immediately, with a few seconds to save; ` +
    "or takes that back with cancel.",
  schema: { type: "object", properties: { how: { enum: [...KINDS] } }, required: ["how"] },
});

function joinRelay(state: NeuroState, ctx: StepContext): Game {
  const relay = findOrCreateGame(state, { listener: "intermediary", name: RELAY_NAME }, ctx);
  state.integrations.set(RELAY_PEER, relay);
  connectGame(relay, { peer: RELAY_PEER, isStarting: true }, ctx);
  return relay;
}
