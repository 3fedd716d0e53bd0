/** Diagnostics of input that violates the Neuro API, but could be understood and was corrected by the reader. */
import { type DiagnosticRule, LINKS, type Severity } from "./rule.ts";

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
  | "query_missing"
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
  | "result_id_missing"
  | "keys_repeated"
  | "keys_reordered";

const repaired = (
  severity: Severity,
  title: string,
  rule: string,
  fix: string,
  link: string = LINKS.envelope,
): DiagnosticRule => ({ severity, title, rule, fix, link, alsoAs: "input_repaired" });

const TYPES = "Each field has the type that the specification gives.";
const ACTION_NAMES = "`action_names` is a list of texts.";

export const REPAIRS: Readonly<Record<RepairKind, DiagnosticRule>> = {
  binary_frame: repaired(
    "error",
    "Binary frame",
    "Every message is one text frame.",
    "send text frames: Neuro does not read binary ones",
  ),
  byte_order_mark: repaired(
    "error",
    "Byte order mark",
    "A frame is one JSON object and nothing else.",
    "leave out the byte order mark before the JSON",
  ),
  unknown_key: repaired(
    "warning",
    "Unknown key",
    "A message has the keys of the specification and no others.",
    "the Neuro API has no such key; strict backends refuse it",
  ),
  unexpected_data: repaired(
    "info",
    "Data of a command without data",
    "`startup` and `shutdown/ready` have no `data`; strict backends refuse it.",
    "this command has no data",
    LINKS.startup,
  ),
  data_missing: repaired("error", "Missing data", "`data` is an object.", "`data` must be an object"),
  text_expected: repaired("error", "Value of a wrong type", TYPES, "a text was expected here"),
  boolean_expected: repaired("error", "Value of a wrong type", TYPES, "`true` or `false` was expected here"),
  null_value: repaired(
    "warning",
    "null instead of an absent key",
    "A key without a value is absent.",
    "leave out a key without a value instead of sending null; strict backends refuse it",
  ),
  silent_missing: repaired(
    "warning",
    "Context without `silent`",
    "A context has `message` and `silent`.",
    "`context` needs `silent`; false was assumed",
    LINKS.context,
  ),
  query_missing: repaired(
    "error",
    "Force without `query`",
    "A force has a `query`, which tells Neuro what to do.",
    "`actions/force` needs a `query`: without it Neuro is not told what to do",
    LINKS.force,
  ),
  numeric_id: repaired(
    "error",
    "Numeric id of a result",
    "A result has the id of its action, which is a text.",
    "`id` must be a text: send back the id of the action unchanged",
    LINKS.result,
  ),
  success_not_boolean: repaired(
    "error",
    "Result whose `success` is not a boolean",
    TYPES,
    "`success` must be `true` or `false`",
    LINKS.result,
  ),
  list_expected: repaired("error", "Value of a wrong type", TYPES, "a list was expected here"),
  name_ignored: repaired(
    "error",
    "Action name that is not a text",
    ACTION_NAMES,
    "an action name must be a text that is not empty",
    LINKS.action,
  ),
  priority_unknown: repaired(
    "warning",
    "Unknown priority",
    "The priority of a force is `low`, `medium`, `high` or `critical`.",
    "`priority` must be low, medium, high or critical; low was assumed",
    LINKS.force,
  ),
  description_missing: repaired(
    "warning",
    "Action without a description",
    "Each action has a description, which Neuro reads.",
    "add a `description`: Neuro chooses actions by it",
    LINKS.action,
  ),
  description_shortened: repaired(
    "warning",
    "Description that is too long",
    "A description has at most 16,384 characters.",
    "shorten the `description`; the rest of it was left out",
    LINKS.action,
  ),
  schema_empty: repaired(
    "warning",
    "Empty schema",
    "An action without parameters has no `schema`.",
    "leave out `schema` when an action has no parameters",
    LINKS.action,
  ),
  schema_not_object: repaired(
    "error",
    "Schema that is not an object",
    "A schema is a JSON Schema object.",
    "`schema` must be a JSON Schema object; it was left out",
    LINKS.action,
  ),
  schema_type_missing: repaired(
    "warning",
    "Schema without a type",
    'A schema has `"type": "object"`.',
    'a schema needs `"type": "object"`; it was added',
    LINKS.action,
  ),
  schema_type_unsupported: repaired(
    "error",
    "Schema of another type than object",
    'A schema has `"type": "object"`.',
    'a schema must have `"type": "object"`; put other values into a property',
    LINKS.action,
  ),
  schema_text: repaired(
    "error",
    "Schema in a text",
    "A schema is a JSON Schema object.",
    "give the schema as an object, not as JSON in a text",
    LINKS.action,
  ),
  schema_value: repaired(
    "error",
    "Invalid schema",
    "A schema is valid JSON Schema.",
    "JSON Schema defines another kind of value here; it was corrected",
    LINKS.action,
  ),
  schema_keywords: repaired(
    "warning",
    "Schema keywords that Neuro may not support",
    "A schema is simple; the specification lists the keywords that are probably not supported well.",
    "Neuro may not support these keywords of JSON Schema",
    LINKS.action,
  ),
  schema_pattern: repaired(
    "info",
    "Expensive pattern in a schema",
    "A pattern can be matched in linear time.",
    "the relay does not check this pattern, because matching it may take too long",
    LINKS.action,
  ),
  action_ignored: repaired(
    "error",
    "Action that cannot be registered",
    "Each action has a name, a description and at most a valid schema.",
    "not registered",
    LINKS.register,
  ),
  registered_twice: repaired(
    "warning",
    "Action registered again with another definition",
    "An action that is registered already is ignored, or replaces the earlier one.",
    "unregister an action before you register it again; some backends keep the first definition",
    LINKS.register,
  ),
  command_spelling: repaired(
    "error",
    "Misspelled command",
    "A command is written as in the specification.",
    "write the command exactly as the Neuro API does",
  ),
  game_in_data: repaired(
    "error",
    "Name of the game inside the data",
    "`game` is a key of the message.",
    "put `game` beside `command`, not into `data`",
  ),
  name_in_object: repaired(
    "error",
    "Action name inside an object",
    ACTION_NAMES,
    "an action name must be a text, not an object with a `name`",
    LINKS.unregister,
  ),
  names_key: repaired(
    "error",
    "Action names under another key",
    ACTION_NAMES,
    "the names of the actions must be in `action_names`",
    LINKS.unregister,
  ),
  name_twice: repaired(
    "warning",
    "Name given twice in one message",
    "The name of an action is its unique identifier.",
    "give each name only once in a message; of several definitions the last one counts",
    LINKS.action,
  ),
  action_text: repaired(
    "error",
    "Action that is only a text",
    "An action is an object with `name`, `description` and, if it has parameters, `schema`.",
    "an action must be an object with `name` and `description`, not a text",
    LINKS.action,
  ),
  result_id_missing: repaired(
    "error",
    "Result without an id",
    "A result has the id of its action.",
    "send the id of the action with its result: without an id the result counts only while a single action is pending",
    LINKS.result,
  ),
  keys_repeated: repaired(
    "error",
    "Repeated key",
    "An object has each key once.",
    "give each key of an object once: only its last value is passed on",
  ),
  keys_reordered: repaired(
    "warning",
    "Whole numbers as keys",
    "The order of keys has no meaning in JSON.",
    "use a list where the order matters: keys that are whole numbers are passed on first, in ascending order",
  ),
};
