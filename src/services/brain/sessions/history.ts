/** Looking back: states, audit, ledger, replay. Nothing here changes anything. */
import type { Json, JsonObject } from "../../../core/json.ts";
import { AUDIT_PAGE_MAX, AUDIT_TEXT_MAX } from "../../../core/limits.ts";
import {
  activeOrDamagedSession,
  activeSession,
  answerFromSession,
  damagedLog,
  readLog,
  refuse,
  type RequestInStep,
} from "../request.ts";
import { isTruthy } from "../codec/python-repr.ts";
import type { LogEvent } from "../log/event.ts";
import { badParams, invalid, type RequestError, valid, type Validated } from "../codec/request-error.ts";
import { readFromLog } from "../log/reader.ts";
import type { BrainSession, LoadedLog } from "./session.ts";

/** `GetState`: now, or after any event. */
export function getState(call: RequestInStep): void {
  const found = activeSession(call);
  if (found === undefined) return;
  const { session, body } = found;
  const at = requestedSeq(call, body);
  if (!at.ok) return refuse(call, at.problem);
  readLog(call, { session, from: 0, until: at.value }, (then, past) => {
    if (past.is !== "head") return;
    const { state, seq } = past.head;
    answerFromSession(then, { session, seq, body: { type: "State.Snapshot", session_id: session.id, state, seq } });
  });
}

/** The event that `at_seq` names, else the last one. */
export function requestedSeq({ brain, fields }: RequestInStep, { head, base }: LoadedLog): Validated<number> {
  const { at_seq: at = head.seq } = fields;
  if (typeof at !== "number" || !Number.isInteger(at) || at < 0 || at > head.seq) {
    return invalid(badParams("at_seq", `a whole number from 0 to ${head.seq} is wanted`));
  }
  return !brain.settings.persist && at < base.seq ? invalid(notKept("at_seq", base.seq)) : valid(at);
}

/** Where nothing is stored, only the last events are there. */
const notKept = (path: string, first: number): RequestError =>
  badParams(path, `what was before event ${first} is not kept`);

/** `GetAudit`: events as they are in the log. */
export function getAudit(call: RequestInStep): void {
  answerPage(call, ({ events, session, body: { head } }) => ({
    type: "Audit.Page",
    session_id: session.id,
    events: events.map(({ seq, id, timestamp, type, payload, hash }) => ({ seq, id, timestamp, type, payload, hash })),
    next_seq: nextSeq(call, events),
    head_seq: head.seq,
    head_hash: head.hash,
  }));
}

/** `GetLedger`: what the covenant noted about each operation. */
export function getLedger(call: RequestInStep): void {
  answerPage(call, ({ events, session }) => ({
    type: "Safety.Ledger",
    session_id: session.id,
    entries: events.flatMap(ledgerEntries),
    next_seq: nextSeq(call, events),
  }));
}

interface LogPage {
  readonly session: BrainSession;
  readonly body: LoadedLog;
  readonly events: readonly LogEvent[];
}

function answerPage(call: RequestInStep, show: (page: LogPage) => JsonObject): void {
  const found = activeSession(call);
  if (found === undefined) return;
  const { session, body } = found;
  const { after_seq: after = -1, limit = 100 } = call.fields;
  if (typeof after !== "number" || !Number.isInteger(after) || after < -1) {
    return refuse(call, badParams("after_seq", "a whole number from -1 on is wanted"));
  }
  if (typeof limit !== "number" || !Number.isInteger(limit) || limit < 1 || limit > AUDIT_PAGE_MAX) {
    return refuse(call, badParams("limit", `a whole number from 1 to ${AUDIT_PAGE_MAX} is wanted`));
  }
  const { seq: head } = body.head;
  const from = firstShown(call, body, after + 1);
  const plan = { session, from, until: Math.min(head, from + limit - 1), textMax: AUDIT_TEXT_MAX };
  readLog(call, plan, (then, past) => {
    if (past.is === "events") {
      answerFromSession(then, { session, seq: head, body: show({ session, body, events: past.events }) });
    }
  });
}

/** The first event that can be shown. */
function firstShown({ brain }: RequestInStep, { base }: LoadedLog, wanted: number): number {
  return brain.settings.persist ? wanted : Math.max(wanted, base.seq + 1);
}

/** Where to go on reading: after the last event shown, or where the reader already was. */
function nextSeq({ fields }: RequestInStep, events: readonly LogEvent[]): number {
  const { after_seq: after = -1 } = fields;
  return (events.at(-1)?.seq ?? Number(after)) + 1;
}

function ledgerEntries({ id, timestamp, type, payload }: LogEvent): readonly Json[] {
  if (type === "OperatorRefused") return [ledgerEntry({ id, timestamp }, payload["reasons"])];
  if (type === "OperatorApplied") return [ledgerEntry({ id, timestamp }, reasonsOf(payload))];
  if (type !== "MacroApplied" || !Array.isArray(payload["steps"])) return [];
  return payload["steps"].map((step: JsonObject) => ledgerEntry({ id, timestamp }, reasonsOf(step)));
}

function reasonsOf({ recommendations }: JsonObject): Json | undefined {
  return (recommendations as JsonObject | undefined)?.["reasons"];
}

/** `reason` is the first; the original knew only one. */
function ledgerEntry(of: { readonly id: string; readonly timestamp: string }, reasons: Json | undefined): JsonObject {
  if (!Array.isArray(reasons) || !isTruthy(reasons)) return { ...of, note: "ok", data: {} };
  return { ...of, note: "safeguard_engaged", data: { reason: reasons[0], ...(reasons.length > 1 && { reasons }) } };
}

/** `ReplaySession`: folds the whole log as it is stored, and compares. */
export function replaySession(call: RequestInStep): void {
  const { brain, ctx } = call;
  const found = activeOrDamagedSession(call);
  if (found === undefined) return;
  const until = found.log?.head.seq ?? found.segments.at(-1)?.last ?? -1;
  const served = found.log?.head.stateHash ?? null;
  readFromLog(brain, ctx, {
    session: found,
    from: 0,
    until,
    isStrict: true,
    end(past, later) {
      const then: RequestInStep = { ...call, ctx: later };
      if (past.is === "unreadable") return refuse(then, damagedLog({ seq: 0, why: past.why }));
      const folded = past.is === "head" ? past.head.stateHash : null;
      const damage = past.is === "damage" ? past.damage : found.damage;
      const firstMismatch = damage?.seq ?? (folded === served ? null : until);
      const body = {
        type: "Replay.Report",
        session_id: found.id,
        ok: firstMismatch === null,
        events: until + 1,
        state_hash: folded ?? served,
        first_mismatch: firstMismatch,
        ...(damage !== undefined && { why: damage.why }),
      };
      answerFromSession(then, { session: found, seq: until, body });
    },
  });
}
