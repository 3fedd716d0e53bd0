/** The view of the diagnostics. */
import {
  type DiagnosticId,
  DIAGNOSTICS,
  isAtLeast,
  SEVERITIES,
  type Severity,
} from "../../../core/diagnostics/catalogue.ts";
import { type DiagnosticView, type Page, pageOf, type PageRequest } from "../../../core/view.ts";
import type { Diagnosed, Finding, NeuroState } from "../state.ts";

export interface DiagnosticFilter extends PageRequest {
  /** The id of an integration. */
  readonly integration?: string;
  /** The least severity. */
  readonly severity?: Severity;
  readonly what?: DiagnosticId;
}

/** Diagnostics, ordered by integration and id. Those of clients that have not named their game come first. */
export function diagnosticPage(state: NeuroState, filter: DiagnosticFilter): Page<DiagnosticView> {
  const { integration, severity = "info", what } = filter;
  const parties = [...state.slugs.values(), state.unnamed].filter(({ slug }) => (integration ?? slug) === slug);
  const views = parties.flatMap((party) => [...party.findings].map(([id, finding]) => viewOf(party, id, finding)));
  const wanted = views.filter((view) => isAtLeast(view.severity, severity) && (what ?? view.what) === view.what);
  return pageOf(wanted.sort((one, other) => (idOf(one) < idOf(other) ? -1 : 1)), filter, { id: idOf });
}

/** The diagnostics of one integration, the gravest first. */
export const diagnosticsOf = (party: Diagnosed): readonly DiagnosticView[] =>
  [...party.findings].map(([id, finding]) => viewOf(party, id, finding)).sort((one, other) =>
    SEVERITIES.indexOf(one.severity) - SEVERITIES.indexOf(other.severity) || (one.what < other.what ? -1 : 1)
  );

const idOf = ({ integration, what }: DiagnosticView): string => `${integration ?? ""}.${what}`;

function viewOf({ slug, name }: Diagnosed, what: DiagnosticId, finding: Finding): DiagnosticView {
  const { severity, title, rule, fix, link } = DIAGNOSTICS[what];
  const { detail, message, trace, count, firstAt, lastAt } = finding;
  return {
    integration: slug ?? null,
    name,
    what,
    severity,
    title,
    rule,
    fix,
    link,
    detail,
    message,
    trace: trace === "" ? null : trace,
    count,
    first_at: firstAt,
    last_at: lastAt,
  };
}
