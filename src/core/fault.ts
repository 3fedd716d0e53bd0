/**
 * Every expected failure.
 *
 * `close` is the WebSocket close code; `blame`: the party that has to change something; `retry`: whether the same request may work later;
 * `message` is the close reason. Codes from 4400 mirror those of HTTP.
 */
export interface Fault {
  readonly close: number;
  readonly level: "info" | "warn" | "error";
  readonly blame: "them" | "us";
  readonly retry: boolean;
  readonly message: string;
}

/** The meaning of each fault for the peer. */
export const FAULTS: Readonly<Record<FaultName, Fault>> = {
  done: { close: 1000, level: "info", blame: "us", retry: false, message: "closed" },
  leaving: { close: 1001, level: "info", blame: "us", retry: true, message: "going away" },
  badFrame: { close: 1007, level: "warn", blame: "them", retry: false, message: "unreadable frame" },
  rateLimit: { close: 1008, level: "warn", blame: "them", retry: true, message: "too many messages" },
  tooBig: { close: 1009, level: "warn", blame: "them", retry: false, message: "message too big" },
  panic: { close: 1011, level: "error", blame: "us", retry: true, message: "internal error" },
  restarting: { close: 1012, level: "info", blame: "us", retry: true, message: "relay restarts" },
  tooManyPeers: { close: 1013, level: "warn", blame: "us", retry: true, message: "too many connections" },
  backendAway: { close: 1014, level: "warn", blame: "us", retry: true, message: "backend not reachable" },
  slowGame: { close: 1013, level: "warn", blame: "them", retry: true, message: "too slow to read" },
  badGreeting: { close: 4400, level: "warn", blame: "them", retry: false, message: "bad registration" },
  badToken: { close: 4401, level: "warn", blame: "them", retry: false, message: "invalid auth token" },
  notAllowed: { close: 4403, level: "warn", blame: "them", retry: false, message: "not allowed" },
  noGreeting: { close: 4408, level: "info", blame: "them", retry: true, message: "no registration in time" },
  nameTaken: { close: 4409, level: "warn", blame: "them", retry: false, message: "name taken over" },
  slowPeer: { close: 4429, level: "warn", blame: "them", retry: true, message: "too slow to read" },
  badMessage: { close: 1007, level: "info", blame: "them", retry: false, message: "message refused" },
  notFound: { close: 1000, level: "info", blame: "them", retry: false, message: "not found" },
  notNow: { close: 1000, level: "info", blame: "them", retry: true, message: "not possible now" },
  outdated: { close: 1000, level: "info", blame: "them", retry: false, message: "changed meanwhile" },
  queueFull: { close: 1000, level: "warn", blame: "them", retry: true, message: "queue full" },
  storageFailed: { close: 1011, level: "error", blame: "us", retry: true, message: "queue unavailable" },
  jobLost: { close: 1011, level: "warn", blame: "us", retry: true, message: "work lost" },
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
  | "outdated"
  | "queueFull"
  | "storageFailed"
  | "jobLost";

/** The code that stands for the end of a connection without a close frame. Never in a frame. */
export const ABNORMAL_CLOSE = 1006;
