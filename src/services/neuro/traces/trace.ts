/**
 * Records traces: each goes to the ring of its integrations, to watchers that want the event, and to integrations that asked for it.
 *
 * Nothing is recorded, and no record is made, while `traces.per_integration` is 0.
 */
import type { StepContext } from "../../../core/context.ts";
import type { ResultMessage } from "../../../core/neuro-messages.ts";
import type { ForceEnd } from "../../../core/observation.ts";
import type { TraceStep, TraceStepName, TraceView } from "../../../core/traces/trace.ts";
import type { DeliveryEvent } from "../pending/states.ts";
import {
  type ContextSource,
  type Delivery,
  type Force,
  type Game,
  isConnected,
  type NeuroState,
  type PendingAction,
  type Upstream,
} from "../state.ts";
import { toGame } from "../outbound.ts";
import { TRACE_COMMAND, traceFor } from "./opt-in.ts";
import {
  actionRecord,
  addStep,
  forceRecord,
  ignoredRecord,
  newStep,
  type PassedResult,
  type UnregisteredAction,
  unregisteredActionRecord,
} from "./make-record.ts";
import { type ContextRecord, type TraceRecord, wasSent } from "./records.ts";
import { traceView } from "./views.ts";

/** An action has ended with this result. */
export function traceAction(pending: PendingAction, result: PassedResult, ctx: StepContext): void {
  const { upstream, deliveries } = pending;
  if (!isRecording(upstream)) return;
  const record = actionRecord(pending, result, ctx.now);
  if (pending.origin.is === "neuro") upstream.transcript.add(record);
  for (const { gameAction: { game } } of deliveries) game.traces.add(record);
  publish(upstream.service, record, ctx);
  for (const { gameAction: { game } } of deliveries) sendTo(game, record, ctx);
}

const isRecording = ({ service, transcript }: Upstream): boolean => service.otherTraces.isOn || transcript.isOn;

/** Adds a step to the trace of an action. */
export function addActionStep(pending: PendingAction, step: TraceStep): void {
  if (pending.upstream.service.otherTraces.isOn) addStep(pending.steps ??= [], step);
}

/** The step for an event of a delivery; the usual ones have none, because their times are known. */
export function traceDelivery(
  pending: PendingAction,
  { gameAction }: Delivery,
  event: DeliveryEvent,
  ctx: StepContext,
): void {
  if (event === "written") return;
  const isResult = event === "success" || event === "failure";
  if (isResult && pending.deliveries.length === 1) return;
  addActionStep(pending, newStep(ctx, DELIVERY_STEPS[event] ?? "answered", gameAction.game.name, event));
}

const DELIVERY_STEPS: Readonly<Partial<Record<DeliveryEvent, TraceStepName>>> = {
  approved: "approved",
  rejected: "rejected",
  evidence: "presumed",
  unheard: "doubtful",
  oversized: "undelivered",
  lost: "undelivered",
  held: "undelivered",
};

/** An action of Neuro that never was pending has ended. */
export function traceUnregisteredAction(upstream: Upstream, action: UnregisteredAction, ctx: StepContext): void {
  if (!isRecording(upstream)) return;
  const record = unregisteredActionRecord(upstream, action, ctx.now);
  upstream.transcript.add(record);
  keep(upstream.service, action.to?.game, record, ctx);
}

/** A force has ended. */
export function traceForce(force: Force, end: ForceEnd, ctx: StepContext): void {
  const { game } = force;
  if (game.traces.isOn) keep(game.service, game, forceRecord(force, end, ctx.now), ctx);
}

/** A context has ended, and its record is complete. */
export function traceContext(upstream: Upstream, source: ContextSource, record: ContextRecord, ctx: StepContext): void {
  if (!isRecording(upstream)) return;
  const { service } = upstream;
  if (wasSent(record.ending)) upstream.transcript.add(record);
  source.traces.add(record);
  publish(service, record, ctx);
  const game = source.wantsTraces === true ? service.games.get(source.key) : undefined;
  if (game !== undefined) sendTo(game, record, ctx);
}

/** A result was ignored. */
export function traceIgnored(game: Game, result: ResultMessage, why: string, ctx: StepContext): string | undefined {
  if (!game.traces.isOn) return undefined;
  const record = ignoredRecord(game, result, why, ctx);
  keep(game.service, game, record, ctx);
  return record.id;
}

function keep(service: NeuroState, game: Game | undefined, record: TraceRecord, ctx: StepContext): void {
  (game?.traces ?? service.otherTraces).add(record);
  publish(service, record, ctx);
  if (game !== undefined) sendTo(game, record, ctx);
}

/** The event for watchers, if one wants it. */
function publish({ isTraceWatched, otherTraces, secrets }: NeuroState, record: TraceRecord, ctx: StepContext): void {
  if (isTraceWatched && otherTraces.isOn) ctx.observe({ is: "trace_ended", trace: traceView(record, secrets, ctx.now) });
}

function sendTo(game: Game, record: TraceRecord, ctx: StepContext): void {
  if (!game.wantsTraces || !game.traces.isOn || !isConnected(game)) return;
  const trace = traceFor(game, traceView(record, game.service.secrets, ctx.now));
  // Why the second attempt: the smallest buffer of a game's SDK may be too small for the texts and the names.
  if (!send(game, trace, ctx)) send(game, { ...trace, texts: {}, actions: [] }, ctx);
}

const send = (game: Game, trace: TraceView, ctx: StepContext): boolean =>
  toGame(game, { command: "other", name: TRACE_COMMAND, data: { trace } }, ctx);
