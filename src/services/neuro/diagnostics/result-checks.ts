/** Diagnostics of the results of actions: when they come, what they say, and whether the data of the action was checked. */
import type { ResultMessage } from "../../../core/neuro-messages.ts";
import type { Observation } from "../../../core/observation.ts";
import type { Millis } from "../../../core/ids.ts";
import type { StepContext } from "../../../core/context.ts";
import { checkData, compileSchema } from "../codec/validate-data.ts";
import { countsOf, type Delivery, type Game, type PendingAction } from "../state.ts";
import { traceIgnored } from "../traces/trace.ts";
import { diagnose } from "./diagnose.ts";

type IgnoredWhy = (Observation & { readonly is: "result_ignored" })["why"];

const IGNORED = {
  late: "result_late",
  twice: "result_repeated",
  foreign: "result_foreign",
  unknown: "result_unknown",
} as const;

/** A result is ignored. */
export function reportIgnored(game: Game, why: IgnoredWhy, result: ResultMessage, ctx: StepContext): void {
  ctx.observe({ is: "result_ignored", from: game.name, why });
  const trace = traceIgnored(game, result, why, ctx);
  diagnose(game, IGNORED[why], { detail: (result.id ?? "").slice(0, 128), message: result, trace }, ctx);
}

/** The result of a delivery that its game has sent. */
export function checkResult(pending: PendingAction, delivery: Delivery, result: ResultMessage, ctx: StepContext): void {
  const { game, name } = delivery.gameAction;
  const ms = ctx.now - delivery.sentAt;
  if (ms > game.service.settings.diagnostics.result) {
    diagnose(game, "result_slow", { detail: `${name} after ${ms} ms`, message: result, trace: pending.id }, ctx);
  }
  if (!result.success && (result.message ?? "") === "") {
    diagnose(game, "failure_without_message", { detail: name, message: result, trace: pending.id }, ctx);
  }
  if (pending.schema !== undefined && mustCheckData(game, result)) reportInvalidData(pending, delivery, result, ctx);
}

/** The first successes of a game whose data is checked, and the interval afterwards. */
const CHECKED_FIRST = 8;
const CHECKED_EVERY = 512;

/** Why not each one: compiling the schema and checking the data would take longer than everything else that an action costs. */
function mustCheckData(game: Game, { success }: ResultMessage): boolean {
  const { actions } = countsOf(game);
  return !success || actions <= CHECKED_FIRST || actions % CHECKED_EVERY === 0;
}

function reportInvalidData(
  { id: trace, schema, data = "" }: PendingAction,
  { gameAction: { game, name } }: Delivery,
  result: ResultMessage,
  ctx: StepContext,
): void {
  const checked = checkData(schema === undefined ? undefined : compileSchema(schema), data);
  if (checked.ok) return;
  const id = result.success ? "data_not_checked" : "data_invalid";
  diagnose(game, id, { detail: `${name}: ${checked.reason}`, message: data, trace }, ctx);
}

/** A connection that breaks this soon after an action probably breaks because of it. */
const BREAK_MS: Millis = 2_000;
/** Codes with which a program ends a connection on purpose. */
const ORDERLY: ReadonlySet<number> = new Set([1000, 1001, 1005]);

/** The connection of a game has ended, with this code. */
export function checkBreak(game: Game, code: number, ctx: StepContext): void {
  if (ORDERLY.has(code)) return;
  const since = ctx.now - BREAK_MS;
  const unknown = game.unregisteredActions.find(({ sentAt }) => sentAt >= since);
  const invalid = game.pending.find((pending) => hasGot(game, pending, since) && !hasValidData(pending));
  const name = unknown?.name ?? invalid?.action.originalName;
  if (name !== undefined) {
    const { data: message, id: trace } = invalid ?? {};
    diagnose(game, "broken_by_action", { detail: `${name}; it closed with ${code}`, message, trace }, ctx);
  }
}

const hasGot = (game: Game, { deliveries }: PendingAction, since: Millis): boolean =>
  deliveries.some((delivery) => delivery.gameAction.game === game && delivery.sentAt >= since);

const hasValidData = ({ schema, data = "" }: PendingAction): boolean =>
  schema === undefined || checkData(compileSchema(schema), data).ok;
