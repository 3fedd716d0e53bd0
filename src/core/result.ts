import type { FaultName } from "./fault.ts";

/** A value, or a fault with an explanation for the peer that caused it. Expected failures are values. */
export type Result<T> = { readonly ok: true; readonly value: T } | Failure;
export interface Failure {
  readonly ok: false;
  readonly fault: FaultName;
  /** For the peer's developer: the expected input. */
  readonly reason: string;
}

export const ok = <T>(value: T): Result<T> => ({ ok: true, value });
export const failed = (fault: FaultName, reason: string): Failure => ({ ok: false, fault, reason });
