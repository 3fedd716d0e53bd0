/**
 * Actions that a person sends to one integration, as Neuro would. The person gets the result.
 *
 * They need no approval, and neither a pause nor the kill switch stops them: those controls are for Neuro's actions.
 *
 * Invariants: P1 no result of such an action goes to Neuro; P2 the action is registered and its data fits its schema; P3 at most
 * `MANUAL_ACTIONS_MAX` wait for a result.
 */
import type { RequestId } from "../../../core/ids.ts";
import type { Json } from "../../../core/json.ts";
import { failed, ok, type Result } from "../../../core/result.ts";
import type { StepContext } from "../../../core/context.ts";
import { checkData, compileSchema } from "../codec/validate-data.ts";
import { type Game, type GameAction, isConnected, type NeuroState } from "../state.ts";
import { newDelivery, requestOf, startAction } from "../pending/pending.ts";
import { allPending } from "../pending/pending-actions.ts";

const MANUAL_ACTIONS_MAX = 32;

export interface ManualAction {
  readonly requestId: RequestId;
  /** The name of the operator. */
  readonly by: string;
  readonly name: string;
  readonly data: string | undefined;
}

/** Sends an action. The request is answered with its result. */
export function sendAction(
  game: Game,
  { requestId, by, name, data }: ManualAction,
  ctx: StepContext,
): Result<Json | undefined> {
  const ready = checkAction(game, { name, data });
  if (!ready.ok) return ready;
  const { gameAction, data: checked } = ready.value;
  const { upstreamAction } = gameAction;
  const origin = { is: "person" as const, request: requestId, by };
  const deliveries = [newDelivery(gameAction)];
  startAction({ origin, action: upstreamAction, data: checked, force: undefined, deliveries }, ctx);
  return ok(undefined);
}

/** The action and its validated data, if it can be sent now. */
export function checkAction(
  game: Game,
  order: { readonly name: string; readonly data: string | undefined },
): Result<{ readonly gameAction: GameAction; readonly data: string | undefined }> {
  const { service: state } = game;
  if (state.drain.is !== "none") return failed("restarting", "the relay is shutting down");
  const gameAction = game.actions.get(order.name);
  if (gameAction === undefined) return failed("notFound", `${game.name} has no action ${order.name.slice(0, 64)}`);
  if (!isConnected(game)) return failed("notNow", `${game.name} is not connected`);
  if (gameAction.isUnconfirmed) {
    return failed("notNow", `${game.name} has restarted and has not registered ${order.name.slice(0, 64)} again yet`);
  }
  if (countManualActions(state) >= MANUAL_ACTIONS_MAX) {
    return failed("rateLimit", `${MANUAL_ACTIONS_MAX} manual actions wait for results already; wait for one of them`);
  }
  const data = checkActionData(gameAction, order.data);
  return data.ok ? ok({ gameAction, data: data.value }) : data;
}

/** The data of an action, if it fits its schema. */
export function checkActionData(
  { name, upstreamAction }: GameAction,
  data: string | undefined,
): Result<string | undefined> {
  const { schema } = upstreamAction.definition;
  const given = data?.trim() ?? "";
  if (schema !== undefined) return checkData(compileSchema(schema), given);
  return given === "" || given === "{}"
    ? ok(undefined)
    : failed("badMessage", `${name.slice(0, 64)} takes no data; leave it empty`);
}

function countManualActions(state: NeuroState): number {
  let count = 0;
  for (const { pendingActions } of state.upstreams.values()) {
    for (const pending of allPending(pendingActions)) if (requestOf(pending) !== undefined) count++;
  }
  return count;
}
