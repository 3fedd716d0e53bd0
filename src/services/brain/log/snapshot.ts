/** A head as text, and back. The text is for a page of the log: a cache, whose content can always be folded anew. */
import { isObject, type Json, parseJson } from "../../../core/json.ts";
import type { LogHead, OperationRecord } from "./event.ts";
import { policyFrom, policyJson } from "../operations/policy.ts";
import { digestState, stateOf } from "../operations/session-state.ts";

/** Deeper than any state that was let in. */
const DEPTH_MAX = 1_024;

/** Equal heads give equal texts. */
export function snapshotText(head: LogHead): string {
  const { seq, hash, state, stateHash, spent, sealed, owner, policy, ttlMs, remembered } = head;
  return JSON.stringify({
    seq,
    hash,
    state,
    state_hash: stateHash,
    spent,
    sealed,
    owner,
    covenant: policyJson(policy),
    ttl_ms: ttlMs,
    remembered: remembered.map(({ name, asks, seq }) => [name, asks, seq]),
  });
}

/** The head that a text stands for, or undefined when it is none. `base` gives what its covenant leaves open. */
export function headFromSnapshot(text: string, base: LogHead): LogHead | undefined {
  const source = parseJson(text, DEPTH_MAX);
  if (!isObject(source)) return undefined;
  const { seq, hash, state: saved, state_hash: stateHash, spent, sealed, owner = null, ttl_ms: ttlMs } = source;
  const policy = policyFrom(source["covenant"], base.policy);
  const remembered = rememberedFromJson(source["remembered"]);
  if (!isObject(saved) || !policy.ok || remembered === undefined) return undefined;
  if (typeof seq !== "number" || typeof spent !== "number" || typeof ttlMs !== "number") return undefined;
  if (typeof hash !== "string" || typeof sealed !== "boolean") return undefined;
  const state = stateOf(saved);
  if (digestState(state).hash !== stateHash) return undefined;
  return { seq, hash, state, stateHash, spent, sealed, owner, policy: policy.value, ttlMs, remembered };
}

function rememberedFromJson(source: Json | undefined): readonly OperationRecord[] | undefined {
  if (!Array.isArray(source)) return undefined;
  const remembered: OperationRecord[] = [];
  for (const entry of source) {
    const [name, asks, seq]: readonly Json[] = Array.isArray(entry) ? entry : [];
    if (typeof name !== "string" || typeof asks !== "string" || typeof seq !== "number") return undefined;
    remembered.push({ name, asks, seq });
  }
  return remembered;
}
