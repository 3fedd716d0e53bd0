/**
 * Every expected failure.
 *
 * `close` is the WebSocket close code; `blame` says who has to change something; `retry` whether the same thing may work
 * later; `says` is the text of the close reason. Codes of 4400 and above mirror HTTP's.
 */
export interface Fault {
  readonly close: number;
  readonly level: "info" | "warn" | "error";
  readonly blame: "them" | "us";
  readonly retry: boolean;
  readonly says: string;
}

/** What each fault means on the wire, and for whom. */
export const FAULTS: Readonly<Record<FaultName, Fault>> = {
  done: { close: 1000, level: "info", blame: "us", retry: false, says: "closed" },
  leaving: { close: 1001, level: "info", blame: "us", retry: true, says: "going away" },
  badFrame: { close: 1007, level: "warn", blame: "them", retry: false, says: "unreadable frame" },
  rateLimit: { close: 1008, level: "warn", blame: "them", retry: true, says: "too many messages" },
  tooBig: { close: 1009, level: "warn", blame: "them", retry: false, says: "message too big" },
  panic: { close: 1011, level: "error", blame: "us", retry: true, says: "internal error" },
  restarting: { close: 1012, level: "info", blame: "us", retry: true, says: "relay restarts" },
  tooManyPeers: { close: 1013, level: "warn", blame: "us", retry: true, says: "too many connections" },
  backendAway: { close: 1014, level: "warn", blame: "us", retry: true, says: "backend not reachable" },
  slowGame: { close: 1013, level: "warn", blame: "them", retry: true, says: "too slow to read" },
  badGreeting: { close: 4400, level: "warn", blame: "them", retry: false, says: "bad registration" },
  badToken: { close: 4401, level: "warn", blame: "them", retry: false, says: "invalid auth token" },
  notAllowed: { close: 4403, level: "warn", blame: "them", retry: false, says: "not allowed" },
  noGreeting: { close: 4408, level: "info", blame: "them", retry: true, says: "no registration in time" },
  nameTaken: { close: 4409, level: "warn", blame: "them", retry: false, says: "name taken over" },
  slowPeer: { close: 4429, level: "warn", blame: "them", retry: true, says: "too slow to read" },
  badMessage: { close: 1007, level: "info", blame: "them", retry: false, says: "message refused" },
  notFound: { close: 1000, level: "info", blame: "them", retry: false, says: "not found" },
  notNow: { close: 1000, level: "info", blame: "them", retry: true, says: "not possible now" },
  queueFull: { close: 1000, level: "warn", blame: "them", retry: true, says: "queue full" },
  storageFailed: { close: 1011, level: "error", blame: "us", retry: true, says: "queue unavailable" },
  jobLost: { close: 1011, level: "warn", blame: "us", retry: true, says: "work lost" },
};

/** The names of all expected failures. */
export type FaultName =
  | "done"
  | "leaving"
  | "badFrame"
  | "rateLimit"
  | "tooBig"
  | "panic"
  | "restarting"
  | "tooManyPeers"
  | "backendAway"
  | "slowGame"
  | "badGreeting"
  | "badToken"
  | "notAllowed"
  | "noGreeting"
  | "nameTaken"
  | "slowPeer"
  | "badMessage"
  | "notFound"
  | "notNow"
  | "queueFull"
  | "storageFailed"
  | "jobLost";
