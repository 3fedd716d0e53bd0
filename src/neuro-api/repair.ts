/**
 * Repairs: input that violates the Neuro API, but could be understood and was corrected.
 *
 * Each kind is reported once for each integration, to its developer: the hint names the necessary change.
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
  | "description_shortened"
  | "schema_empty"
  | "schema_not_object"
  | "schema_type_missing"
  | "schema_type_unsupported"
  | "schema_text"
  | "schema_value"
  | "schema_keywords"
  | "schema_pattern"
  | "action_ignored"
  | "registered_twice"
  | "command_spelling"
  | "game_in_data"
  | "name_in_object"
  | "names_key"
  | "name_twice"
  | "action_text"
  | "result_id_missing";

export interface Repair {
  readonly what: RepairKind;
  /** For the developer of the integration. */
  readonly hint: string;
}

/** What the developer has to change, for each kind. */
export const REPAIR_HINTS: Readonly<Record<RepairKind, string>> = {
  binary_frame: "send text frames: Neuro does not read binary ones",
  byte_order_mark: "leave out the byte order mark before the JSON",
  unknown_key: "the Neuro API has no such key; strict backends refuse it",
  unexpected_data: "this command has no data",
  data_missing: "`data` must be an object",
  text_expected: "a text was expected here",
  boolean_expected: "`true` or `false` was expected here",
  null_value: "leave out a key without a value instead of sending null; strict backends refuse it",
  silent_missing: "`context` needs `silent`; false was assumed",
  numeric_id: "`id` must be a text: send back the id of the action unchanged",
  success_not_boolean: "`success` must be `true` or `false`",
  list_expected: "a list was expected here",
  name_ignored: "an action name must be a text that is not empty",
  priority_unknown: "`priority` must be low, medium, high or critical; low was assumed",
  description_missing: "add a `description`: Neuro chooses actions by it",
  description_shortened: "shorten the `description`; the rest of it was left out",
  schema_empty: "leave out `schema` when an action has no parameters",
  schema_not_object: "`schema` must be a JSON Schema object; it was left out",
  schema_type_missing: 'a schema needs `"type": "object"`; it was added',
  schema_type_unsupported: 'a schema must have `"type": "object"`; put other values into a property',
  schema_text: "give the schema as an object, not as JSON in a text",
  schema_value: "JSON Schema defines another kind of value here; it was corrected",
  schema_keywords: "Neuro may not support these keywords of JSON Schema",
  schema_pattern: "the relay does not check this pattern, because matching it may take too long",
  action_ignored: "not registered",
  command_spelling: "write the command exactly as the Neuro API does",
  game_in_data: "put `game` beside `command`, not into `data`",
  name_in_object: "an action name must be a text, not an object with a `name`",
  names_key: "the names of the actions must be in `action_names`",
  name_twice: "give each name only once in a message; of several definitions the last one counts",
  action_text: "an action must be an object with `name` and `description`, not a text",
  result_id_missing:
    "send the id of the action with its result: without an id the result counts only while a single action is pending",
  registered_twice: "unregister an action before you register it again; some backends keep the first definition",
};

/** Problems of one kind that a hint names. */
const DETAILS_MAX = 8;
const DETAIL_LENGTH_MAX = 320;

/** A repair while its message is read: each further problem of its kind extends the hint. */
interface RepairInProgress extends Repair {
  hint: string;
  readonly details: Set<string>;
  /** The hint with the last detail that it names. */
  named: string;
  unnamed: number;
}

/** Adds a repair, one for each kind within a message. `given` names the repaired part or its place; the hint has at most 8 of them. */
export function addRepair(repairs: Repair[], what: RepairKind, given?: string): void {
  const detail = given?.slice(0, DETAIL_LENGTH_MAX);
  // Why the cast: only this function adds repairs.
  const known = repairs.find((repair) => repair.what === what) as RepairInProgress | undefined;
  if (known === undefined) {
    const hint = detail === undefined ? REPAIR_HINTS[what] : `${REPAIR_HINTS[what]}: ${detail}`;
    const started: RepairInProgress = {
      what,
      hint,
      named: hint,
      details: new Set(detail === undefined ? [] : [detail]),
      unnamed: 0,
    };
    repairs.push(started);
  } else if (detail !== undefined && !known.details.has(detail)) {
    if (known.details.size < DETAILS_MAX) {
      known.named += `${known.details.size === 0 ? ":" : ";"} ${detail}`;
      known.details.add(detail);
    } else known.unnamed++;
    known.hint = known.unnamed === 0 ? known.named : `${known.named}; and ${known.unnamed} more`;
  }
}

/** The hint of the repair of this kind. */
export const hintOf = (repairs: readonly Repair[], what: RepairKind): string =>
  repairs.find((repair) => repair.what === what)?.hint ?? "";
