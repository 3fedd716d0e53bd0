/** The form of one entry of the catalogue of diagnostics. */

/**
 * `error`: Neuro, or a strict backend, ignores or refuses the message, or waits for something that does not come. `warning`: it works, but
 * not everywhere, or not as well as it could. `info`: nothing is wrong with the integration, but its author should know.
 */
export type Severity = "error" | "warning" | "info";

/** Severities, the gravest first. */
export const SEVERITIES: readonly Severity[] = ["error", "warning", "info"];

/** True if it is as grave as the other one, or graver. */
export const isAtLeast = (severity: Severity, other: Severity): boolean =>
  SEVERITIES.indexOf(severity) <= SEVERITIES.indexOf(other);

/** The observation, with a log line and an event of its own, that reports the same problem. */
export type AlsoReportedAs = "input_repaired" | "input_refused" | "result_ignored" | "action_expired";

/** What is known about every occurrence of one diagnostic. */
export interface DiagnosticRule {
  readonly severity: Severity;
  /** What was observed. */
  readonly title: string;
  /** What the Neuro API, or the relay, expects. */
  readonly rule: string;
  /** What the author of the integration has to change. It is also the beginning of a hint. */
  readonly fix: string;
  /** The documentation of the rule. */
  readonly link: string;
  /** Undefined: only the diagnostic itself reports it. */
  readonly alsoAs?: AlsoReportedAs;
}

const SPECIFICATION = "https://github.com/VedalAI/neuro-sdk/blob/main/API/SPECIFICATION.md";
const GUIDE = "https://github.com/VedalAI/neuro-sdk/blob/main/API/README.md";

const at = (anchor: string): string => `${SPECIFICATION}#${anchor}`;

/** Where the rules are documented. */
export const LINKS: Readonly<
  Record<
    "envelope" | "action" | "startup" | "context" | "register" | "unregister" | "force" | "result" | "data" | "guide",
    string
  >
> = {
  envelope: at("neuro-api-specification"),
  action: at("action"),
  startup: at("startup"),
  context: at("context"),
  register: at("register-actions"),
  unregister: at("unregister-actions"),
  force: at("force-actions"),
  result: at("action-result"),
  data: at("action-1"),
  guide: `${GUIDE}#additional-guide-for-using-actions`,
};
