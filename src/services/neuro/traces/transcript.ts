/**
 * The transcript of one upstream: what Neuro was sent, in order and as she read it, and the actions that she sent.
 *
 * Invariant: TS1 the transcript has each message that was handed to her connection, and no message that was not.
 */
import { assertNever } from "../../../core/assert.ts";
import type { StepContext } from "../../../core/context.ts";
import { TRACE_NAMES_MAX, TRACE_TEXT_LENGTH_MAX } from "../../../core/limits.ts";
import type { GameMessage, NeuroMessage } from "../../../core/neuro-messages.ts";
import { keptBeginning, type Secrets } from "../../../core/secrets.ts";
import { newestOf, type TranscriptFilter, type TranscriptView } from "../../../core/traces/trace.ts";
import type { Page } from "../../../core/view.ts";
import type { NeuroState, Upstream } from "../state.ts";
import type { TranscriptRecord } from "./records.ts";
import { redacted } from "./views.ts";

/** A record without its texts. Measured in memory, and rounded up. */
const RECORD_BYTES = 384;
const NONE: readonly string[] = [];

type TranscriptFields =
  & Pick<TranscriptRecord, "is" | "trace">
  & Partial<Pick<TranscriptRecord, "names" | "text" | "state" | "success">>;

/** Neuro was sent a message. `from`: the integration whose message it is. */
export function transcribe(upstream: Upstream, message: GameMessage, from: string, ctx: StepContext): void {
  if (upstream.transcript.isOn) add(upstream, from, fieldsOf(message), ctx);
}

/** Neuro sent an action. */
export function transcribeAction(
  upstream: Upstream,
  { name, data = "" }: NeuroMessage & { readonly command: "action" },
  ctx: StepContext,
): void {
  if (!upstream.transcript.isOn) return;
  add(upstream, upstream.id, { is: "action", trace: undefined, names: [name], text: data }, ctx);
}

function fieldsOf(message: GameMessage): TranscriptFields {
  switch (message.command) {
    case "context":
      return { is: "context", trace: message.trace, text: message.message };
    case "actions/force": {
      const { trace, names, query, state } = message;
      return { is: "force", trace, names, text: query, state };
    }
    case "action/result":
      return { is: "result", trace: message.trace, text: message.message ?? "", success: message.success };
    case "actions/register":
      return {
        is: "registered",
        trace: undefined,
        names: message.actions.slice(0, TRACE_NAMES_MAX).map(({ name }) => name),
      };
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

function add(
  { id: upstream, transcript, service: { secrets } }: Upstream,
  from: string,
  fields: TranscriptFields,
  ctx: StepContext,
): void {
  const { is, trace, names = NONE, text = "", state, success } = fields;
  const kept = keptBeginning(text, TRACE_TEXT_LENGTH_MAX, secrets);
  const keptState = state === undefined ? undefined : keptBeginning(state, TRACE_TEXT_LENGTH_MAX, secrets);
  const listed = names.length <= TRACE_NAMES_MAX ? names : names.slice(0, TRACE_NAMES_MAX);
  let bytes = RECORD_BYTES + 2 * (kept.length + (keptState?.length ?? 0));
  for (const name of listed) bytes += 64 + 2 * name.length;
  transcript.add({
    id: ctx.id(),
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
  const { items, next } = newestOf<TranscriptRecord>(
    upstreams.map(({ transcript }) => transcript.items().reverse()),
    filter,
    (record) => (is ?? record.is) === record.is && (text === undefined || contains(record, text, state.secrets)),
  );
  return { items: items.map((record) => viewOf(record, state.secrets)), next };
}

/** Why redacted: otherwise a search could find out a credential, character by character. */
const contains = (record: TranscriptRecord, text: string, secrets: Secrets): boolean =>
  [record.from, record.text, record.state ?? "", ...record.names].some((each) =>
    redacted(each, secrets).toLowerCase().includes(text)
  );

function viewOf(record: TranscriptRecord, secrets: Secrets): TranscriptView {
  const { id, at, upstream, is, from, trace = null, names, text, state, success = null } = record;
  const clean = (each: string): string => redacted(each, secrets);
  return {
    id,
    at,
    upstream,
    is,
    from: clean(from),
    trace,
    actions: names.map(clean),
    text: clean(text),
    state: state === undefined ? null : clean(state),
    success,
  };
}
