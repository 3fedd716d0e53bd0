/** Traces as the API, watchers and integrations get them: text is made, and credentials are removed, only here. */
import { assertNever } from "../../../core/assert.ts";
import type { Millis } from "../../../core/ids.ts";
import { TRACE_TEXT_LENGTH_MAX } from "../../../core/limits.ts";
import { redactedBeginning, type Secrets } from "../../../core/secrets.ts";
import type { TraceStep, TraceStepName, TraceTexts, TraceView } from "../../../core/traces/trace.ts";
import {
  type ActionRecord,
  type ContextRecord,
  type ForceRecord,
  type IgnoredRecord,
  type TraceRecord,
  wasSent,
} from "./records.ts";

/** What differs between the kinds. */
type KindFields =
  & Pick<TraceView, "outcome" | "integrations" | "names" | "actions" | "steps" | "texts">
  & Partial<Pick<TraceView, "priority" | "related" | "neuro_id">>;

/** The view of a record. `now`: for the time that an open one has taken so far. */
export function traceView(record: TraceRecord, secrets: Secrets, now: Millis): TraceView {
  const { id, kind, at, endedAt, upstream } = record;
  const fields = fieldsOf(record);
  const clean = (text: string): string => redacted(text, secrets);
  const cleanOr = (text: string | null | undefined): string | null => (text == null ? null : clean(text));
  return {
    id,
    kind,
    state: endedAt === undefined ? "open" : "ended",
    outcome: fields.outcome,
    integrations: fields.integrations,
    names: fields.names.map(clean),
    upstream,
    actions: fields.actions.map(clean),
    priority: fields.priority ?? null,
    related: cleanOr(fields.related),
    neuro_id: cleanOr(fields.neuro_id),
    texts: Object.fromEntries(
      Object.entries(fields.texts).flatMap(([name, text]) => (text === undefined ? [] : [[name, clean(text)]])),
    ),
    received_at: at,
    ended_at: endedAt ?? null,
    ms: (endedAt ?? now) - at,
    steps: fields.steps.map((step) => ({ ...step, who: cleanOr(step.who), what: cleanOr(step.what) })),
  };
}

/** A text that was kept with a record. */
export const redacted = (text: string, secrets: Secrets): string =>
  redactedBeginning(text, { lengthMax: TRACE_TEXT_LENGTH_MAX, isCut: text.length > TRACE_TEXT_LENGTH_MAX }, secrets);

function fieldsOf(record: TraceRecord): KindFields {
  switch (record.kind) {
    case "action":
      return fieldsOfAction(record);
    case "force":
      return fieldsOfForce(record);
    case "context":
      return fieldsOfContext(record);
    case "result":
      return fieldsOfIgnored(record);
    default:
      return assertNever(record);
  }
}

const step = (at: Millis, is: TraceStepName, who: string | null = null, what: string | null = null): TraceStep => ({
  at,
  is,
  who,
  what,
});

/** In the order of time. Of the same time, what happens before an action is sent comes first. */
const inOrder = (steps: readonly TraceStep[]): readonly TraceStep[] =>
  [...steps].sort((one, other) => one.at - other.at || rankOf(one) - rankOf(other));

const BEFORE_SENT: readonly TraceStepName[] = ["received", "waiting", "approved", "rejected"];

const rankOf = ({ is }: TraceStep): number => (BEFORE_SENT.includes(is) ? 0 : is === "sent" ? 1 : 2);

function fieldsOfAction(action: ActionRecord): KindFields {
  const { at, endedAt, upstream, slug, game, operator, neuroId, by, from, success, message, data, steps = [] } = action;
  const deliveries = [
    ...(slug === undefined || game === undefined ? [] : [{ slug, game, sentAt: action.sentAt }]),
    ...action.others ?? [],
  ];
  const sent = deliveries.filter(({ sentAt }) => sentAt > 0).map(({ sentAt, game }) => step(sentAt, "sent", game));
  const end = by === undefined || endedAt === undefined ? [] : [
    ...(by === "game" && deliveries.length === 1 ? [step(endedAt, "answered", from, success ? "success" : "failure")] : []),
    step(endedAt, "ended", operator ?? upstream, by),
  ];
  return {
    outcome: by === undefined ? null : success ? "succeeded" : "failed",
    integrations: deliveries.map(({ slug }) => slug),
    names: deliveries.map(({ game }) => game),
    actions: [action.name],
    related: action.force ?? null,
    neuro_id: neuroId ?? null,
    texts: texts({ data, result: message }),
    steps: [...inOrder([step(at, "received", operator ?? upstream), ...steps, ...sent]), ...end],
  };
}

function fieldsOfForce(force: ForceRecord): KindFields {
  const { at, endedAt, end, slug, name, names, query, state, priority, previous, steps } = force;
  return {
    outcome: end ?? null,
    integrations: [slug],
    names: [name],
    actions: names,
    priority,
    related: previous ?? null,
    texts: texts({ query, state }),
    steps: [
      step(at, "received", name),
      ...steps,
      ...(endedAt === undefined ? [] : [step(endedAt, "ended", null, end ?? null)]),
    ],
  };
}

function fieldsOfContext({ at, endedAt, ending, slug, name, text, upstream, steps = [] }: ContextRecord): KindFields {
  const end = wasSent(ending) ? "sent" : ending;
  const last = endedAt === undefined || end === undefined
    ? []
    : [end === "sent" ? step(endedAt, "sent", upstream) : step(endedAt, "ended", null, end)];
  return {
    outcome: end ?? null,
    integrations: slug === undefined ? [] : [slug],
    names: [name],
    actions: [],
    texts: { context: text },
    steps: [step(at, "received", name), ...steps, ...last],
  };
}

function fieldsOfIgnored({ at, slug, name, of, success, message, why, steps = [] }: IgnoredRecord): KindFields {
  return {
    outcome: "ignored",
    integrations: [slug],
    names: [name],
    actions: [],
    related: of ?? null,
    texts: texts({ result: message }),
    steps: [step(at, "received", name, success ? "success" : "failure"), ...steps, step(at, "ended", null, why)],
  };
}

const texts = (given: { readonly [Name in keyof TraceTexts]: string | undefined }): TraceTexts =>
  Object.fromEntries(Object.entries(given).filter(([, text]) => text !== undefined));
