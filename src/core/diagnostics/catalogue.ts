/**
 * The catalogue of diagnostics: everything that the relay notices about the messages and the behaviour of an integration.
 *
 * It is the only table of such hints. An id is public: it is the `what` of an event, and an item of `diagnostics.disabled`. So an id is
 * never renamed, and never used for something else.
 */
import { type CheckKind, CHECKS } from "./checks.ts";
import { type RefusalKind, REFUSALS } from "./refusals.ts";
import { type RepairKind, REPAIRS } from "./repairs.ts";
import type { DiagnosticRule } from "./rule.ts";

export type { CheckKind } from "./checks.ts";
export type { RefusalKind } from "./refusals.ts";
export type { RepairKind } from "./repairs.ts";
export { type AlsoReportedAs, type DiagnosticRule, isAtLeast, SEVERITIES, type Severity } from "./rule.ts";

/** The id of a diagnostic. */
export type DiagnosticId = RepairKind | CheckKind | RefusalKind;

/** Every diagnostic. */
export const DIAGNOSTICS: Readonly<Record<DiagnosticId, DiagnosticRule>> = { ...REPAIRS, ...CHECKS, ...REFUSALS };

// Why the cast: `Object.keys` forgets the names of a record.
export const DIAGNOSTIC_IDS: readonly DiagnosticId[] = Object.keys(DIAGNOSTICS) as DiagnosticId[];

/** What the author of an integration has to do about one occurrence. */
export const hintFor = (id: DiagnosticId, detail: string): string =>
  detail === "" ? DIAGNOSTICS[id].fix : `${DIAGNOSTICS[id].fix}: ${detail}`;

/** The detail in a hint of `hintFor`. */
export const detailIn = (id: DiagnosticId, hint: string): string => hint.slice(DIAGNOSTICS[id].fix.length + 2);
