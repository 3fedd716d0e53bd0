/** What a request's `cmd` may be, and who handles it. */
import type { Json, JsonObject } from "../../core/json.ts";
import { applyMacro, applyOperator, evaluateCovenant, listOperators } from "./operations/apply.ts";
import { answer, refuse, type RequestInStep } from "./request.ts";
import { subscribe, unsubscribe } from "./sessions/subscriptions.ts";
import { getAudit, getLedger, getState, replaySession } from "./sessions/history.ts";
import { infer } from "./predictions/infer.ts";
import { closeSession, createSession, forkSession, sealSession } from "./sessions/create.ts";

const COMMANDS: ReadonlyMap<Json | undefined, (call: RequestInStep) => void> = new Map([
  ["CreateSession", createSession],
  ["ApplyOperator", applyOperator],
  ["Infer", infer],
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
  ["Ping", (call: RequestInStep) => answer(call, { type: "Pong" })],
]);

/** The command of a request, as it is counted: one that there is, or `other`. */
export const kindOf = ({ cmd }: JsonObject): string => (typeof cmd === "string" && COMMANDS.has(cmd) ? cmd : "other");

/** Handles one request: it is answered, now or later, exactly once. */
export function handle(call: RequestInStep): void {
  const command = COMMANDS.get(call.fields["cmd"]);
  if (command === undefined) return refuse(call, { message: "unknown command" });
  command(call);
}
