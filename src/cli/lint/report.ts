/** The report of `lint`, and its verdict. */
import { isAtLeast, SEVERITIES, type Severity } from "../../core/diagnostics/catalogue.ts";
import type { DiagnosticView } from "../../core/view.ts";

export interface LintReport {
  readonly version: string;
  /** The names of all integrations that were connected. */
  readonly integrations: readonly string[];
  /** Each integration's gravest first. */
  readonly diagnostics: readonly DiagnosticView[];
  readonly failOn: Severity;
}

/** The diagnostics because of which the integration fails the check. */
export const failuresOf = ({ diagnostics, failOn }: LintReport): readonly DiagnosticView[] =>
  diagnostics.filter(({ severity }) => isAtLeast(severity, failOn));

/** True if an integration was checked, and has no diagnostic that fails. */
export const hasPassed = (report: LintReport): boolean => report.integrations.length > 0 && failuresOf(report).length === 0;

/** The diagnostics in the order of the integrations, the gravest first. */
export const inOrder = (diagnostics: readonly DiagnosticView[]): readonly DiagnosticView[] =>
  [...diagnostics].sort((one, other) =>
    (one.integration ?? "").localeCompare(other.integration ?? "") ||
    SEVERITIES.indexOf(one.severity) - SEVERITIES.indexOf(other.severity) ||
    one.what.localeCompare(other.what)
  );

/** The name of an integration in the report. */
export const integrationOf = ({ name, integration }: Pick<DiagnosticView, "name" | "integration">): string =>
  integration === null ? "(unnamed)" : name;

/** The fix with the details of the last occurrence. */
export const adviceOf = ({ fix, detail }: DiagnosticView): string => detail === "" ? fix : `${fix}: ${detail}`;
