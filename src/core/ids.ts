/**
 * Identifiers that only this relay creates.
 *
 * Each is a branded string, so that the id of a peer cannot be passed as the id of a link.
 * This is the one file where a plain string becomes a branded one.
 */

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** One accepted connection. Made by a runtime adapter, never reused within a process. */
export type PeerId = Branded<"PeerId">;
/** One dialled connection: a new id for each attempt, so events of an old socket are recognised as stale. */
export type LinkId = Branded<"LinkId">;
/** A key of the store: segments joined by `/`, the first of which names the owning service. See `key.ts`. */
export type Key = Branded<"Key">;
/** One request from HTTP, the command line or the dashboard that awaits its reply. */
export type RequestId = Branded<"RequestId">;
/** One job, run outside the state machine. */
export type JobId = Branded<"JobId">;
/** One read of the store that a service requested. */
export type LoadToken = Branded<"LoadToken">;

/** Milliseconds since the Unix epoch, or a span of them; always a whole number. */
export type Millis = number;

/** The id of a peer never contains a colon. */
export const peerId = (text: string): PeerId => text as PeerId;
/** The peer as which the Nallely service is known to the Neuro service: an integration without a socket. */
export const NALLELY_PEER: PeerId = peerId("nallely");
/** The peer as which the Neuro service knows the relay's own integration. */
export const RELAY_PEER: PeerId = peerId("relay");
/** The id of a link is `<service>:<name>:<attempt>`. */
export const linkId = (text: string): LinkId => text as LinkId;
/** True for a link, false for a peer. */
export const isLink = (id: PeerId | LinkId): id is LinkId => id.includes(":");
export const rawKey = (text: string): Key => text as Key;
export const toRequestId = (text: string): RequestId => text as RequestId;
export const jobId = (text: string): JobId => text as JobId;
export const loadToken = (text: string): LoadToken => text as LoadToken;
