/** Reads the past of a session: states, audit, ledger, replay. These functions change no state. */
import { assertNever } from "../../../core/assert.ts";
import type { StepContext } from "../../../core/context.ts";
import { type Json, type JsonObject, numberOf } from "../../../core/json.ts";
import { AUDIT_PAGE_MAX, AUDIT_TEXT_MAX, BRAIN_FRAME_BYTES_MAX } from "../../../core/limits.ts";
import { fitsBytes } from "../../../core/text.ts";
import { isTruthy } from "../codec/python-repr.ts";
import { badParams, invalid, replyFrame, type RequestError, valid, type Validated } from "../codec/request-error.ts";
import type { LogEvent } from "../log/event.ts";
import type { FoldedLog, ReadFailure } from "../log/log-store.ts";
import { foldLog, readEvents } from "../log/reader.ts";
import { lastSeq, type LoadedLog, loadedOf, type LogDamage } from "../log/session-log.ts";
import {
  activeOrDamagedSession,
  type ActiveSession,
  activeSession,
  answerFromSession,
  answerWithFrame,
  damagedLog,
  readEventsFor,
  readHeadFor,
  refuse,
} from "../request.ts";
import type { BrainState } from "../state.ts";
import type { BrainSession, ClientRequest } from "./session.ts";

/** `GetState`: the state now, or after any event. */
export function getState(state: BrainState, request: ClientRequest, ctx: StepContext): void {
  const found = activeSession(state, request, ctx);
  if (found === undefined) return;
  const { session, loaded } = found;
  const at = requestedSeq(state, request, loaded);
  if (!at.ok) return refuse(state, request, at.error, ctx);
  readHeadFor(state, request, {
    session,
    seq: at.value,
    use({ state: sessionState, seq }, later) {
      const body = { type: "State.Snapshot", session_id: session.id, state: sessionState, seq };
      answerFromSession(state, request, { session, seq, body }, later);
    },
  }, ctx);
}

/** The event that `at_seq` names; the last one by default. */
export function requestedSeq(
  { settings }: BrainState,
  { fields }: ClientRequest,
  { head, base }: LoadedLog,
): Validated<number> {
  const at = fields["at_seq"] === undefined ? head.seq : numberOf(fields["at_seq"]);
  if (at === undefined || !Number.isInteger(at) || at < 0 || at > head.seq) {
    return invalid(badParams("at_seq", `a whole number from 0 to ${head.seq}`));
  }
  return !settings.persist && at < base.seq ? invalid(notKept("at_seq", base.seq)) : valid(at);
}

/** Without persistence only the last events are available. */
const notKept = (path: string, first: number): RequestError =>
  badParams(path, `an event from ${first} on, because earlier ones are not kept`);

/** `GetAudit`: events of the log. */
export function getAudit(state: BrainState, request: ClientRequest, ctx: StepContext): void {
  answerPage(state, request, ({ events, session, loaded: { head } }) => ({
    type: "Audit.Page",
    session_id: session.id,
    events: events.map(({ seq, id, timestamp, type, payload, hash }) => ({ seq, id, timestamp, type, payload, hash })),
    next_seq: nextSeq(request, events),
    head_seq: head.seq,
    head_hash: head.hash,
  }), ctx);
}

/** `GetLedger`: the covenant's evaluation of each operation. */
export function getLedger(state: BrainState, request: ClientRequest, ctx: StepContext): void {
  answerPage(state, request, ({ events, session }) => ({
    type: "Safety.Ledger",
    session_id: session.id,
    entries: events.flatMap(ledgerEntries),
    next_seq: nextSeq(request, events),
  }), ctx);
}

interface LogPage extends ActiveSession {
  readonly events: readonly LogEvent[];
}

function answerPage(
  state: BrainState,
  request: ClientRequest,
  bodyOf: (page: LogPage) => JsonObject,
  ctx: StepContext,
): void {
  const found = activeSession(state, request, ctx);
  if (found === undefined) return;
  const { session, loaded } = found;
  const { after_seq: givenAfter = -1, limit: givenLimit = 100 } = request.fields;
  const [after, limit] = [numberOf(givenAfter), numberOf(givenLimit)];
  if (after === undefined || !Number.isInteger(after) || after < -1) {
    return refuse(state, request, badParams("after_seq", "a whole number, at least -1"), ctx);
  }
  if (limit === undefined || !Number.isInteger(limit) || limit < 1 || limit > AUDIT_PAGE_MAX) {
    return refuse(state, request, badParams("limit", `a whole number from 1 to ${AUDIT_PAGE_MAX}`), ctx);
  }
  const { seq: head } = loaded.head;
  const from = firstAvailable(state, loaded, after + 1);
  readEventsFor(state, request, {
    session,
    from,
    until: Math.min(head, from + limit - 1),
    textMax: AUDIT_TEXT_MAX,
    use(events, later) {
      const frame = pageFrame(request, events, (shown) => bodyOf({ session, loaded, events: shown }));
      answerWithFrame(state, request, { session, seq: head, frame }, later);
    },
  }, ctx);
}

/** A page with as many of the events as fit a frame: `AUDIT_TEXT_MAX` counts characters, which may need three bytes each. */
function pageFrame(
  { fields }: Pick<ClientRequest, "fields">,
  events: readonly LogEvent[],
  bodyOf: (shown: readonly LogEvent[]) => JsonObject,
): string {
  const frame = replyFrame(bodyOf(events), fields);
  if (events.length <= 1 || fitsBytes(frame, BRAIN_FRAME_BYTES_MAX)) return frame;
  return pageFrame({ fields }, events.slice(0, Math.ceil(events.length / 2)), bodyOf);
}

function firstAvailable({ settings }: BrainState, { base }: LoadedLog, wanted: number): number {
  return settings.persist ? wanted : Math.max(wanted, base.seq + 1);
}

/** The `after_seq` + 1 of the next page: after the last event of this page, or unchanged if the page is empty. */
function nextSeq({ fields }: ClientRequest, events: readonly LogEvent[]): number {
  const { after_seq: after = -1 } = fields;
  return (events.at(-1)?.seq ?? Number(after)) + 1;
}

function ledgerEntries({ id, timestamp, type, payload }: LogEvent): readonly Json[] {
  switch (type) {
    case "OperatorRefused":
      return [ledgerEntry({ id, timestamp }, payload["reasons"])];
    case "OperatorApplied":
      return [ledgerEntry({ id, timestamp }, reasonsOf(payload))];
    case "MacroApplied": {
      const steps = Array.isArray(payload["steps"]) ? payload["steps"] : [];
      return steps.map((step: JsonObject) => ledgerEntry({ id, timestamp }, reasonsOf(step)));
    }
    case "SessionCreated":
    case "SessionForked":
    case "SessionSealed":
      return [];
    default:
      return assertNever(type);
  }
}

function reasonsOf({ recommendations }: JsonObject): Json | undefined {
  return (recommendations as JsonObject | undefined)?.["reasons"];
}

/** `reason` is the first of the reasons, because the original had only one. */
function ledgerEntry(of: { readonly id: string; readonly timestamp: string }, reasons: Json | undefined): JsonObject {
  if (!Array.isArray(reasons) || !isTruthy(reasons)) return { ...of, note: "ok", data: {} };
  return { ...of, note: "safeguard_engaged", data: { reason: reasons[0], ...(reasons.length > 1 && { reasons }) } };
}

/**
 * `ReplaySession`: folds the whole log as it is stored, and compares the result with the served state and with the head that the
 * client expects. Only an expected head shows that the end of a log is missing, because a shorter log is valid, too.
 */
export function replaySession(state: BrainState, request: ClientRequest, ctx: StepContext): void {
  const session = activeOrDamagedSession(state, request, ctx);
  if (session === undefined) return;
  const expected = expectedHead(state, request, session);
  if (!expected.ok) return refuse(state, request, expected.error, ctx);
  const until = lastSeq(session.log);
  const served = loadedOf(session.log)?.head.stateHash ?? null;
  const answerReplay = (replay: SessionReplay, later: StepContext): void =>
    answerFromSession(state, request, { session, seq: until, body: replayReport(session, replay) }, later);
  foldLog(state.logs, session.log, {
    until,
    isStrict: true,
    done(result, later) {
      if (result.is === "unreadable") return refuse(state, request, damagedLog({ seq: 0, reason: result.reason }), later);
      const replay = { until, served, result };
      if (result.is === "damaged" || expected.value === undefined) return answerReplay(replay, later);
      compareHead(state, session, { until, expected: expected.value }, (damage, last) => {
        answerReplay(damage === undefined ? replay : { ...replay, result: { is: "damaged", damage } }, last);
      }, later);
    },
  }, ctx);
}

/** An event of a log and its hash, as `GetAudit` and `SealSession` return them for the last event. */
interface ExpectedHead {
  readonly seq: number;
  readonly hash: string;
}

/** The head that a client expects the log to contain; undefined if it expects none. */
function expectedHead(
  { settings }: BrainState,
  { fields: { head_seq: givenSeq, head_hash: hash } }: ClientRequest,
  { log }: BrainSession,
): Validated<ExpectedHead | undefined> {
  if (givenSeq === undefined && hash === undefined) return valid(undefined);
  const seq = numberOf(givenSeq);
  if (seq === undefined || !Number.isInteger(seq) || seq < 0) {
    return invalid(badParams("head_seq", "a whole number, at least 0"));
  }
  if (typeof hash !== "string") return invalid(badParams("head_hash", "the hash of event head_seq"));
  const base = loadedOf(log)?.base.seq ?? -1;
  return !settings.persist && seq <= base ? invalid(notKept("head_seq", base + 1)) : valid({ seq, hash });
}

/** Finds out whether a valid log contains the expected head. */
function compareHead(
  state: BrainState,
  { log }: BrainSession,
  { until, expected: { seq, hash } }: { readonly until: number; readonly expected: ExpectedHead },
  done: (damage: LogDamage | undefined, ctx: StepContext) => void,
  ctx: StepContext,
): void {
  if (seq > until) {
    const reason = `the log ends at event ${until}, before the expected head ${seq}`;
    return done({ seq: until + 1, reason }, ctx);
  }
  readEvents(state.logs, log, {
    from: seq,
    until: seq,
    textMax: 1,
    done(result, later) {
      if (result.is === "damaged") return done(result.damage, later);
      const isExpected = result.is === "events" && result.events[0]?.hash === hash;
      const reason = result.is === "unreadable" ? result.reason : `the hash of event ${seq} is not the expected one`;
      done(isExpected ? undefined : { seq, reason }, later);
    },
  }, ctx);
}

interface SessionReplay {
  readonly until: number;
  /** The hash of the state that clients get; null if the log is damaged. */
  readonly served: string | null;
  readonly result: FoldedLog | Extract<ReadFailure, { readonly is: "damaged" }>;
}

function replayReport({ id, log: { contents } }: BrainSession, { until, served, result }: SessionReplay): JsonObject {
  const folded = result.is === "folded" ? result.head.stateHash : null;
  const known = contents.is === "damaged" ? contents.damage : undefined;
  const damage = result.is === "damaged" ? result.damage : known;
  const firstMismatch = damage?.seq ?? (folded === served ? null : until);
  return {
    type: "Replay.Report",
    session_id: id,
    ok: firstMismatch === null,
    events: until + 1,
    state_hash: folded ?? served,
    first_mismatch: firstMismatch,
    ...(damage !== undefined && { why: damage.reason }),
  };
}
