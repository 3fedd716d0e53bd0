/**
 * The record of predictions, one for each trace id, the last one counting: the original's table `infer_events`.
 *
 * Invariant: P1 at most `PREDICTIONS_KEPT_MAX` are kept; the oldest go first.
 */
import { canonicalJson, type Json, type JsonObject } from "../../../core/json.ts";
import type { Entry } from "../../../core/event.ts";
import { type Key, type LoadToken, loadToken, rawKey, type RequestId } from "../../../core/ids.ts";
import { key, segment, segmentAt } from "../../../core/key.ts";
import { PREDICTIONS_KEPT_MAX } from "../../../core/limits.ts";
import type { StepContext } from "../../../core/context.ts";
import type { BrainState } from "../state.ts";
import { deleteLater } from "../log/deferred-delete.ts";

const PREDICTIONS: Key = key("brain", "infer");
/** A trace id longer than this is stored as its digest only. */
const TRACE_TEXT_MAX = 1_024;

/** Writes one record; whatever was there for its trace goes. Returns the key that is being written. */
export function putPrediction(brain: BrainState, ctx: StepContext, { trace, row }: { trace: Json; row: JsonObject }): Key {
  const { predictionKeys } = brain.inference;
  const text = canonicalJson(trace);
  const name = segment(text);
  const at = key(PREDICTIONS, name, ctx.id());
  const earlier = predictionKeys.get(name);
  if (earlier !== undefined) deleteLater(brain, ctx, [earlier]);
  predictionKeys.delete(name); // Why: the newest is last in the order of the map.
  predictionKeys.set(name, at);
  ctx.emit({ do: "put", key: at, value: { v: 1, trace_id: text.length > TRACE_TEXT_MAX ? name : trace, ...row } });
  if (predictionKeys.size > PREDICTIONS_KEPT_MAX) {
    const [oldest] = predictionKeys;
    if (oldest !== undefined) {
      predictionKeys.delete(oldest[0]);
      deleteLater(brain, ctx, [oldest[1]]);
    }
  }
  return at;
}

/** Takes up a record that the store has. */
export function recoverPrediction(brain: BrainState, at: Key): void {
  if (!at.startsWith(`${PREDICTIONS}/`)) return;
  const name = segmentAt(at, 2);
  const known = brain.inference.predictionKeys.get(name);
  const [older, newer] = known === undefined || known < at ? [known, at] : [at, known];
  brain.inference.predictionKeys.set(name, rawKey(newer));
  if (older !== undefined) brain.garbage.push(older);
}

/** Has a record read for whoever asked for it. */
export function loadPrediction(
  brain: BrainState,
  ctx: StepContext,
  { requestId, trace }: { requestId: RequestId; trace: Json },
): void {
  const at = brain.inference.predictionKeys.get(segment(canonicalJson(trace)));
  if (at === undefined) return ctx.emit({ do: "respond", requestId, fault: "notFound" });
  const token = loadToken(`brain:${ctx.id()}`);
  brain.inference.pendingQueries.set(token, requestId);
  ctx.emit({ do: "load", token, keys: [at] });
}

/** The store was read for somebody who asked; `entries` is empty when it could not be. */
export function predictionLoaded(
  brain: BrainState,
  ctx: StepContext,
  answer: { token: LoadToken; entries: readonly Entry[] },
): void {
  const requestId = brain.inference.pendingQueries.get(answer.token);
  if (requestId === undefined) return;
  brain.inference.pendingQueries.delete(answer.token);
  const [entry] = answer.entries;
  ctx.emit(
    entry?.value === undefined
      ? { do: "respond", requestId, fault: "notFound" }
      : { do: "respond", requestId, body: entry.value },
  );
}
