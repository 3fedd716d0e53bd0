/** Which status of HTTP a fault is. */
import { type FaultName, FAULTS } from "../../core/fault.ts";
import type { Problem } from "../problem.ts";

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
  queueFull: 507,
  storageFailed: 503,
  jobLost: 503,
};

/** What went wrong, for whoever asked. */
export const problemOf = (fault: FaultName, reason: string | undefined): Problem => ({
  status: STATUS[fault],
  title: FAULTS[fault].message,
  fault,
  ...(reason !== undefined && { detail: reason }),
});
