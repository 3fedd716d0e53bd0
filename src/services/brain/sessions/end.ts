/** `SealSession` and `CloseSession`. */
import type { StepContext } from "../../../core/context.ts";
import { errorFrame, storageFailed } from "../codec/request-error.ts";
import { append } from "../log/journal.ts";
import { activeOrDamagedSession, activeSession, answer, answerFromSession } from "../request.ts";
import type { BrainState } from "../state.ts";
import { type ClientRequest, shortId } from "./session.ts";
import { endSession } from "./tombstone.ts";

const SEAL_REASON_LENGTH_MAX = 1_024;

/** `SealSession`: the session accepts no further operations. Sealing it again changes nothing. */
export function sealSession(state: BrainState, request: ClientRequest, ctx: StepContext): void {
  const found = activeSession(state, request, ctx);
  if (found === undefined) return;
  const { session, loaded } = found;
  const { reason = null } = request.fields;
  if (!loaded.head.sealed) {
    const text = typeof reason === "string" ? reason.slice(0, SEAL_REASON_LENGTH_MAX) : null;
    const payload = { session_id: session.id, reason: text };
    append(state.logs, session.log, { type: "SessionSealed", payload, head: { ...loaded.head, sealed: true } }, ctx);
    ctx.observe({ is: "session_sealed", session: shortId(session.id) });
  }
  const { seq, hash } = loaded.head;
  const body = { type: "SessionSealed", session_id: session.id, seq, head_hash: hash };
  answerFromSession(state, request, { session, seq, body }, ctx);
}

/** `CloseSession`: the session ends and its log is deleted. */
export function closeSession(state: BrainState, request: ClientRequest, ctx: StepContext): void {
  const session = activeOrDamagedSession(state, request, ctx);
  if (session === undefined) return;
  const { reply, fields } = request;
  reply.pendingWrites++;
  reply.onFailure = () => errorFrame(storageFailed("the end of the session was not stored"), fields);
  answer(state, request, { type: "SessionClosed", session_id: session.id }, ctx);
  endSession(state, session, { reason: "closed", replies: [reply] }, ctx);
}
