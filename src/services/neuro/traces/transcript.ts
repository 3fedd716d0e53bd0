/**
 * The transcript of one upstream: what Neuro was sent, in order and as she read it, and the actions that she sent.
 *
 * A context and an action with its result are in it as the records of their traces, all other messages as records of their own.
 *
 * Invariant: TS1 the transcript has each message that was handed to her connection, and no message that was not.
 */
import { assertNever } from "../../../core/assert.ts";
import type { StepContext } from "../../../core/context.ts";
import { TRACE_NAMES_MAX, TRACE_TEXT_LENGTH_MAX } from "../../../core/limits.ts";
import type { GameMessage } from "../../../core/neuro-messages.ts";
import { keptBeginning, type Secrets } from "../../../core/secrets.ts";
import { newestOf, type TranscriptFilter, type TranscriptView } from "../../../core/traces/trace.ts";
import type { Page } from "../../../core/view.ts";
import { allPending } from "../pending/pending-actions.ts";
import type { NeuroState, Upstream } from "../state.ts";
import { actionRecord } from "./make-record.ts";
import {
  type ActionRecord,
  type ContextRecord,
  type MessageRecord,
  type Sequence,
  type TranscriptRecord,
  wasSent,
} from "./records.ts";
import { redacted } from "./views.ts";

/** A record without its texts. Measured in memory, and rounded up. */
const RECORD_BYTES = 384;
const NONE: readonly string[] = [];

type MessageFields =
  & Pick<MessageRecord, "is" | "trace">
  & Partial<Pick<MessageRecord, "names" | "text" | "state" | "success">>;

/** Neuro was sent a message that is no part of another record. `from`: the integration whose message it is. */
export function transcribe(upstream: Upstream, message: GameMessage, from: string, ctx: StepContext): void {
  if (upstream.transcript.isOn) addMessage(upstream, from, fieldsOf(message), ctx);
}

/** Neuro was sent a frame of an operator, verbatim. */
export function transcribeFrame(upstream: Upstream, frame: string, from: string, ctx: StepContext): void {
  if (upstream.transcript.isOn) addMessage(upstream, from, { is: "other", trace: undefined, text: frame }, ctx);
}

function fieldsOf(message: GameMessage): MessageFields {
  switch (message.command) {
    case "context":
      return { is: "context", trace: undefined, text: message.message };
    case "actions/force": {
      const { trace, names, query, state } = message;
      return { is: "force", trace, names, text: query, state };
    }
    case "action/result":
      return { is: "result", trace: message.trace, text: message.message ?? "", success: message.success };
    case "actions/register": {
      const names = message.actions.slice(0, TRACE_NAMES_MAX).map(({ name }) => name);
      return { is: "registered", trace: undefined, names };
    }
    case "actions/unregister":
      return { is: "unregistered", trace: undefined, names: message.names };
    case "startup":
      return { is: "startup", trace: undefined };
    case "shutdown/ready":
      return { is: "other", trace: undefined, text: message.command };
    case "other":
      return { is: "other", trace: undefined, text: message.name };
    default:
      return assertNever(message);
  }
}

function addMessage(
  { id: upstream, transcript, service }: Upstream,
  from: string,
  fields: MessageFields,
  ctx: StepContext,
): void {
  const { is, trace, names = NONE, text = "", state, success } = fields;
  const { secrets } = service;
  const kept = keptBeginning(text, TRACE_TEXT_LENGTH_MAX, secrets);
  const keptState = state === undefined ? undefined : keptBeginning(state, TRACE_TEXT_LENGTH_MAX, secrets);
  const listed = names.length <= TRACE_NAMES_MAX ? names : names.slice(0, TRACE_NAMES_MAX);
  let bytes = RECORD_BYTES + 2 * (kept.length + (keptState?.length ?? 0));
  for (const name of listed) bytes += 64 + 2 * name.length;
  transcript.add({
    kind: "message",
    sequence: ++service.messageCount,
    at: ctx.now,
    upstream,
    is,
    from,
    trace,
    names: listed,
    text: kept,
    state: keptState,
    success,
    bytes,
  });
}

/** The newest messages first: of one upstream or of all, and those that contain a text. */
export function transcriptPage(state: NeuroState, filter: TranscriptFilter): Page<TranscriptView> {
  const { upstream: wanted, is, search } = filter;
  const upstreams = [...state.upstreams.values()].filter(({ id }) => (wanted ?? id) === id);
  const text = search?.toLowerCase();
  return newestOf<TranscriptView>(
    upstreams.map((upstream) => itemsOf(upstream, state.secrets)),
    filter,
    (item) => (is ?? item.is) === item.is && (text === undefined || contains(item, text)),
  );
}

/** Why the views and not what is kept: otherwise a search could find out a credential, character by character. */
const contains = ({ from, text, state, actions }: TranscriptView, wanted: string): boolean =>
  [from, text, state ?? "", ...actions].some((each) => each.toLowerCase().includes(wanted));

/** The newest first. */
function itemsOf({ transcript, pendingActions }: Upstream, secrets: Secrets): readonly TranscriptView[] {
  if (!transcript.isOn) return [];
  const open = allPending(pendingActions).filter(({ origin }) => origin.is === "neuro")
    .map((pending) => actionRecord(pending, undefined, undefined));
  const items = [...transcript.items(), ...open].flatMap((record) => viewsOf(record, secrets));
  return items.sort((one, other) => (one.id < other.id ? 1 : -1));
}

function viewsOf(record: TranscriptRecord, secrets: Secrets): readonly TranscriptView[] {
  switch (record.kind) {
    case "message":
      return [messageView(record, secrets)];
    case "context":
      return [contextView(record, secrets)];
    case "action":
      return [
        actionView(record, secrets),
        ...(record.resultSequence === 0 ? [] : [resultView(record, secrets)]),
      ];
    default:
      return assertNever(record);
  }
}

/** Of a fixed width, so that ids are in the order of the messages. */
const idOf = (sequence: Sequence): string => `0-${String(sequence).padStart(12, "0")}`;

function messageView(record: MessageRecord, secrets: Secrets): TranscriptView {
  const { sequence, at, upstream, is, from, trace = null, names, text, state, success = null } = record;
  return {
    id: idOf(sequence),
    at,
    upstream,
    is,
    from: redacted(from, secrets),
    trace,
    actions: names.map((name) => redacted(name, secrets)),
    text: redacted(text, secrets),
    state: state === undefined ? null : redacted(state, secrets),
    success,
  };
}

const contextView = ({ id, sequence, at, endedAt, upstream, name, text, ending }: ContextRecord, secrets: Secrets) =>
  ({
    id: idOf(sequence),
    at: endedAt ?? at,
    upstream,
    is: "context",
    from: redacted(name, secrets),
    trace: id,
    actions: [],
    text: redacted(wasSent(ending) ? ending.before + text + ending.after : text, secrets),
    state: null,
    success: null,
  }) as const satisfies TranscriptView;

const actionView = ({ id, sequence, at, upstream, name, data }: ActionRecord, secrets: Secrets) =>
  ({
    id: idOf(sequence),
    at,
    upstream,
    is: "action",
    from: upstream,
    trace: id,
    actions: [redacted(name, secrets)],
    text: redacted(data ?? "", secrets),
    state: null,
    success: null,
  }) as const satisfies TranscriptView;

const resultView = (record: ActionRecord, secrets: Secrets) =>
  ({
    id: idOf(record.resultSequence),
    at: record.endedAt ?? record.at,
    upstream: record.upstream,
    is: "result",
    from: redacted(record.from, secrets),
    trace: record.id,
    actions: [],
    text: redacted(record.message ?? "", secrets),
    state: null,
    success: record.success,
  }) as const satisfies TranscriptView;
