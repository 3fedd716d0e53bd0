/**
 * `Infer`: which kinds of text there are, their tokens, and what the net makes of them.
 *
 * The artifact is read once, outside the room. Requests that come before it is there wait; without one they are answered all the
 * same, with no tokens and no prediction, as the original did.
 */
import { type JobId, jobId, type Key, type LoadToken, type RequestId } from "../../../core/ids.ts";
import { isoTime } from "../../../core/text.ts";
import { isObject, type Json, type JsonObject } from "../../../core/json.ts";
import { ARTIFACT_MS } from "../../../core/limits.ts";
import type { ServiceEvent } from "../../../core/event.ts";
import type { StepContext } from "../../../core/context.ts";
import type { BrainState } from "../state.ts";
import { answer, refuse, type RequestInStep } from "../request.ts";
import { isTruthy, typeName } from "../codec/python-repr.ts";
import type { ClientRequest } from "../sessions/session.ts";
import { type Artifact, artifactOf, isArtifactFiles } from "../../../inference/artifact.ts";
import { BUILT_IN } from "../../../inference/built-in.ts";
import { predict } from "../../../inference/net.ts";
import { putPrediction } from "./prediction-log.ts";
import {
  type Channel,
  CHANNELS,
  NO_TOKENS,
  type PerChannel,
  perChannel,
  type TokenIds,
  tokenize,
} from "../../../inference/tokenizer.ts";

export interface InferenceState {
  /** `unread` at first, `reading` while a job is under way, then `read`, with an artifact or without. */
  is: "unread" | "reading" | "read";
  artifact: Artifact | undefined;
  /** Why there is none. */
  why: string;
  job: JobId | undefined;
  readonly waitingRequests: ClientRequest[];
  /** By trace id: where its prediction is recorded. */
  readonly predictionKeys: Map<string, Key>;
  /** Who asked for a record that is being read. */
  readonly pendingQueries: Map<LoadToken, RequestId>;
}

export const newInferenceState = (): InferenceState => ({
  is: "unread",
  artifact: undefined,
  why: "",
  job: undefined,
  waitingRequests: [],
  predictionKeys: new Map(),
  pendingQueries: new Map(),
});

/** The artifact that comes with the program, for places without files. */
const BUILT_IN_NAME = "built-in";
/** The name that each channel has in a request. */
const FIELDS: PerChannel<string> = { english: "text", math: "math", physics: "physics" };
/** The original always gave its net these. */
const DEFAULT_ARGS: readonly number[] = [0, 0];

/** `Infer` */
export function infer(call: RequestInStep): void {
  const { brain, ctx, reply: slot, fields } = call;
  if (brain.inference.is !== "read") {
    brain.inference.waitingRequests.push({ reply: slot, fields, frameLength: call.frameLength });
    return readArtifact(brain, ctx);
  }
  const { payload = {} } = fields;
  if (!isObject(payload)) {
    return refuse(call, { message: `payload must be an object: '${typeName(payload)}' object has no attribute 'get'` });
  }
  const trace = [fields["trace_id"], fields["trace"]].find(isTruthy) ?? "trace-none";
  const texts = perChannel((channel) => payload[FIELDS[channel]]);
  const routing = perChannel((channel) => isTruthy(texts[channel]));
  const tokens = tokensOf(brain.inference.artifact, { texts, routing });
  if (typeof tokens === "string") return refuse(call, { message: tokens, details: { trace_id: trace } });
  const net = brain.inference.artifact?.net;
  const value = net === undefined ? null : predict(net, DEFAULT_ARGS, tokens);
  ctx.observe({ is: "inferred", trace_id: trace, routing, value });
  const prediction = { value };
  const reply: JsonObject = {
    type: "infer_result",
    trace_id: trace,
    routing: { ...routing },
    tokens: { ...tokensJson(tokens) },
    prediction,
  };
  if (brain.settings.persist) storePrediction(call, { trace, routing, tokens, value });
  answer(call, reply);
}

const tokensJson = (tokens: PerChannel<TokenIds>): PerChannel<Json> =>
  perChannel((channel) => ({ ids: [...tokens[channel].ids], length: tokens[channel].length }));

interface RoutedTexts {
  readonly texts: PerChannel<Json | undefined>;
  readonly routing: PerChannel<boolean>;
}

function tokensOf(artifact: Artifact | undefined, { texts, routing }: RoutedTexts): PerChannel<TokenIds> | string {
  if (artifact === undefined) return perChannel(() => NO_TOKENS);
  const found = new Map<Channel, TokenIds>();
  for (const channel of CHANNELS) {
    if (!routing[channel]) continue;
    const text = texts[channel];
    if (typeof text !== "string") return `${FIELDS[channel]} must be a text, not ${typeName(text)}`;
    const tokens = tokenize(artifact.vocabularies[channel], text);
    if (typeof tokens === "string") return tokens;
    found.set(channel, tokens);
  }
  return perChannel((channel) => found.get(channel) ?? NO_TOKENS);
}

interface PredictionRecord {
  readonly trace: Json;
  readonly routing: PerChannel<boolean>;
  readonly tokens: PerChannel<TokenIds>;
  readonly value: number | null;
}

/** The reply waits for the record, and leaves without it when it cannot be stored: the prediction is right all the same. */
function storePrediction({ brain, ctx, reply }: RequestInStep, { trace, routing, tokens, value }: PredictionRecord): void {
  const lengths = perChannel((channel) => tokens[channel].length);
  const row = {
    run_id: brain.inference.artifact?.runId ?? null,
    routing: { ...routing },
    token_lengths: { ...lengths },
    prediction: value,
    ts: isoTime(ctx.now),
  };
  brain.predictionWrites.set(putPrediction(brain, ctx, { trace, row }), reply);
  reply.pendingWrites++;
}

/** The record of a prediction was stored, or could not be. */
export function predictionSettled(brain: BrainState, at: Key, ctx: StepContext): void {
  const slot = brain.predictionWrites.get(at);
  if (!brain.predictionWrites.delete(at) || slot === undefined) return;
  brain.replies.settleWrite(slot, true, ctx);
}

/** Has the artifact read, unless it is or is being. */
export function readArtifact(brain: BrainState, ctx: StepContext): void {
  const { inference, settings: { artifact: run_id, artifacts_root: root } } = brain;
  if (inference.is !== "unread") return;
  if (run_id === BUILT_IN_NAME) return useArtifact(brain, ctx, artifactOf(BUILT_IN));
  inference.is = "reading";
  inference.job = jobId(`brain:${ctx.id()}`);
  const deadline = ctx.now + ARTIFACT_MS;
  ctx.emit({ do: "runJob", job: inference.job, name: "artifact", input: { run_id, root }, deadline });
}

/** Another artifact is wanted. What is asked meanwhile waits for it. */
export function reloadArtifact(brain: BrainState, ctx: StepContext): void {
  brain.inference.is = "unread";
  readArtifact(brain, ctx);
}

/** The files of the artifact were read, or could not be. */
export function artifactRead(
  brain: BrainState,
  ctx: StepContext,
  { job, output, fault }: ServiceEvent & { is: "jobFinished" },
): void {
  if (brain.inference.job !== job) return;
  brain.inference.job = undefined;
  if (isObject(output) && output["built_in"] === true) return useArtifact(brain, ctx, artifactOf(BUILT_IN));
  if (isArtifactFiles(output)) return useArtifact(brain, ctx, artifactOf(output));
  const why = isObject(output) ? output["why"] : fault;
  useArtifact(brain, ctx, typeof why === "string" ? why : "its files could not be read");
}

function useArtifact(brain: BrainState, ctx: StepContext, read: Artifact | string): void {
  const { inference, settings } = brain;
  inference.is = "read";
  inference.artifact = typeof read === "string" ? undefined : read;
  inference.why = typeof read === "string" ? read : "";
  ctx.observe(
    typeof read === "string"
      ? { is: "artifact_refused", run_id: settings.artifact, why: read }
      : { is: "artifact_loaded", run_id: read.runId, predicts: read.net !== undefined },
  );
  brain.readyRequests.push(...inference.waitingRequests.splice(0));
}

/** For an overview. */
export function inferenceView({ is, artifact, why }: InferenceState): JsonObject {
  return { is, run_id: artifact?.runId ?? null, predicts: artifact?.net !== undefined, why };
}
