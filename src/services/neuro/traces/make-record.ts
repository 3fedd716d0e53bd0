/**
 * Makes the records of traces, of objects that are open or have just ended.
 *
 * Invariant: MR1 a record is made once, when its object ends, and a step is recorded only where the path is not the usual one.
 */
import type { StepContext } from "../../../core/context.ts";
import type { Millis } from "../../../core/ids.ts";
import { TRACE_NAMES_MAX, TRACE_STEPS_MAX, TRACE_TEXT_LENGTH_MAX } from "../../../core/limits.ts";
import type { ResultMessage } from "../../../core/neuro-messages.ts";
import type { ForceEnd, ResultOrigin } from "../../../core/observation.ts";
import { keptBeginning, type Secrets } from "../../../core/secrets.ts";
import type { ContextEnd, TraceStep, TraceStepName } from "../../../core/traces/trace.ts";
import type { ContextSource, Force, Game, PendingAction } from "../state.ts";
import type { ActionRecord, ContextRecord, DeliveryRecord, ForceRecord, IgnoredRecord, ResultRecord } from "./records.ts";

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
  result: ResultRecord | undefined,
  endedAt: Millis | undefined,
): ActionRecord {
  const { id, startedAt, origin, upstream, action, force, deliveries, steps } = pending;
  const { service: { secrets } } = upstream;
  const data = pending.data === undefined ? undefined : kept(pending.data, secrets);
  const message = result?.message;
  const bytes = RECORD_BYTES + DELIVERY_BYTES * deliveries.length + stepBytes(steps) +
    2 * ((data?.length ?? 0) + (message?.length ?? 0));
  return {
    kind: "action",
    id,
    at: startedAt,
    endedAt,
    upstream: upstream.id,
    bytes,
    neuroId: origin.is === "neuro" ? origin.id : undefined,
    operator: origin.is === "person" ? origin.by : undefined,
    name: action.originalName,
    data,
    force: force?.id,
    deliveries: deliveries.map(({ gameAction: { game: { slug, name } }, sentAt }) => ({ slug, name, sentAt })),
    steps,
    result,
  };
}

/** An action of Neuro that never was pending, with the result that she gets: of the relay, or of the integration `to`. */
export function unregisteredActionRecord(
  { id, neuroId, name, data, upstream, message, success, by, to }: {
    readonly id: string;
    readonly neuroId: string;
    readonly name: string;
    readonly data: string | undefined;
    readonly upstream: string;
    readonly message: string | undefined;
    readonly success: boolean;
    readonly by: ResultOrigin;
    readonly to?: DeliveryRecord;
  },
  secrets: Secrets,
  now: Millis,
): ActionRecord {
  const text = data === undefined ? undefined : kept(data, secrets);
  const answer = message === undefined ? undefined : kept(message, secrets);
  return {
    kind: "action",
    id,
    at: to?.sentAt ?? now,
    endedAt: now,
    upstream,
    bytes: RECORD_BYTES + DELIVERY_BYTES + 2 * ((text?.length ?? 0) + neuroId.length + name.length + (answer?.length ?? 0)),
    neuroId,
    operator: undefined,
    name: kept(name, secrets),
    data: text,
    force: undefined,
    deliveries: to === undefined ? [] : [to],
    steps: undefined,
    result: { success, message: answer, by, from: to?.name ?? "relay" },
  };
}

export const resultRecord = (
  { success, message, origin }: {
    readonly success: boolean;
    readonly message: string | undefined;
    readonly origin: ResultOrigin;
  },
  from: string,
  secrets: Secrets,
): ResultRecord => ({ success, message: message === undefined ? undefined : kept(message, secrets), by: origin, from });

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

/** What a record needs of a context. */
export interface TracedContext {
  readonly id: string;
  readonly at: Millis;
  readonly source: Pick<ContextSource, "slug" | "name">;
  readonly message: string;
  readonly steps?: readonly TraceStep[] | undefined;
}

/** A context that is open, or has ended. */
export function contextRecord(
  { id, at, source: { slug, name }, message, steps }: TracedContext,
  { upstream, secrets }: { readonly upstream: string; readonly secrets: Secrets },
  ended: { readonly end: ContextEnd; readonly at: Millis } | undefined,
): ContextRecord {
  const text = kept(message, secrets);
  const bytes = RECORD_BYTES + stepBytes(steps) + 2 * text.length;
  return { kind: "context", id, at, endedAt: ended?.at, upstream, bytes, slug, name, text, steps, end: ended?.end };
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
