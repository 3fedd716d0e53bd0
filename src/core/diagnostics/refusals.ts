/** Diagnostics of input that was refused. */
import { type DiagnosticRule, LINKS, type Severity } from "./rule.ts";

export type RefusalKind =
  | "frame_unreadable"
  | "message_invalid"
  | "message_too_large"
  | "message_not_understood"
  | "message_withheld"
  | "command_unknown"
  | "limit_reached"
  | "action_denied"
  | "choice_refused"
  | "connection_standby"
  | "greeting_repeated";

const refused = (
  severity: Severity,
  title: string,
  rule: string,
  fix: string,
  link: string = LINKS.envelope,
): DiagnosticRule => ({ severity, title, rule, fix, link, alsoAs: "input_refused" });

export const REFUSALS: Readonly<Record<RefusalKind, DiagnosticRule>> = {
  frame_unreadable: refused(
    "error",
    "Frame that is not a JSON object",
    "Every message is one JSON object in one text frame.",
    "send one JSON object in each text frame",
  ),
  message_invalid: refused(
    "error",
    "Message that cannot be understood",
    "A message has the fields of the specification.",
    "correct the message: it was ignored",
  ),
  message_too_large: refused(
    "error",
    "Message that is too large",
    "A message, and each schema in it, is at most as large as the limits of the relay allow.",
    "make the message smaller: it was ignored",
    LINKS.register,
  ),
  message_not_understood: refused(
    "warning",
    "Message without a known meaning",
    "A message of the Intermediary has one of `event`, `command`, `op`, `query` and `choice`.",
    "correct the message: it was read as free text",
  ),
  message_withheld: refused(
    "error",
    "Message that Neuro's backend does not accept",
    "A message is valid, and at most as large as the backend accepts.",
    "correct the message: it is not sent to Neuro again",
  ),
  command_unknown: refused(
    "error",
    "Unknown command",
    "A command is one of the specification.",
    "send no other commands: Neuro ignores them, and some backends close the connection",
  ),
  limit_reached: refused(
    "error",
    "Limit of the relay",
    "An integration keeps within the limits of the relay.",
    "send or register less, or raise the limit",
  ),
  action_denied: refused(
    "warning",
    "Action that the operator does not allow",
    "The operator's policy decides which actions an integration can register.",
    "nothing, unless the integration needs the action: then ask the operator of the relay to allow it",
    LINKS.register,
  ),
  choice_refused: refused(
    "warning",
    "Choice that cannot be made",
    "A choice in Neuro's place names a registered action, has data that fits its schema, and comes before the decision.",
    "choose an offered action, with data that fits its schema",
    LINKS.data,
  ),
  connection_standby: refused(
    "warning",
    "Message of a second connection",
    "A game has one connection.",
    "close this connection: another one of this game is active, and the messages of this one are ignored",
  ),
  greeting_repeated: refused(
    "warning",
    "Repeated greeting",
    "A connection to the Intermediary begins with one greeting.",
    "greet once for each connection: a later greeting is ignored",
  ),
};
