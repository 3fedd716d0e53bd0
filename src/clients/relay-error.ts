/** The error of the clients of the relay's sockets. */
import type { FaultName } from "../core/fault.ts";
import type { JsonObject } from "../core/json.ts";
import type { LinkLoss } from "../websocket-client/reconnecting-link.ts";

/**
 * The codes of the clients themselves. `Lost`: the connection was lost, and the outcome is unknown. `TimedOut`: no reply in time. `Busy`: too
 * much waits for the relay already. `Closed`: the client is closed. `Invalid`: the program passed a
 * value that cannot be used.
 */
export type ClientFault = "Lost" | "TimedOut" | "Busy" | "Closed" | "Invalid";

/** Something that the relay refused, or that the client could not do. */
export class RelayError extends Error {
  override readonly name = "RelayError";
  /** The relay's name of the fault if it sent one, or a code of the client. */
  readonly code: FaultName | ClientFault | undefined;
  /** The whole reply of the relay. */
  readonly reply: JsonObject;

  constructor(message: string, code: string | undefined, reply: JsonObject = {}) {
    super(message);
    this.code = code as FaultName | ClientFault | undefined; // Why: a newer relay may know more faults.
    this.reply = reply;
  }
}

/** The error in a reply of the relay; undefined without one. */
export function errorIn(reply: JsonObject): RelayError | undefined {
  const { error, code } = reply;
  return typeof error === "string" ? new RelayError(error, typeof code === "string" ? code : undefined, reply) : undefined;
}

/** Close codes after which the same registration cannot succeed. */
const FINAL_CODES: ReadonlyMap<number, FaultName> = new Map([
  [4400, "badGreeting"],
  [4401, "badToken"],
  [4403, "notAllowed"],
  [4409, "nameTaken"],
]);

/** Why a connection must not be made again; undefined if it may. `said`: the last error that the relay sent on it. */
export function finalError({ code, reason, retryMs }: LinkLoss, said: RelayError | undefined): RelayError | undefined {
  if (retryMs === undefined) return new RelayError(reason, "Invalid");
  const fault = FINAL_CODES.get(code);
  if (fault !== undefined) return said?.code === fault ? said : new RelayError(reason || fault, fault);
  // Why: where a close code is lost on the way, the error before it still says why.
  return said !== undefined && [...FINAL_CODES.values()].some((final) => final === said.code) ? said : undefined;
}
