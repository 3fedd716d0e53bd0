/** What a request's `cmd` may be, and who handles it. */
import type { Json, JsonObject } from "../../core/json.ts";
import { applyMacro, applyOperator, evaluateCovenant, listOperators } from "./apply.ts";
import { answer, type Call, refuse } from "./call.ts";
import { subscribe, unsubscribe } from "./followers.ts";
import { getAudit, getLedger, getState, replaySession } from "./history.ts";
import { infer } from "./inference.ts";
import { closeSession, createSession, forkSession, sealSession } from "./lifecycle.ts";

const COMMANDS: ReadonlyMap<Json | undefined, (call: Call) => void> = new Map([
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
  ["Ping", (call: Call) => answer(call, { type: "Pong" })],
]);

/** The command of a request, as it is counted: one that there is, or `other`. */
export const kindOf = ({ cmd }: JsonObject): string => (typeof cmd === "string" && COMMANDS.has(cmd) ? cmd : "other");

/** Handles one request: it is answered, now or later, exactly once. */
export function handle(call: Call): void {
  const command = COMMANDS.get(call.fields["cmd"]);
  if (command === undefined) return refuse(call, { error: "unknown command" });
  command(call);
}
