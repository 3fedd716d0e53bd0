/** Errors as problem details (RFC 9457): the same shape wherever the web port says no. */
import type { FaultName } from "../core/fault.ts";

/** A refusal: what went wrong in one word group, and for whoever caused it, what would help. */
export interface Problem {
  readonly status: number;
  readonly title: string;
  readonly detail?: string;
  /** The relay's own name for it. */
  readonly fault?: FaultName;
  /** Which fields are not as they should be. */
  readonly errors?: readonly { readonly field: string; readonly says: string }[];
  readonly headers?: Readonly<Record<string, string>>;
}

/** The response that says it. */
export function refuse({ status, title, detail, fault, errors, headers = {} }: Problem): Response {
  const type = fault === undefined ? "about:blank" : `urn:neuro-relay:fault:${fault}`;
  return new Response(JSON.stringify({ type, status, title, detail, fault, errors }), {
    status,
    headers: { "content-type": "application/problem+json", "cache-control": "no-store", ...headers },
  });
}
