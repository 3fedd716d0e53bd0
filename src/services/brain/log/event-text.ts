/**
 * The stored text of an event. A value that occurs several times in a payload is stored once.
 *
 * Operators repeat their parameters in `delta` and `audit`. In the stored text each repetition is replaced by 0, and `refs` names the
 * parameter that it repeats: `[step, where, member, param]`, where step -1 is the payload itself and member null the whole `delta`.
 * The hash of the event covers the complete payload.
 *
 * Invariant: X1 `restoreEvent` is the inverse of `eventText`, including the order of keys.
 */
import { isObject, type Json, type JsonObject } from "../../../core/json.ts";
import type { LogEvent } from "./event.ts";

/** In a shorter payload nothing is replaced: the search would cost more than it saves. */
const PAYLOAD_LENGTH_MIN = 1_024;

type Place = "delta" | "audit";
type Reference = readonly [step: number, where: Place, member: string | null, param: string];
interface StoredEvent extends LogEvent {
  readonly refs?: readonly Reference[];
}

/** The text of an event. `payloadText` is the text of its payload, if it is known. */
export function eventText(event: LogEvent, payloadText: string = JSON.stringify(event.payload)): string {
  const { seq, id, timestamp, type, payload, hash } = event;
  const references = payloadText.length < PAYLOAD_LENGTH_MIN ? [] : referencesIn(payload);
  const text = references.length === 0 ? payloadText : JSON.stringify(replace(payload, references, () => 0));
  const refs = references.length === 0 ? "" : `,"refs":${JSON.stringify(references)}`;
  return `{"seq":${seq},"id":"${id}","timestamp":"${timestamp}","type":"${type}","payload":${text},"hash":"${hash}"${refs}}`;
}

/** The event of a parsed text. */
export function restoreEvent(stored: StoredEvent): LogEvent {
  if (stored.refs === undefined) return stored;
  const { refs, ...event } = stored;
  const valueOf = (step: JsonObject, param: string): Json => {
    const { params } = step;
    return isObject(params) ? params[param] ?? null : null;
  };
  return { ...event, payload: replace(event.payload, refs, valueOf) };
}

const stepsOf = ({ steps }: JsonObject): readonly Json[] => (Array.isArray(steps) ? steps : []);

function referencesIn(payload: JsonObject): readonly Reference[] {
  const steps = stepsOf(payload);
  const found = referencesOf(payload, -1);
  for (const [at, step] of steps.entries()) if (isObject(step)) found.push(...referencesOf(step, at));
  return found;
}

function referencesOf({ params, delta, audit }: JsonObject, step: number): Reference[] {
  if (!isObject(params)) return [];
  const paramOf = (value: Json | undefined): string | undefined =>
    isLarge(value) ? Object.keys(params).find((name) => params[name] === value) : undefined;
  const whole = paramOf(delta);
  if (whole !== undefined) return [[step, "delta", null, whole], ...membersOf("audit", audit)];
  return [...membersOf("delta", delta), ...membersOf("audit", audit)];

  function membersOf(where: Place, container: Json | undefined): Reference[] {
    return Object.entries(isObject(container) ? container : {}).flatMap(([member, value]): Reference[] => {
      const param = paramOf(value);
      return param === undefined ? [] : [[step, where, member, param]];
    });
  }
}

/** Only objects, lists and texts are worth a reference. They repeat a parameter if they are the same value, not a similar one. */
const isLarge = (value: Json | undefined): boolean =>
  typeof value === "string" ? value.length > 16 : Array.isArray(value) || isObject(value);

/** A copy of a payload with another value at each reference. */
function replace(
  payload: JsonObject,
  references: readonly Reference[],
  valueOf: (step: JsonObject, param: string) => Json,
): JsonObject {
  let next = payload;
  const steps = [...stepsOf(payload)];
  for (const [at, where, member, param] of references) {
    const step = at < 0 ? next : steps[at];
    if (!isObject(step)) continue;
    const value = valueOf(step, param);
    const container = step[where];
    const replaced = { ...step, [where]: member === null ? value : withMember(container, member, value) };
    if (at < 0) next = replaced;
    else steps[at] = replaced;
  }
  return steps.length === 0 ? next : { ...next, steps };
}

// Why entries: a member may be called `__proto__`, which an assignment would not set.
function withMember(container: Json | undefined, member: string, value: Json): Json {
  if (!isObject(container)) return null;
  return Object.fromEntries(Object.entries(container).map(([name, old]) => [name, name === member ? value : old ?? null]));
}
