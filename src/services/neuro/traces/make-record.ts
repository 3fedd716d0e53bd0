/**
 * Makes the records of traces, of objects that are open or have just ended.
 *
 * Invariant: MR1 a record is made once, when its object ends, and a step is recorded only where the path is not the usual one.
 */
import type { StepContext } from "../../../core/context.ts";
import type { Millis } from "../../../core/ids.ts";
import { TRACE_NAMES_MAX, TRACE_STEPS_MAX, TRACE_TEXT_LENGTH_MAX } from "../../../core/limits.ts";
import type { ContextMessage, ResultMessage } from "../../../core/neuro-messages.ts";
import type { ForceEnd, ResultOrigin } from "../../../core/observation.ts";
import { keptBeginning, type Secrets } from "../../../core/secrets.ts";
import type { TraceStep, TraceStepName } from "../../../core/traces/trace.ts";
import type { ContextSource, Delivery, Force, Game, PendingAction, Upstream } from "../state.ts";
import {
  type ActionRecord,
  type ContextEnding,
  type ContextRecord,
  type DeliveryRecord,
  type ForceRecord,
  type IgnoredRecord,
  wasSent,
} from "./records.ts";

/** A record without its texts and steps, and one delivery. Measured in memory, and rounded up. */
const RECORD_BYTES = 512;
const STEP_BYTES = 128;
const DELIVERY_BYTES = 128;

const kept = (text: string, secrets: Secrets): string => keptBeginning(text, TRACE_TEXT_LENGTH_MAX, secrets);

const stepBytes = (
  steps: readonly TraceStep[] | undefined,
): number => (steps === undefined ? 0 : STEP_BYTES * steps.length);

export const newStep = (
  ctx: Pick<StepContext, "now">,
  is: TraceStepName,
  who: string | null = null,
  what: string | null = null,
): TraceStep => ({ at: ctx.now, is, who, what });

/** Adds a step. In place of what would be too many, the last one is replaced. */
export function addStep(steps: TraceStep[], step: TraceStep): void {
  if (steps.length >= TRACE_STEPS_MAX) steps.length = TRACE_STEPS_MAX - 1;
  steps.push(step);
}

/** The steps with one that says how a message was repaired; undefined for a message that needed no repair. */
export const repairSteps = (
  { repairs }: { readonly repairs?: readonly string[] | undefined },
  ctx: Pick<StepContext, "now">,
): TraceStep[] | undefined => (repairs === undefined ? undefined : [newStep(ctx, "repaired", null, repairs.join(", "))]);

/** An action that is open, or has ended with this result. */
export function actionRecord(
  pending: PendingAction,
  result: PassedResult | undefined,
  endedAt: Millis | undefined,
): ActionRecord {
  const { upstream, origin, deliveries, steps } = pending;
  const { secrets } = upstream.service;
  const data = pending.data === undefined ? undefined : kept(pending.data, secrets);
  const message = result?.message === undefined ? undefined : kept(result.message, secrets);
  const first = deliveries[0];
  const game = first?.gameAction.game;
  return {
    kind: "action",
    id: pending.id,
    at: pending.startedAt,
    endedAt,
    upstream: upstream.id,
    bytes: RECORD_BYTES + DELIVERY_BYTES * (deliveries.length - 1) + stepBytes(steps) +
      2 * ((data?.length ?? 0) + (message?.length ?? 0)),
    neuroId: origin.is === "neuro" ? origin.id : undefined,
    operator: origin.is === "person" ? origin.by : undefined,
    name: pending.action.originalName,
    data,
    force: pending.force?.id,
    slug: game?.slug,
    game: game?.name,
    sentAt: first?.sentAt ?? 0,
    others: deliveries.length > 1 ? deliveries.slice(1).map(deliveryRecord) : undefined,
    steps,
    success: result?.success === true,
    message,
    by: result?.origin,
    from: (result?.delivery ?? first)?.gameAction.game.name ?? "",
    sequence: pending.sequence,
    resultSequence: pending.resultSequence,
  };
}

const deliveryRecord = ({ gameAction: { game: { slug, name } }, sentAt }: Delivery): DeliveryRecord => ({
  slug,
  game: name,
  sentAt,
});

/** The result of an action, as the pending action ends with it. */
export interface PassedResult {
  readonly success: boolean;
  readonly message: string | undefined;
  readonly origin: ResultOrigin;
  readonly delivery?: Delivery;
}

/** An action of Neuro that never was pending. */
export interface UnregisteredAction {
  readonly id: string;
  readonly neuroId: string;
  readonly name: string;
  readonly data: string | undefined;
  readonly success: boolean;
  readonly message: string | undefined;
  /** Neuro got the result. */
  readonly isReported: boolean;
  readonly by: ResultOrigin;
  /** The integration that got it all the same, and when. */
  readonly to?: { readonly game: Game; readonly sentAt: Millis };
}

/** An action of Neuro that never was pending, with the result that she gets. */
export function unregisteredActionRecord(
  { id, service }: Upstream,
  action: UnregisteredAction,
  now: Millis,
): ActionRecord {
  const { secrets } = service;
  const data = action.data === undefined ? undefined : kept(action.data, secrets);
  const message = action.message === undefined ? undefined : kept(action.message, secrets);
  const { neuroId, name, to } = action;
  return {
    kind: "action",
    id: action.id,
    at: to?.sentAt ?? now,
    endedAt: now,
    upstream: id,
    bytes: RECORD_BYTES + 2 * ((data?.length ?? 0) + neuroId.length + name.length + (message?.length ?? 0)),
    neuroId,
    operator: undefined,
    name: kept(name, secrets),
    data,
    force: undefined,
    slug: to?.game.slug,
    game: to?.game.name,
    sentAt: to?.sentAt ?? 0,
    others: undefined,
    steps: undefined,
    success: action.success,
    message,
    by: action.by,
    from: to?.game.name ?? "relay",
    sequence: ++service.messageCount,
    resultSequence: action.isReported ? ++service.messageCount : 0,
  };
}

/** A force that is open, or has ended. */
export function forceRecord(force: Force, end: ForceEnd | undefined, endedAt: Millis | undefined): ForceRecord {
  const { id, game, requestedAt, previous, steps, message: { query, state, priority, names } } = force;
  const { slug, name, upstream, service: { secrets } } = game;
  const texts = { query: kept(query, secrets), state: state === undefined ? undefined : kept(state, secrets) };
  const listed = names.length <= TRACE_NAMES_MAX ? names : names.slice(0, TRACE_NAMES_MAX);
  const bytes = RECORD_BYTES + stepBytes(steps) + 2 * (texts.query.length + (texts.state?.length ?? 0)) +
    listed.reduce((sum, each) => sum + 64 + 2 * each.length, 0);
  return {
    kind: "force",
    id,
    at: requestedAt,
    endedAt,
    upstream: upstream.id,
    bytes,
    slug,
    name,
    ...texts,
    priority,
    previous,
    names: listed,
    steps,
    end,
  };
}

/** The record of a context that has just arrived. */
export function newContextRecord(
  { id: upstream }: Upstream,
  { slug, name }: Pick<ContextSource, "slug" | "name">,
  context: Pick<ContextMessage, "message" | "repairs">,
  ctx: Pick<StepContext, "id" | "now">,
): ContextRecord {
  return {
    kind: "context",
    id: ctx.id(),
    at: ctx.now,
    endedAt: undefined,
    upstream,
    bytes: 0,
    slug,
    name,
    text: context.message,
    steps: repairSteps(context, ctx),
    ending: undefined,
    sequence: 0,
  };
}

/** The record of a context that is open, with no more of its text than it will have. */
export const openContextRecord = ({ service: { secrets } }: Upstream, record: ContextRecord): ContextRecord => ({
  ...record,
  text: kept(record.text, secrets),
});

/** Completes the record of a context that has ended. */
export function endContextRecord(
  { id, service }: Upstream,
  record: ContextRecord,
  ending: ContextEnding,
  now: Millis,
): void {
  record.endedAt = now;
  record.upstream = id;
  record.text = kept(record.text, service.secrets);
  record.bytes = RECORD_BYTES + stepBytes(record.steps) + 2 * record.text.length;
  record.ending = ending;
  if (wasSent(ending)) record.sequence = ++service.messageCount;
}

/** A result that is ignored. */
export function ignoredRecord(
  { slug, name, upstream, service: { secrets } }: Game,
  { id: of, success, message, ...repaired }: ResultMessage,
  why: string,
  ctx: StepContext,
): IgnoredRecord {
  const text = message === undefined ? undefined : kept(message, secrets);
  const named = of === undefined ? undefined : kept(of, secrets);
  const bytes = RECORD_BYTES + STEP_BYTES + 2 * ((text?.length ?? 0) + (named?.length ?? 0));
  return {
    kind: "result",
    id: ctx.id(),
    at: ctx.now,
    endedAt: ctx.now,
    upstream: upstream.id,
    bytes,
    slug,
    name,
    of: named,
    message: text,
    success,
    why,
    steps: repairSteps(repaired, ctx),
  };
}
