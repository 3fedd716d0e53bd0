/** API requests that wait for the store, and responses with a fault. */
import type { StepContext } from "../../../core/context.ts";
import type { FaultName } from "../../../core/fault.ts";
import type { Key, LoadToken } from "../../../core/ids.ts";
import type { IntermediaryRequest, Requested, ServiceCommands, ServiceQueries } from "../../../core/request.ts";
import type { Failure } from "../../../core/result.ts";

/** The names of the queries and commands of the Intermediary. */
export type RequestName = keyof ServiceQueries["intermediary"] | keyof ServiceCommands["intermediary"];

/** A query or command of this name, as it was received. */
export type RequestedBy<Name extends RequestName> = Requested<
  Extract<IntermediaryRequest, { readonly get: Name } | { readonly do: Name }>
>;

/** A request that waits for a message to be loaded. */
export type PendingLoad =
  | { readonly is: "show"; readonly requested: RequestedBy<"message">; readonly to: string }
  | { readonly is: "retry"; readonly requested: RequestedBy<"retryMessage"> };

/** A request that waits for a message to be stored. A retried dead letter is dropped then. */
export type PendingWrite =
  | { readonly is: "send"; readonly requested: RequestedBy<"sendCommand">; readonly to: string }
  | { readonly is: "retry"; readonly requested: RequestedBy<"retryMessage">; readonly to: string };

/** The requests that have not been responded to. */
export interface PendingRequests {
  readonly loads: Map<LoadToken, PendingLoad>;
  readonly writes: Map<Key, PendingWrite>;
}

export const newPendingRequests = (): PendingRequests => ({ loads: new Map(), writes: new Map() });

export type RequestFailure = Pick<Failure, "fault" | "reason">;

export const NO_MESSAGE: RequestFailure = { fault: "notFound", reason: "no queued message or dead letter with this id" };

export const PENDING_LETTER: RequestFailure = {
  fault: "notNow",
  reason: "this message is being stored as a dead letter; try again when it is stored",
};

/** Responds with a fault, and with a sentence if one is given. */
export function respondWithFailure(
  { requestId }: Pick<Requested<IntermediaryRequest>, "requestId">,
  failure: FaultName | RequestFailure,
  ctx: StepContext,
): void {
  if (typeof failure === "string") ctx.emit({ do: "respond", requestId, fault: failure });
  else ctx.emit({ do: "respond", requestId, fault: failure.fault, reason: failure.reason });
}
