/** Keeps the identity of what did not change between two replies, so that only what changed is drawn again. */
import { isObject, type Json } from "../../core/json.ts";

/**
 * `now`, with each part of it that equals the same part of `before` replaced by that part; `before` itself if all is equal. Items of lists
 * that have an `id` are compared with the item of that id, others with the one at their place.
 */
export function reuseEqual<Value>(before: unknown, now: Value): Value {
  // Why the cast: both are replies of the API, which are JSON.
  return reuse(before as Json | undefined, now as Json) as Value;
}

function reuse(before: Json | undefined, now: Json): Json {
  if (before === now || before === undefined || typeof now !== "object" || now === null) return now;
  if (Array.isArray(now)) return Array.isArray(before) ? reuseList(before, now) : now;
  if (!isObject(before) || !isObject(now)) return now;
  const names = Object.keys(now);
  let isEqual = names.length === Object.keys(before).length;
  const parts: [string, Json][] = names.map((name) => {
    const part = reuse(before[name], now[name] ?? null);
    isEqual &&= part === before[name];
    return [name, part];
  });
  return isEqual ? before : Object.fromEntries(parts);
}

function reuseList(before: readonly Json[], now: readonly Json[]): Json {
  const byId = new Map(
    before.flatMap((item) => (isObject(item) && typeof item["id"] === "string" ? [[item["id"], item]] : [])),
  );
  const parts = now.map((item, at) => {
    const known = isObject(item) && typeof item["id"] === "string" ? byId.get(item["id"]) : before[at];
    return reuse(known, item);
  });
  return parts.length === before.length && parts.every((part, at) => part === before[at]) ? before : parts;
}
