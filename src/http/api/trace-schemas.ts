/** The schemas of traces and transcripts. */
import { z } from "zod";
import {
  TRACE_KINDS,
  TRACE_OUTCOMES,
  TRACE_STATES,
  TRACE_STEPS,
  type TraceStep,
  type TraceView,
  TRANSCRIPT_KINDS,
  type TranscriptView,
} from "../../core/traces/trace.ts";
import type { Page } from "../../core/view.ts";
import { named, pageOf } from "./schemas.ts";

const instant = z.int().describe("Milliseconds since 1970.");
const text = z.string();
const texts = z.array(text);

const step: z.ZodType<TraceStep> = named(
  "TraceStep",
  z.object({
    at: instant,
    is: z.enum(TRACE_STEPS),
    who: text.nullable().describe("Whose doing it was, or whom it reached."),
    what: text.nullable().describe(
      "The reason, or the value: what it waits for, why it ended, the repairs, the id of an action.",
    ),
  }),
  "One step of a trace.",
);

export const trace: z.ZodType<TraceView> = named(
  "Trace",
  z.object({
    id: text.describe("The id that events and other views have, too."),
    kind: z.enum(TRACE_KINDS).describe("`result`: one that was ignored. One that counts is a step of its action."),
    state: z.enum(TRACE_STATES),
    outcome: z.enum(TRACE_OUTCOMES).nullable().describe("Null while it is open."),
    integrations: texts.describe("Ids of the integrations that it is from or for."),
    names: texts.describe("Their names, or the name of a watcher, or of the recipient of a command."),
    upstream: text.nullable(),
    actions: texts.describe("Names of the action, or of the first 64 actions of a force."),
    priority: z.enum(["low", "medium", "high", "critical"]).nullable(),
    related: text.nullable().describe(
      "The id of the force that an action answers; of the force that was put back into the queue as this one; of an ignored result's action.",
    ),
    neuro_id: text.nullable().describe("Neuro's own id of an action."),
    texts: z.object({
      context: text.exactOptional(),
      query: text.exactOptional(),
      state: text.exactOptional(),
      data: text.exactOptional(),
      result: text.describe("The message of the result.").exactOptional(),
      command: text.exactOptional(),
    }).describe("The first 4,000 characters of each text, without credentials."),
    received_at: instant,
    ended_at: instant.nullable(),
    ms: z.number().describe("Milliseconds from `received_at` to `ended_at`, or until now."),
    steps: z.array(step),
  }),
  "The path of one force, action, context, command or ignored result.",
);

const transcriptItem: z.ZodType<TranscriptView> = named(
  "TranscriptItem",
  z.object({
    id: text,
    at: instant,
    upstream: text,
    is: z.enum(TRANSCRIPT_KINDS).describe("`action`: what Neuro sent. All others are what she was sent."),
    from: text.describe("The name of the integration whose message it is; `relay` for those of the relay."),
    trace: text.nullable().describe("The id of its trace."),
    actions: texts,
    text: text.describe(
      "The context, the query, the message of the result, or the data of the action: the first 4,000 characters.",
    ),
    state: text.nullable().describe("The state of a force."),
    success: z.boolean().nullable().describe("Of a result."),
  }),
  "One message that Neuro was sent, or an action of hers.",
);

export const traces: z.ZodType<Page<TraceView>> = pageOf("TracePage", trace);
export const transcript: z.ZodType<Page<TranscriptView>> = pageOf("TranscriptPage", transcriptItem);

/** A trace for the references of the protocols: Neuro's action of the integration with this name and id. */
export const traceExample = (name: string, id: string, action: string): TraceView => ({
  id: "17",
  kind: "action",
  state: "ended",
  outcome: "succeeded",
  integrations: [id],
  names: [name],
  upstream: "neuro",
  actions: [action],
  priority: null,
  related: null,
  neuro_id: "a1",
  texts: { data: "{}", result: "Done." },
  received_at: 1_795_506_529_758,
  ended_at: 1_795_506_529_798,
  ms: 40,
  steps: [
    { at: 1_795_506_529_758, is: "received", who: "neuro", what: null },
    { at: 1_795_506_529_758, is: "sent", who: name, what: null },
    { at: 1_795_506_529_798, is: "answered", who: name, what: "success" },
    { at: 1_795_506_529_798, is: "ended", who: "neuro", what: "game" },
  ],
});
