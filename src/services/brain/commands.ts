/** The handlers of all requests, by their `cmd`. */
import type { StepContext } from "../../core/context.ts";
import type { Json, JsonObject } from "../../core/json.ts";
import { applyMacro, applyOperator, evaluateCovenant, listOperators } from "./operations/apply.ts";
import { infer } from "./predictions/infer.ts";
import { getPrediction } from "./predictions/prediction-log.ts";
import { answer, refuse } from "./request.ts";
import { createSession, forkSession } from "./sessions/create.ts";
import { closeSession, sealSession } from "./sessions/end.ts";
import { getAudit, getLedger, getState, replaySession } from "./sessions/history.ts";
import type { ClientRequest } from "./sessions/session.ts";
import { subscribe, unsubscribe } from "./sessions/subscriptions.ts";
import type { BrainState } from "./state.ts";

type Handler = (state: BrainState, request: ClientRequest, ctx: StepContext) => void;

const HANDLERS: ReadonlyMap<Json | undefined, Handler> = new Map<Json, Handler>([
  ["CreateSession", createSession],
  ["ApplyOperator", applyOperator],
  ["Infer", infer],
  ["GetPrediction", getPrediction],
  ["ApplyMacro", applyMacro],
  ["GetState", getState],
  ["GetAudit", getAudit],
  ["GetLedger", getLedger],
  ["ForkSession", forkSession],
  ["SealSession", sealSession],
  ["CloseSession", closeSession],
  ["ReplaySession", replaySession],
  ["EvaluateCovenant", evaluateCovenant],
  ["ListOperators", listOperators],
  ["Subscribe", subscribe],
  ["Unsubscribe", unsubscribe],
  ["Ping", (state, request, ctx) => answer(state, request, { type: "Pong" }, ctx)],
]);

/** The command of a request as the message counter names it: a known command, or `other`. */
export const kindOfRequest = ({ cmd }: JsonObject): string => typeof cmd === "string" && HANDLERS.has(cmd) ? cmd : "other";

/** Handles one request. It is answered exactly once, now or later. */
export function handle(state: BrainState, request: ClientRequest, ctx: StepContext): void {
  const handler = HANDLERS.get(request.fields["cmd"]);
  if (handler === undefined) return refuse(state, request, { message: "unknown command" }, ctx);
  handler(state, request, ctx);
}
