/**
 * What was not as the Neuro API wants it, could be understood all the same, and was put right.
 *
 * The relay says each kind once per integration, to its developer: a hint tells what to change, not what the relay did.
 */

export type MendName =
  | "binary frame"
  | "byte order mark"
  | "unknown key"
  | "data of a command without data"
  | "data missing"
  | "text expected"
  | "true or false expected"
  | "null"
  | "silent missing"
  | "id is a number"
  | "success is not true or false"
  | "list expected"
  | "name ignored"
  | "priority unknown"
  | "description missing"
  | "schema empty"
  | "schema is no object"
  | "schema without type"
  | "schema of another type"
  | "schema keywords"
  | "schema pattern"
  | "action ignored"
  | "registered twice";

export interface Mend {
  readonly what: MendName;
  /** For the developer of the integration. */
  readonly hint: string;
}

const HINTS: Readonly<Record<MendName, string>> = {
  "binary frame": "send text frames: Neuro does not read binary ones",
  "byte order mark": "leave out the byte order mark before the JSON",
  "unknown key": "the Neuro API has no such key; strict backends refuse it",
  "data of a command without data": "this command has no data",
  "data missing": "`data` has to be an object",
  "text expected": "a text was expected here",
  "true or false expected": "`true` or `false` was expected here",
  "null": "leave out what has no value instead of sending null; strict backends refuse it",
  "silent missing": "`context` needs `silent`; false was assumed",
  "id is a number": "`id` is a text: send back exactly what came with the action",
  "success is not true or false": "`success` has to be `true` or `false`",
  "list expected": "a list was expected here",
  "name ignored": "action names are texts that are not empty",
  "priority unknown": "`priority` is low, medium, high or critical; low was assumed",
  "description missing": "Neuro chooses by `description`; an action without one says nothing to her",
  "schema empty": "leave out `schema` when an action has no parameters",
  "schema is no object": "`schema` has to be a JSON Schema object; it was left out",
  "schema without type": 'a schema needs `"type": "object"`; it was added',
  "schema of another type": 'a schema has to have `"type": "object"`; put other values into a property',
  "schema keywords": "Neuro may not support these keywords of JSON Schema",
  "schema pattern": "this pattern may take for ever to match, so the relay does not check it",
  "action ignored": "this action cannot be registered",
  "registered twice": "unregister an action before you register it again; some backends keep the first definition",
};

/** Adds a mend, once per kind within a message. `detail` says which or where. */
export function mend(mended: Mend[], what: MendName, detail?: string): void {
  if (mended.some((known) => known.what === what)) return;
  mended.push({ what, hint: detail === undefined ? HINTS[what] : `${HINTS[what]}: ${detail}` });
}
