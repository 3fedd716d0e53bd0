/**
 * Actions that a person sends: to exactly one integration, as Neuro would, and whoever sent one is told what came of it.
 *
 * Neither a pause nor the kill switch holds them back, and they need no approval: those are for what Neuro does.
 *
 * Invariants: P1 no result of such an action goes to Neuro; P2 what is sent is an action that is registered, with data that fits its
 * schema; P3 at most `ORDERS_MAX` wait for a result.
 */
import type { RequestId } from "../../../core/ids.ts";
import type { Json } from "../../../core/json.ts";
import { failed, ok, type Result } from "../../../core/result.ts";
import type { StepContext } from "../../../core/context.ts";
import { checkData, compileSchema } from "../codec/validate-data.ts";
import type { Game, GameAction, NeuroState } from "../state.ts";
import { requestOf, startAction } from "../pending/pending.ts";

const MANUAL_ACTIONS_MAX = 32;

export interface ManualAction {
  readonly requestId: RequestId;
  readonly name: string;
  readonly data: string | undefined;
}

/** Sends an action; the call is answered when its result is there. */
export function sendAction(
  game: Game,
  { requestId, name, data }: ManualAction,
  ctx: StepContext,
): Result<Json | undefined> {
  const ready = checkAction(game, { name, data });
  if (!ready.ok) return ready;
  const { owned, data: checked } = ready.value;
  const { upstreamAction } = owned;
  const origin = { is: "person" as const, request: requestId };
  startAction({ origin, action: upstreamAction, data: checked, force: undefined, recipients: [owned] }, ctx);
  return ok(undefined);
}

/** What is to be sent, if it can be sent now. */
export function checkAction(
  game: Game,
  order: { readonly name: string; readonly data: string | undefined },
): Result<{ readonly owned: GameAction; readonly data: string | undefined }> {
  const { service: state } = game;
  if (state.drainUntil !== undefined) return failed("restarting", "the relay restarts");
  const owned = game.actions.get(order.name);
  if (owned === undefined) return failed("notFound", `${game.name} has no action ${order.name.slice(0, 64)}`);
  if (game.peer === undefined) return failed("notNow", `${game.name} is not connected`);
  if (owned.isUnconfirmed) return failed("notNow", `${game.name} is just starting anew`);
  if (countManualActions(state) >= MANUAL_ACTIONS_MAX) {
    return failed("rateLimit", `${MANUAL_ACTIONS_MAX} actions wait for their results already`);
  }
  const { schema } = owned.upstreamAction.definition;
  const given = order.data?.trim() ?? "";
  if (schema === undefined) {
    return given === "" || given === "{}"
      ? ok({ owned, data: undefined })
      : failed("badMessage", `${order.name.slice(0, 64)} takes no data`);
  }
  const data = checkData(compileSchema(schema), given);
  return data.ok ? ok({ owned, data: data.value }) : data;
}

function countManualActions(state: NeuroState): number {
  let orders = 0;
  for (const { pendingActions } of state.upstreams.values()) {
    for (const pending of pendingActions.byId.values()) if (requestOf(pending) !== undefined) orders++;
  }
  return orders;
}
