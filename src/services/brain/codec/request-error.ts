/** What went wrong with one request, as its sender reads it. */
import type { JsonObject } from "../../../core/json.ts";

/** Refusals that the original relay did not know. What it also refused has no code. */
export type BrainErrorCode =
  | "CovenantRefused"
  | "SessionSealed"
  | "VersionConflict"
  | "SessionExpired"
  | "LimitExceeded"
  | "BadParams"
  | "RateLimited"
  | "StorageFailed";

export interface RequestError {
  readonly message: string;
  readonly code?: BrainErrorCode;
  /** What the code says in figures: `limit`, `max`, `seq`, ... */
  readonly details?: JsonObject;
}

/** A value, or the problem with it. */
export type Validated<T> = { readonly ok: true; readonly value: T } | {
  readonly ok: false;
  readonly problem: RequestError;
};

export const valid = <T>(value: T): Validated<T> => ({ ok: true, value });
export const invalid = (problem: RequestError): { readonly ok: false; readonly problem: RequestError } => ({
  ok: false,
  problem,
});

/** A field with a value that cannot be used. */
export const badParams = (path: string, wanted: string): RequestError => ({
  message: `bad value of '${path}': ${wanted}`,
  code: "BadParams",
  details: { path },
});

export const limitExceeded = (limit: string, max: number): RequestError => ({
  message: `limit exceeded: ${limit} (max ${max})`,
  code: "LimitExceeded",
  details: { limit, max },
});

export const storageFailed = (why: string): RequestError => ({ message: `storage failure: ${why}`, code: "StorageFailed" });

/** A problem as it stands on the wire. */
export function errorText({ message, code, details }: RequestError, fields: JsonObject): string {
  return replyText({ error: message, ...(code !== undefined && { code }), ...details }, fields);
}

/** A reply as it stands on the wire: with the `request_id` of its request, if it has one. */
export function replyText(body: JsonObject, fields: JsonObject): string {
  return JSON.stringify(fields["request_id"] === undefined ? body : { ...body, ...echo(fields) });
}

/** What the sender wants to see again. */
export function echo({ request_id: id }: JsonObject): JsonObject {
  return typeof id === "string" || typeof id === "number" ? { request_id: id } : {};
}
