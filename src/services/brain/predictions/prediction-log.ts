/**
 * Stores the last prediction under each trace id, like the original's table `infer_events`.
 *
 * Invariant: P1 at most `PREDICTIONS_KEPT_MAX` predictions are kept; the oldest are deleted first.
 */
import { assertNever } from "../../../core/assert.ts";
import type { StepContext } from "../../../core/context.ts";
import type { Entry } from "../../../core/event.ts";
import { type Key, type LoadToken, loadToken } from "../../../core/ids.ts";
import { canonicalJson, isObject, type Json, type JsonObject } from "../../../core/json.ts";
import { segment, segmentAt } from "../../../core/key.ts";
import { PREDICTIONS_KEPT_MAX } from "../../../core/limits.ts";
import { isTruthy, repr } from "../codec/python-repr.ts";
import { brainKey } from "../keys.ts";
import { deleteLater } from "../log/deferred-delete.ts";
import { answer, refuse } from "../request.ts";
import type { ClientRequest } from "../sessions/session.ts";
import type { BrainState } from "../state.ts";
import type { PredictionQuery } from "./inference-state.ts";

/** Longer trace ids are stored as a digest only. */
const TRACE_TEXT_MAX = 1_024;

/** Writes one prediction and deletes the previous one of its trace. Returns the key that is being written. */
export function putPrediction(state: BrainState, trace: Json, row: JsonObject, ctx: StepContext): Key {
  const { inference: { predictionKeys: keys }, deletes } = state;
  const text = canonicalJson(trace);
  const name = segment(text);
  const key = brainKey("prediction", name, ctx.id());
  const previous = keys.get(name);
  if (previous !== undefined) deleteLater(deletes, [previous], ctx);
  keys.delete(name); // Why: the map is ordered by the time of insertion.
  keys.set(name, key);
  ctx.emit({ do: "put", key, value: { v: 1, trace_id: text.length > TRACE_TEXT_MAX ? name : trace, ...row } });
  const [oldest] = keys;
  if (keys.size > PREDICTIONS_KEPT_MAX && oldest !== undefined) {
    keys.delete(oldest[0]);
    deleteLater(deletes, [oldest[1]], ctx);
  }
  return key;
}

/** A prediction was stored, or could not be: either way its reply is sent. */
export function predictionSettled(state: BrainState, key: Key, ctx: StepContext): void {
  const reply = state.predictionWrites.get(key);
  if (state.predictionWrites.delete(key) && reply !== undefined) state.replies.settleWrite(reply, true, ctx);
}

/** Restores the key of a stored prediction. If one trace id has several, the newest is kept and the others become garbage. */
export function recoverPrediction({ inference: { predictionKeys: keys } }: BrainState, key: Key, garbage: Key[]): void {
  const name = segmentAt(key, 2);
  const known = keys.get(name);
  if (known !== undefined) garbage.push(known < key ? known : key);
  if (known === undefined || known < key) keys.set(name, key);
}

/** `GetPrediction`: the last prediction under a trace id. */
export function getPrediction(state: BrainState, request: ClientRequest, ctx: StepContext): void {
  loadPrediction(state, traceOf(request), { is: "client", request }, ctx);
}

/** The trace id of a request. */
export const traceOf = ({ fields }: ClientRequest): Json =>
  [fields["trace_id"], fields["trace"]].find(isTruthy) ?? "trace-none";

/** Loads the prediction under a trace id. */
export function loadPrediction(state: BrainState, trace: Json, query: PredictionQuery, ctx: StepContext): void {
  const { predictionKeys, queries } = state.inference;
  const key = predictionKeys.get(segment(canonicalJson(trace)));
  if (key === undefined) return answerPrediction(state, query, undefined, ctx);
  const token = loadToken(`brain:${ctx.id()}`);
  queries.set(token, query);
  ctx.emit({ do: "load", token, keys: [key] });
}

/** A prediction was loaded. `entries` is empty if the store could not be read. */
export function predictionLoaded(state: BrainState, token: LoadToken, entries: readonly Entry[], ctx: StepContext): void {
  const { queries } = state.inference;
  const query = queries.get(token);
  queries.delete(token);
  if (query !== undefined) answerPrediction(state, query, entries[0]?.value, ctx);
}

function answerPrediction(state: BrainState, query: PredictionQuery, found: Json | undefined, ctx: StepContext): void {
  switch (query.is) {
    case "api": {
      const { requestId } = query;
      return ctx.emit(
        isObject(found)
          ? { do: "respond", requestId, body: predictionView(found) }
          : { do: "respond", requestId, fault: "notFound" },
      );
    }
    case "client": {
      const { request } = query;
      if (isObject(found)) return answer(state, request, { type: "Prediction", ...predictionView(found) }, ctx);
      return refuse(state, request, { message: `no prediction is stored for trace ${repr(traceOf(request))}` }, ctx);
    }
    default:
      return assertNever(query);
  }
}

/** A stored prediction as a `PredictionView`. */
function predictionView({ trace_id, run_id, routing, token_lengths, prediction, ts }: JsonObject): JsonObject {
  return { trace_id, run_id, routing, token_lengths, prediction: { value: prediction ?? null }, ts };
}
