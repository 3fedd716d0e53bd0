/** Problem details (RFC 9457): the shape of every error of the web port. */
import { type FaultName, FAULTS } from "../core/fault.ts";

/** Errors that only HTTP has. */
const HTTP_FAULTS = [
  "malformedRequest", // the URL, a header, or an incomplete body
  "notJson",
  "unsupportedMediaType",
  "methodNotAllowed",
  "unknownPath",
  "upgradeRequired",
  "foreignHost",
  "foreignOrigin",
  "idempotencyMismatch",
  "relayAway", // the relay, or the owner of it in a cluster, cannot be reached now
  "misconfigured",
] as const;

/** The relay's name of an error: of a fault, or of an error that only HTTP has. */
export type ProblemName = FaultName | typeof HTTP_FAULTS[number];

/** All names of faults, and of errors. */
export const FAULT_NAMES: readonly FaultName[] = Object.keys(FAULTS) as FaultName[]; // Why the cast: the keys of a record are its names.
export const PROBLEM_NAMES: readonly ProblemName[] = [...FAULT_NAMES, ...HTTP_FAULTS];

export interface Problem {
  readonly status: number;
  readonly title: string;
  /** The error in this case, and its fix. */
  readonly detail?: string;
  /** The relay's own name of the error, for programs. */
  readonly fault: ProblemName;
  /** The invalid fields. */
  readonly errors?: readonly { readonly field: string; readonly message: string }[];
  readonly headers?: Readonly<Record<string, string>>;
}

export function problemResponse({ status, title, detail, fault, errors, headers = {} }: Problem): Response {
  const type = `urn:neuro-relay:fault:${fault}`;
  return new Response(JSON.stringify({ type, status, title, detail, fault, errors }), {
    status,
    headers: { "content-type": "application/problem+json", "cache-control": "no-store", ...headers },
  });
}

/** The HTTP status of each fault. */
const STATUS: Readonly<Record<FaultName, number>> = {
  done: 500,
  leaving: 503,
  badFrame: 422,
  rateLimit: 429,
  tooBig: 413,
  panic: 500,
  restarting: 503,
  tooManyPeers: 503,
  backendAway: 503,
  slowGame: 503,
  badGreeting: 422,
  badToken: 401,
  notAllowed: 403,
  noGreeting: 500,
  nameTaken: 409,
  slowPeer: 503,
  badMessage: 422,
  notFound: 404,
  notNow: 409,
  outdated: 412,
  queueFull: 507,
  storageFailed: 503,
  jobLost: 503,
};

/** The problem for the fault of a request. */
export const problemFor = (fault: FaultName, reason: string | undefined): Problem => ({
  status: STATUS[fault],
  title: FAULTS[fault].message,
  fault,
  ...(reason !== undefined && { detail: reason }),
});
