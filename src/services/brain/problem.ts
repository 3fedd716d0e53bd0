/** What went wrong with one request, as its sender reads it. */
import type { JsonObject } from "../../core/json.ts";

/** Refusals that the original relay did not know. What it also refused has no code. */
export type Code =
  | "CovenantRefused"
  | "SessionSealed"
  | "VersionConflict"
  | "SessionExpired"
  | "LimitExceeded"
  | "BadParams"
  | "RateLimited"
  | "StorageFailed";

export interface Problem {
  readonly error: string;
  readonly code?: Code;
  /** What the code says in figures: `limit`, `max`, `seq`, ... */
  readonly more?: JsonObject;
}

/** A value, or the problem with it. */
export type Outcome<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: Problem };

export const fine = <T>(value: T): Outcome<T> => ({ ok: true, value });
export const wrong = (problem: Problem): { readonly ok: false; readonly problem: Problem } => ({ ok: false, problem });

/** A field with a value that cannot be used. */
export const badParams = (path: string, wanted: string): Problem => ({
  error: `bad value of '${path}': ${wanted}`,
  code: "BadParams",
  more: { path },
});

export const limitExceeded = (limit: string, max: number): Problem => ({
  error: `limit exceeded: ${limit} (max ${max})`,
  code: "LimitExceeded",
  more: { limit, max },
});

export const storageFailed = (why: string): Problem => ({ error: `storage failure: ${why}`, code: "StorageFailed" });

/** A problem as it stands on the wire. */
export function problemText({ error, code, more }: Problem, fields: JsonObject): string {
  return replyText({ error, ...(code !== undefined && { code }), ...more }, fields);
}

/** A reply as it stands on the wire: with the `request_id` of its request, if it has one. */
export function replyText(body: JsonObject, fields: JsonObject): string {
  return JSON.stringify(fields["request_id"] === undefined ? body : { ...body, ...echo(fields) });
}

/** What the sender wants to see again. */
export function echo({ request_id: id }: JsonObject): JsonObject {
  return typeof id === "string" || typeof id === "number" ? { request_id: id } : {};
}
