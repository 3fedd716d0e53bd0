/**
 * Records traces: each goes to the ring of its integrations, to watchers that want the event, and to integrations that asked for it.
 *
 * Nothing is recorded, and no record is made, while `traces.per_integration` is 0.
 */
import type { StepContext } from "../../../core/context.ts";
import type { Millis } from "../../../core/ids.ts";
import type { ResultMessage } from "../../../core/neuro-messages.ts";
import type { ForceEnd, ResultOrigin } from "../../../core/observation.ts";
import type { ContextEnd, TraceStep, TraceStepName, TraceView } from "../../../core/traces/trace.ts";
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
  contextRecord,
  forceRecord,
  ignoredRecord,
  newStep,
  resultRecord,
  type TracedContext,
  unregisteredActionRecord,
} from "./make-record.ts";
import type { TraceRecord } from "./records.ts";
import { traceView } from "./views.ts";

/** An action has ended with the result of this delivery. */
export function traceAction(
  pending: PendingAction,
  { delivery = pending.deliveries[0], ...result }: {
    readonly success: boolean;
    readonly message: string | undefined;
    readonly origin: ResultOrigin;
    readonly delivery?: Delivery;
  },
  ctx: StepContext,
): void {
  const { service } = pending.upstream;
  if (!service.otherTraces.isOn) return;
  const from = delivery?.gameAction.game.name ?? "";
  const record = actionRecord(pending, resultRecord(result, from, service.secrets), ctx.now);
  for (const { gameAction: { game } } of pending.deliveries) game.traces.add(record);
  publish(service, record, ctx);
  for (const { gameAction: { game } } of pending.deliveries) sendTo(game, record, ctx);
}

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
  const name = DELIVERY_STEPS[event];
  if (name === undefined && (event === "written" || pending.deliveries.length === 1)) return;
  addActionStep(pending, newStep(ctx, name ?? "answered", gameAction.game.name, event));
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

/** An action of Neuro that never was pending, with the result that she got. `game`: the integration that got it all the same. */
export function traceUnregisteredAction(
  { id: upstream, service }: Upstream,
  { game, sentAt = 0, ...action }:
    & Omit<Parameters<typeof unregisteredActionRecord>[0], "upstream" | "to">
    & { readonly game?: Game; readonly sentAt?: Millis },
  ctx: StepContext,
): void {
  if (!service.otherTraces.isOn) return;
  const to = game && { slug: game.slug, name: game.name, sentAt };
  const record = unregisteredActionRecord({ ...action, upstream, ...(to && { to }) }, service.secrets, ctx.now);
  keep(service, game, record, ctx);
}

/** A force has ended. */
export function traceForce(force: Force, end: ForceEnd, ctx: StepContext): void {
  const { game } = force;
  if (game.traces.isOn) keep(game.service, game, forceRecord(force, end, ctx.now), ctx);
}

/** A context has ended. */
export function traceContext(
  { service, id: upstream }: Upstream,
  context: TracedContext & { readonly source: ContextSource },
  end: ContextEnd,
  ctx: StepContext,
): void {
  const { source } = context;
  if (!source.traces.isOn) return;
  const record = contextRecord(context, { upstream, secrets: service.secrets }, { end, at: ctx.now });
  source.traces.add(record);
  publish(service, record, ctx);
  const game = service.games.get(source.key);
  if (game !== undefined) sendTo(game, record, ctx);
}

/** A result was ignored. */
export function traceIgnored(game: Game, result: ResultMessage, why: string, ctx: StepContext): void {
  if (game.traces.isOn) keep(game.service, game, ignoredRecord(game, result, why, ctx), ctx);
}

function keep(service: NeuroState, game: Game | undefined, record: TraceRecord, ctx: StepContext): void {
  (game?.traces ?? service.otherTraces).add(record);
  publish(service, record, ctx);
  if (game !== undefined) sendTo(game, record, ctx);
}

/** The event for watchers, if one wants it. */
function publish({ secrets }: NeuroState, record: TraceRecord, ctx: StepContext): void {
  if (ctx.countUnread?.("trace_ended") === true) return;
  ctx.observe({ is: "trace_ended", trace: traceView(record, secrets, ctx.now) });
}

function sendTo(game: Game, record: TraceRecord, ctx: StepContext): void {
  if (!game.wantsTraces || !isConnected(game)) return;
  const trace = traceFor(game, traceView(record, game.service.secrets, ctx.now));
  // Why the second attempt: the smallest buffer of a game's SDK may be too small for the texts and the names.
  if (!send(game, trace, ctx)) send(game, { ...trace, texts: {}, actions: [] }, ctx);
}

const send = (game: Game, trace: TraceView, ctx: StepContext): boolean =>
  toGame(game, { command: "other", name: TRACE_COMMAND, data: { trace } }, ctx);
