/** Diagnostics of the behaviour of an integration: what it sends is readable, but not at that time, not that often, or not like this. */
import { type AlsoReportedAs, type DiagnosticRule, LINKS, type Severity } from "./rule.ts";

export type CheckKind =
  | "startup_missing"
  | "startup_late"
  | "startup_repeated"
  | "game_missing"
  | "game_renamed"
  | "game_name_illegal"
  | "game_not_identified"
  | "connected_twice"
  | "connection_slow"
  | "integration_unapproved"
  | "action_name_illegal"
  | "registered_again"
  | "actions_changed_often"
  | "unregister_empty"
  | "unregister_unknown"
  | "unregister_repeated"
  | "force_without_names"
  | "force_names_unknown"
  | "force_names_withheld"
  | "force_repeated"
  | "context_empty"
  | "context_too_long"
  | "contexts_too_many"
  | "contexts_dropped"
  | "context_shortened"
  | "context_replaced"
  | "result_unknown"
  | "result_foreign"
  | "result_repeated"
  | "result_late"
  | "result_slow"
  | "result_missing"
  | "results_missing"
  | "failure_without_message"
  | "data_invalid"
  | "data_not_checked"
  | "unknown_action_accepted"
  | "unknown_action_ignored"
  | "broken_by_action"
  | "schema_beyond_sampler"
  | "text_shortened";

const check = (
  severity: Severity,
  title: string,
  rule: string,
  fix: string,
  link: string,
  alsoAs?: AlsoReportedAs,
): DiagnosticRule => ({ severity, title, rule, fix, link, ...(alsoAs !== undefined && { alsoAs }) });

const FIRST = "`startup` is the first message of each connection, and is sent as soon as it is open.";
const ONE_FORCE = "Neuro can handle only one force at a time.";
const ONE_RESULT = "Each action gets one result, with its id.";
const SOON = "A result is sent as soon as the action is validated, before it is executed: Neuro waits for it.";
const NO_CHURN = "Neuro reads each change of her list of actions, and each one slows her down.";

export const CHECKS: Readonly<Record<CheckKind, DiagnosticRule>> = {
  startup_missing: check(
    "warning",
    "Connection that does not begin with `startup`",
    FIRST,
    "send `startup` first on every connection, also after a reconnection, and then register all actions",
    LINKS.startup,
  ),
  startup_late: check(
    "info",
    "Late `startup`",
    FIRST,
    "send `startup` as soon as the connection is open",
    LINKS.startup,
  ),
  startup_repeated: check(
    "warning",
    "Repeated `startup`",
    FIRST,
    "send `startup` once for each connection: it unregisters all actions and ends the force",
    LINKS.startup,
  ),
  game_missing: check(
    "error",
    "Message without `game`",
    "Each message has the name of the game.",
    "add `game`, the name of the game, to each message",
    LINKS.envelope,
  ),
  game_renamed: check(
    "warning",
    "Renamed game",
    "The name of the game never changes.",
    "use one name: for Neuro, and for the relay, another name is another game with its own actions",
    LINKS.envelope,
  ),
  game_name_illegal: check(
    "warning",
    "Illegal name of a game",
    "The name of a game is its display name: at most 64 characters, without control characters.",
    "use at most 64 characters, without control characters; the relay has shortened the name",
    LINKS.envelope,
  ),
  game_not_identified: check(
    "warning",
    "Connection without a message",
    FIRST,
    "send a message with `game`, or connect to .../game/<name>; this silent client may be one of",
    LINKS.startup,
    "input_repaired",
  ),
  connected_twice: check(
    "warning",
    "Two connections of one game",
    "A game has one connection.",
    "close a connection before you open another one, and run one copy of the game",
    LINKS.envelope,
  ),
  connection_slow: check(
    "warning",
    "Slow connection",
    "A ping is answered at once, unless the game does not process its connection, or the network is slow.",
    "process the connection while the game loads, calculates or is in the background: actions wait as long",
    LINKS.envelope,
  ),
  integration_unapproved: check(
    "info",
    "Integration that the operator has not approved",
    "The operator's policy asks for an approval of integrations that the relay does not know.",
    "nothing: Neuro sees the integration once the operator has approved it; the decision is",
    LINKS.envelope,
  ),
  action_name_illegal: check(
    "warning",
    "Illegal name of an action",
    "The name of an action has at most 64 lowercase letters and digits, with words separated by `_` or `-`.",
    "use only lowercase letters, digits, `_` and `-`: strict backends refuse other names, and Neuro sees another name",
    LINKS.action,
  ),
  registered_again: check(
    "info",
    "Equal action registered again",
    "An action is registered once, and stays registered until it is unregistered.",
    "register an action only if it is not registered; this one was",
    LINKS.register,
  ),
  actions_changed_often: check(
    "warning",
    "Frequent changes of the actions",
    NO_CHURN,
    "change several actions with one message, and keep actions registered that are needed again soon",
    LINKS.guide,
  ),
  unregister_empty: check(
    "info",
    "Unregistration without names",
    "An unregistration names the actions that it removes.",
    "do not send `actions/unregister` without names",
    LINKS.unregister,
  ),
  unregister_unknown: check(
    "warning",
    "Unregistration of an unknown action",
    "An unregistration names actions that are registered.",
    "check the names: no such action was registered on this connection or before",
    LINKS.unregister,
  ),
  unregister_repeated: check(
    "info",
    "Action unregistered again",
    "An unregistration names actions that are registered.",
    "unregister an action once; this one was unregistered already",
    LINKS.unregister,
  ),
  force_without_names: check(
    "error",
    "Force without actions",
    "A force names the actions that Neuro can choose from.",
    "name at least one registered action in `action_names`: Neuro ignores a force without actions",
    LINKS.force,
  ),
  force_names_unknown: check(
    "error",
    "Force with actions that are not registered",
    "A force names actions that are registered.",
    "register an action before you force it; not registered",
    LINKS.force,
    "input_repaired",
  ),
  force_names_withheld: check(
    "info",
    "Force with actions that the operator keeps from Neuro",
    "The operator's policy decides which actions Neuro sees.",
    "nothing: the force is sent without these actions, and ends if no other is left",
    LINKS.force,
  ),
  force_repeated: check(
    "warning",
    "Force while another one is open",
    ONE_FORCE,
    "wait for a successful result, or unregister the actions of the open force, before you send the next one",
    LINKS.force,
  ),
  context_empty: check(
    "warning",
    "Empty context",
    "A context describes what happens in the game.",
    "send no context without a `message`",
    LINKS.context,
  ),
  context_too_long: check(
    "warning",
    "Long context",
    "A context is short: Neuro reads all of it, and forgets something else for it.",
    "summarize the context; more characters than `diagnostics.context_length` allows",
    LINKS.context,
  ),
  contexts_too_many: check(
    "warning",
    "Many contexts",
    "A context is sent when something happens that Neuro has to know.",
    "send fewer contexts and join those that belong together; more than `diagnostics.contexts_per_minute` allows",
    LINKS.context,
  ),
  contexts_dropped: check(
    "warning",
    "More contexts than the operator allows",
    "The operator's policy limits how many contexts of an integration reach Neuro.",
    "send fewer contexts: the policy's `contexts_per_minute` is reached, and further contexts are dropped",
    LINKS.context,
  ),
  context_shortened: check(
    "warning",
    "Longer context than the operator allows",
    "The operator's policy limits the length of contexts.",
    "summarize the context: it is cut at the policy's `context_length`; its number of characters",
    LINKS.context,
  ),
  context_replaced: check(
    "info",
    "Context replaced by a newer one",
    "The operator's policy names contexts that replace each other: Neuro gets the newest one.",
    "nothing: a newer context came before this one was sent to Neuro",
    LINKS.context,
  ),
  result_unknown: check(
    "error",
    "Result of an unknown action",
    ONE_RESULT,
    "send back the id of the action unchanged; there was no action with this id",
    LINKS.result,
    "result_ignored",
  ),
  result_foreign: check(
    "error",
    "Result of another integration's action",
    ONE_RESULT,
    "answer only actions that this integration has got",
    LINKS.result,
    "result_ignored",
  ),
  result_repeated: check(
    "warning",
    "Second result of an action",
    ONE_RESULT,
    "send one result for each action; later news are a `context`",
    LINKS.result,
    "result_ignored",
  ),
  result_late: check(
    "info",
    "Result of an action that is over",
    SOON,
    "the action had a result already: its time was over, a person had ended it, or the relay was restarted",
    LINKS.result,
    "result_ignored",
  ),
  result_slow: check(
    "warning",
    "Slow result",
    SOON,
    "send the result after the validation, and tell Neuro the outcome with a `context`; later than `diagnostics.result`",
    LINKS.result,
  ),
  result_missing: check(
    "error",
    "Action without a result",
    SOON,
    "send a result for every action, also for those that the integration cannot do; Neuro has waited in vain",
    LINKS.result,
    "action_expired",
  ),
  results_missing: check(
    "error",
    "Integration without results",
    "Each action gets a result.",
    "every action needs an `action/result`; from now on silence is taken for success",
    LINKS.result,
    "input_repaired",
  ),
  failure_without_message: check(
    "warning",
    "Failure without a message",
    "The result of an action that failed has a message with the reason.",
    "add a `message` with the reason: Neuro tries again, and repeats what she does not know to be wrong",
    LINKS.result,
  ),
  data_invalid: check(
    "info",
    "Neuro's data does not fit the schema",
    "Neuro's data may not fit the schema of its action.",
    "nothing, it is not the integration's fault: it has answered with a failure, as it should",
    LINKS.data,
  ),
  data_not_checked: check(
    "warning",
    "Success of an action with invalid data",
    "An integration validates the data of each action, and answers invalid data with a failure.",
    "validate the data against the schema, and answer `success: false` with the reason if it does not fit",
    LINKS.data,
  ),
  unknown_action_accepted: check(
    "warning",
    "Success of an action that was never registered",
    "An action that is not registered is answered with a failure.",
    "answer an action that is unknown, or not registered any more, with `success: false` and a message",
    LINKS.result,
  ),
  unknown_action_ignored: check(
    "warning",
    "No result for an action that was never registered",
    "An action that is not registered is answered with a failure.",
    "answer an action that is unknown, or not registered any more, with `success: false` and a message; Neuro waits for it",
    LINKS.result,
  ),
  broken_by_action: check(
    "error",
    "Connection that broke at an unknown action or invalid data",
    "Neuro may use an action that is not registered any more, or send data that does not fit its schema.",
    "answer such an action with `success: false` and a message, instead of failing",
    LINKS.result,
  ),
  schema_beyond_sampler: check(
    "info",
    "Schema without a sample",
    "In standalone mode the relay generates data that fits the schema.",
    "choose the action yourself: the relay can generate no valid data for the schema of",
    LINKS.action,
    "input_repaired",
  ),
  text_shortened: check(
    "warning",
    "Message that is too large for Neuro's backend",
    "A message is at most as large as the backend accepts.",
    "shorten the text; the rest of it was left out",
    LINKS.context,
    "input_repaired",
  ),
};
