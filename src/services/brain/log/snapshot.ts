/** A log head as text. Snapshots are a cache: their content can always be rebuilt by folding the events. */
import { isObject, type Json, parseJson } from "../../../core/json.ts";
import { policyFrom, policyJson } from "../operations/policy.ts";
import { digestState, stateOf } from "../operations/session-state.ts";
import type { LogHead, OperationRecord } from "./event.ts";

/** More than any accepted state is nested. */
const DEPTH_MAX = 1_024;

/** The text of a head. Equal heads give equal texts. */
export function snapshotText(head: LogHead): string {
  const { seq, hash, state, stateHash, riskSpent, sealed, owner, policy, ttlMs, operations } = head;
  return JSON.stringify({
    seq,
    hash,
    state,
    state_hash: stateHash,
    spent: riskSpent,
    sealed,
    owner,
    covenant: policyJson(policy),
    ttl_ms: ttlMs,
    remembered: operations.map(({ opId, digest, seq }) => [opId, digest, seq]),
  });
}

/** The head of a snapshot, or undefined if the text is not one. `base` supplies what the stored policy leaves open. */
export function headFromSnapshot(text: string, base: LogHead): LogHead | undefined {
  const source = parseJson(text, DEPTH_MAX);
  if (!isObject(source)) return undefined;
  const { seq, hash, state: saved, state_hash: stateHash, spent: riskSpent, sealed, owner = null, ttl_ms: ttlMs } = source;
  const policy = policyFrom(source["covenant"], base.policy);
  const operations = operationsFrom(source["remembered"]);
  if (!isObject(saved) || !policy.ok || operations === undefined) return undefined;
  if (typeof seq !== "number" || typeof riskSpent !== "number" || typeof ttlMs !== "number") return undefined;
  if (typeof hash !== "string" || typeof sealed !== "boolean") return undefined;
  const state = stateOf(saved);
  const digest = digestState(state);
  if (digest.hash !== stateHash) return undefined;
  const { length: stateLength } = digest.text;
  return { seq, hash, state, stateHash, stateLength, riskSpent, sealed, owner, policy: policy.value, ttlMs, operations };
}

function operationsFrom(source: Json | undefined): readonly OperationRecord[] | undefined {
  if (!Array.isArray(source)) return undefined;
  const operations: OperationRecord[] = [];
  for (const entry of source) {
    const [opId, digest, seq]: readonly Json[] = Array.isArray(entry) ? entry : [];
    if (typeof opId !== "string" || typeof digest !== "string" || typeof seq !== "number") return undefined;
    operations.push({ opId, digest, seq });
  }
  return operations;
}
