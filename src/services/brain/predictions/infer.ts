/**
 * `Infer`: routes the texts of a request to channels, and returns their tokens and a prediction.
 *
 * The artifact is read once, by a job. Requests that arrive before it has been read wait. Without an artifact they are answered with
 * no tokens and no prediction, as by the original.
 */
import { assertNever } from "../../../core/assert.ts";
import type { StepContext } from "../../../core/context.ts";
import { isoTime } from "../../../core/text.ts";
import { isObject, type Json, type JsonObject, numberOf } from "../../../core/json.ts";
import {
  type Channel,
  CHANNELS,
  NO_TOKENS,
  type PerChannel,
  perChannel,
  type Predictor,
  type TokenIds,
} from "../../../inference/mod.ts";
import { isTruthy, typeName } from "../codec/python-repr.ts";
import { badParams } from "../codec/request-error.ts";
import { answer, refuse } from "../request.ts";
import type { ClientRequest } from "../sessions/session.ts";
import type { BrainState } from "../state.ts";
import { readArtifact, refreshArtifact } from "./artifact-reader.ts";
import { putPrediction, traceOf } from "./prediction-log.ts";

/** The field of the payload that holds the text of each channel. */
const FIELDS: PerChannel<string> = { english: "text", math: "math", physics: "physics" };
/** The original always gave these to its model. */
const DEFAULT_ARGS: readonly number[] = [0, 0];

/** Two numbers; undefined for any other value. */
function readArgs(value: Json): readonly [number, number] | undefined {
  const [one, other, ...rest] = Array.isArray(value) ? value.map(numberOf) : [];
  return one === undefined || other === undefined || rest.length > 0 ? undefined : [one, other];
}

/** `Infer` */
export function infer(state: BrainState, request: ClientRequest, ctx: StepContext): void {
  const { artifact, waitingRequests } = state.inference;
  switch (artifact.is) {
    case "unread":
      waitingRequests.push(request);
      return readArtifact(state, ctx);
    case "reading":
      return void waitingRequests.push(request);
    case "read":
      refreshArtifact(state, ctx);
      return inferWith(state, request, artifact.predictor, ctx);
    default:
      return assertNever(artifact);
  }
}

function inferWith(state: BrainState, request: ClientRequest, predictor: Predictor | undefined, ctx: StepContext): void {
  const { fields } = request;
  const { payload = {}, args: givenArgs = DEFAULT_ARGS } = fields;
  if (!isObject(payload)) {
    const reason = `'${typeName(payload)}' object has no attribute 'get'`;
    return refuse(state, request, { message: `payload must be an object: ${reason}` }, ctx);
  }
  const args = readArgs(givenArgs);
  if (args === undefined) return refuse(state, request, badParams("args", "a list of two numbers"), ctx);
  const trace = traceOf(request);
  const texts = perChannel((channel) => payload[FIELDS[channel]]);
  const routing = perChannel((channel) => isTruthy(texts[channel]));
  const tokens = tokensOf(predictor, { texts, routing });
  if (typeof tokens === "string") {
    return refuse(state, request, { message: tokens, details: { trace_id: trace } }, ctx);
  }
  const value = predictor?.predict(args, tokens) ?? null;
  ctx.observe({ is: "inferred", trace_id: trace, routing, value });
  if (state.settings.persist) {
    storePrediction(state, request, { runId: predictor?.runId ?? null, trace, routing, tokens, value }, ctx);
  }
  const body: JsonObject = {
    type: "infer_result",
    trace_id: trace,
    routing: { ...routing },
    tokens: { ...tokensJson(tokens) },
    prediction: { value },
  };
  answer(state, request, body, ctx);
}

const tokensJson = (tokens: PerChannel<TokenIds>): PerChannel<Json> =>
  perChannel((channel) => ({ ids: [...tokens[channel].ids], length: tokens[channel].length }));

interface RoutedTexts {
  readonly texts: PerChannel<Json | undefined>;
  /** The channels whose text is given. */
  readonly routing: PerChannel<boolean>;
}

function tokensOf(
  predictor: Predictor | undefined,
  { texts, routing }: RoutedTexts,
): PerChannel<TokenIds> | string {
  if (predictor === undefined) return perChannel(() => NO_TOKENS);
  const found = new Map<Channel, TokenIds>();
  for (const channel of CHANNELS) {
    if (!routing[channel]) continue;
    const text = texts[channel];
    if (typeof text !== "string") return `${FIELDS[channel]} must be a text, not ${typeName(text)}`;
    const tokens = predictor.tokenize(channel, text);
    if (typeof tokens === "string") return tokens;
    found.set(channel, tokens);
  }
  return perChannel((channel) => found.get(channel) ?? NO_TOKENS);
}

interface Prediction {
  readonly runId: string | null;
  readonly trace: Json;
  readonly routing: PerChannel<boolean>;
  readonly tokens: PerChannel<TokenIds>;
  readonly value: number | null;
}

/**
 * Stores a prediction. The reply waits for the write, and is sent unchanged if the write fails, because the prediction is valid without it.
 */
function storePrediction(state: BrainState, { reply }: ClientRequest, prediction: Prediction, ctx: StepContext): void {
  const { runId, trace, routing, tokens, value } = prediction;
  const row = {
    run_id: runId,
    routing: { ...routing },
    token_lengths: { ...perChannel((channel) => tokens[channel].length) },
    prediction: value,
    ts: isoTime(ctx.now),
  };
  reply.pendingWrites++;
  state.predictionWrites.set(putPrediction(state, trace, row, ctx), reply);
}
