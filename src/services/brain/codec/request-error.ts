/** Errors of one request, as its sender reads them. */
import { isNumber, type JsonObject } from "../../../core/json.ts";

/** Refusals that the original relay did not have. Errors that the original relay also had carry no code. */
export type BrainErrorCode =
  | "CovenantRefused"
  | "SessionSealed"
  | "VersionConflict"
  | "SessionExpired"
  | "LimitExceeded"
  | "BadParams"
  | "NotAllowed"
  | "RateLimited"
  | "StorageFailed";

export interface RequestError {
  readonly message: string;
  readonly code?: BrainErrorCode;
  /** The values that belong to the code: `limit`, `max`, `seq`, ... */
  readonly details?: JsonObject;
}

/** A value, or the error that a peer's request contains. */
export type Validated<T> = { readonly ok: true; readonly value: T } | Invalid;
export interface Invalid {
  readonly ok: false;
  readonly error: RequestError;
}

export const valid = <T>(value: T): Validated<T> => ({ ok: true, value });
export const invalid = (error: RequestError): Invalid => ({ ok: false, error });

/** The error for a field whose value cannot be used; `expected` completes the sentence. */
export const badParams = (path: string, expected: string): RequestError => ({
  message: `bad value of '${path}': expected ${expected}`,
  code: "BadParams",
  details: { path },
});

export const limitExceeded = (limit: string, max: number): RequestError => ({
  message: `limit exceeded: ${limit} (max ${max})`,
  code: "LimitExceeded",
  details: { limit, max },
});

export const storageFailed = (reason: string): RequestError => ({
  message: `storage failure: ${reason}`,
  code: "StorageFailed",
});

/** The body of an error reply. */
export const errorBody = ({ message, code, details }: RequestError): JsonObject => ({
  error: message,
  ...(code !== undefined && { code }),
  ...details,
});

/** An error reply as the frame to send. */
export const errorFrame = (error: RequestError, fields: JsonObject): string => replyFrame(errorBody(error), fields);

/** A reply as the frame to send, with the `request_id` of its request if there is one. */
export function replyFrame(body: JsonObject, fields: JsonObject): string {
  return JSON.stringify(fields["request_id"] === undefined ? body : { ...body, ...echo(fields) });
}

/** The fields of a request that its reply repeats. */
export function echo({ request_id: id }: JsonObject): JsonObject {
  return typeof id === "string" || isNumber(id) ? { request_id: id } : {};
}
