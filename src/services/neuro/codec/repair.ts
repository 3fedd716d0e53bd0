/**
 * What was not as the Neuro API wants it, could be understood all the same, and was put right.
 *
 * The relay says each kind once per integration, to its developer: a hint tells what to change, not what the relay did.
 */

export type RepairKind =
  | "binary_frame"
  | "byte_order_mark"
  | "unknown_key"
  | "unexpected_data"
  | "data_missing"
  | "text_expected"
  | "boolean_expected"
  | "null_value"
  | "silent_missing"
  | "numeric_id"
  | "success_not_boolean"
  | "list_expected"
  | "name_ignored"
  | "priority_unknown"
  | "description_missing"
  | "schema_empty"
  | "schema_not_object"
  | "schema_type_missing"
  | "schema_type_unsupported"
  | "schema_keywords"
  | "schema_pattern"
  | "action_ignored"
  | "registered_twice";

export interface Repair {
  readonly what: RepairKind;
  /** For the developer of the integration. */
  readonly hint: string;
}

const HINTS: Readonly<Record<RepairKind, string>> = {
  binary_frame: "send text frames: Neuro does not read binary ones",
  byte_order_mark: "leave out the byte order mark before the JSON",
  unknown_key: "the Neuro API has no such key; strict backends refuse it",
  unexpected_data: "this command has no data",
  data_missing: "`data` has to be an object",
  text_expected: "a text was expected here",
  boolean_expected: "`true` or `false` was expected here",
  null_value: "leave out what has no value instead of sending null; strict backends refuse it",
  silent_missing: "`context` needs `silent`; false was assumed",
  numeric_id: "`id` is a text: send back exactly what came with the action",
  success_not_boolean: "`success` has to be `true` or `false`",
  list_expected: "a list was expected here",
  name_ignored: "action names are texts that are not empty",
  priority_unknown: "`priority` is low, medium, high or critical; low was assumed",
  description_missing: "Neuro chooses by `description`; an action without one says nothing to her",
  schema_empty: "leave out `schema` when an action has no parameters",
  schema_not_object: "`schema` has to be a JSON Schema object; it was left out",
  schema_type_missing: 'a schema needs `"type": "object"`; it was added',
  schema_type_unsupported: 'a schema has to have `"type": "object"`; put other values into a property',
  schema_keywords: "Neuro may not support these keywords of JSON Schema",
  schema_pattern: "this pattern may take for ever to match, so the relay does not check it",
  action_ignored: "this action cannot be registered",
  registered_twice: "unregister an action before you register it again; some backends keep the first definition",
};

/** Adds a mend, once per kind within a message. `detail` says which or where. */
export function addRepair(repairs: Repair[], what: RepairKind, detail?: string): void {
  if (repairs.some((known) => known.what === what)) return;
  repairs.push({ what, hint: detail === undefined ? HINTS[what] : `${HINTS[what]}: ${detail}` });
}
