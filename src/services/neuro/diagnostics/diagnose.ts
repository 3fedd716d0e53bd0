/**
 * Diagnostics of integrations: each occurrence is counted, and reported at first and then at most every `REPORT_INTERVAL_MS`.
 *
 * Invariants: DX1 an integration has at most one finding for each entry of the catalogue, charged to its account; DX2 no finding and no
 * report contains a credential; DX3 nothing here is called for a message that follows the rules.
 */
import {
  detailIn,
  type DiagnosticId,
  DIAGNOSTICS,
  hintFor,
  type RefusalKind,
  type RepairKind,
} from "../../../core/diagnostics/catalogue.ts";
import type { Millis } from "../../../core/ids.ts";
import type { Frame, Json } from "../../../core/json.ts";
import type { GameMessage } from "../../../core/neuro-messages.ts";
import type { Failure } from "../../../core/result.ts";
import type { StepContext } from "../../../core/context.ts";
import type { Diagnosed, Finding, Game, NeuroState } from "../state.ts";
import { excerptOf, redactedText } from "./excerpt.ts";

/** Between two reports of one diagnostic of one integration. */
const REPORT_INTERVAL_MS: Millis = 10_000;
/** UTF-16 units of a detail. */
const DETAIL_LENGTH_MAX = 512;
/** Something is missing at Neuro, and the detail says what, so each one matters. */
const EACH_DETAIL: ReadonlySet<DiagnosticId> = new Set<DiagnosticId>(["action_ignored", "text_shortened"]);
/** UTF-16 units by which two details are distinguished. */
const NEWS_LENGTH_MAX = 256;
/** A finding without its texts, and its entry in the table. */
const FINDING_BYTES = 256;

/** What is known of one occurrence. */
export interface Occurrence {
  /** What it is about, such as names. It continues the `fix` of the catalogue. */
  readonly detail?: string;
  readonly message?: Frame | GameMessage | Json | undefined;
  /** The id of the trace of what it is about. */
  readonly trace?: string | undefined;
  /** Another service has observed it as `input_repaired`. */
  readonly isReported?: true;
}

/** One occurrence of a diagnostic of an integration. */
export const diagnose = (game: Game, id: DiagnosticId, occurrence: Occurrence, ctx: StepContext): void =>
  record(game.service, game, { id, from: game.name, occurrence }, ctx);

/** Counts another occurrence; false if it has to be reported. Why: a flood of messages would make the same report for each of them. */
export function countAgain({ service, findings }: Game, id: DiagnosticId, now: Millis): boolean {
  const finding = findings.get(id);
  if (finding === undefined || now - finding.reportedAt >= REPORT_INTERVAL_MS) return false;
  if (service.settings.diagnostics.disabled.includes(id)) return true;
  finding.count++;
  finding.lastAt = now;
  return true;
}

/** One occurrence of a client at that address which has not named its game. */
export const diagnoseUnnamed = (
  state: NeuroState,
  id: DiagnosticId,
  { address, ...occurrence }: Occurrence & { readonly address: string },
  ctx: StepContext,
): void => record(state, state.unnamed, { id, from: address, occurrence }, ctx);

/** Repairs of a message. */
export function reportRepairs(
  game: Game,
  repairs: readonly { readonly what: RepairKind; readonly hint: string }[],
  message: Frame | GameMessage | undefined,
  ctx: StepContext,
): void {
  for (const { what, hint } of repairs) diagnose(game, what, { detail: detailIn(what, hint), message }, ctx);
}

/** A message of an integration was refused, which is also observed each time. */
export function reportRefusal(
  game: Game,
  id: RefusalKind,
  { fault, reason, message }: Failure & Pick<Occurrence, "message">,
  ctx: StepContext,
): void {
  ctx.observe({ is: "input_refused", from: game.name, fault, reason });
  diagnose(game, id, { detail: reason, message }, ctx);
}

interface Recorded {
  readonly id: DiagnosticId;
  readonly from: string;
  readonly occurrence: Occurrence;
}

function record(
  { settings, secrets }: NeuroState,
  party: Diagnosed,
  { id, from, occurrence: { detail: given = "", message, trace = "", isReported } }: Recorded,
  ctx: StepContext,
): void {
  if (settings.diagnostics.disabled.includes(id)) return;
  const known = party.findings.get(id);
  const finding = known ?? addFinding(party, id, ctx.now);
  finding.count++;
  finding.lastAt = ctx.now;
  const isNews = known === undefined || (EACH_DETAIL.has(id) && !finding.detail.includes(given.slice(0, NEWS_LENGTH_MAX)));
  const { severity, alsoAs } = DIAGNOSTICS[id];
  // Why each one of a client without a name: it may be another client.
  if (alsoAs === "input_repaired" && isReported === undefined && (isNews || party.slug === undefined)) {
    ctx.observe({ is: "input_repaired", from, what: id, hint: hintFor(id, given) });
  }
  if (!isNews && ctx.now - finding.reportedAt < REPORT_INTERVAL_MS) return;
  finding.reportedAt = ctx.now;
  const detail = redactedText(given, DETAIL_LENGTH_MAX, secrets);
  keepTexts(party, finding, { detail, message: excerptOf(message, secrets), trace }, settings.limits);
  const { count, message: excerpt } = finding;
  ctx.observe({ is: "diagnostic", from, slug: party.slug, what: id, severity, detail, count, message: excerpt });
}

function addFinding(party: Diagnosed, id: DiagnosticId, now: Millis): Finding {
  const finding: Finding = {
    count: 0,
    firstAt: now,
    lastAt: now,
    reportedAt: now,
    detail: "",
    message: "",
    trace: "",
    bytes: FINDING_BYTES,
  };
  party.findings = new Map(party.findings).set(id, finding);
  party.retained.charge(FINDING_BYTES);
  return finding;
}

/** Keeps the texts of the last report, unless there is no room for them. */
function keepTexts(
  { retained }: Diagnosed,
  finding: Finding,
  { detail, message, trace }: Pick<Finding, "detail" | "message" | "trace">,
  limits: NeuroState["settings"]["limits"],
): void {
  const bytes = FINDING_BYTES + 2 * (detail.length + message.length + trace.length);
  if (retained.refusal(bytes - finding.bytes, limits) !== undefined) return;
  retained.charge(bytes - finding.bytes);
  finding.bytes = bytes;
  finding.detail = detail;
  finding.message = message;
  finding.trace = trace;
}

/** Forgets all diagnostics of an integration. */
export function forgetFindings(party: Diagnosed): void {
  for (const { bytes } of party.findings.values()) party.retained.release(bytes);
  party.findings = new Map();
}
