/** Errors as problem details (RFC 9457): the same shape wherever the web port says no. */

/** A refusal: what went wrong in one word group, and for whoever caused it, what would help. */
export interface Problem {
  readonly status: number;
  readonly title: string;
  readonly detail?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The response that says it. */
export function refuse({ status, title, detail, headers = {} }: Problem): Response {
  return new Response(JSON.stringify({ type: "about:blank", status, title, ...(detail && { detail }) }), {
    status,
    headers: { "content-type": "application/problem+json", "cache-control": "no-store", ...headers },
  });
}
