/**
 * Names of things that only this relay hands out.
 *
 * Each is a string with a brand, so that a peer's id can never be passed where a link's is wanted.
 * This is the one file where a plain string becomes a branded one.
 */

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** One accepted connection. Made by a runtime adapter, never reused within a process. */
export type PeerId = Branded<"PeerId">;
/** One dialled connection: a new id for each attempt, so events of an old socket are recognised as stale. */
export type LinkId = Branded<"LinkId">;
/** A place in the store: segments joined by `/`, the first names the room that owns it. See `key.ts`. */
export type Key = Branded<"Key">;
/** One question asked from outside (HTTP, command line) that awaits its answer. */
export type RequestId = Branded<"CallId">;
/** One piece of work that takes time, run outside the machine. */
export type JobId = Branded<"JobId">;
/** One read of the store that a room asked for. */
export type LoadToken = Branded<"LoadToken">;

/** Milliseconds since the Unix epoch, or a span of them; always a whole number. */
export type Millis = number;

/** A peer's id never holds a colon. */
export const peerId = (text: string): PeerId => text as PeerId;
/** The peer that the room `nallely` is to the room `neuro`: an integration without a socket. */
export const NALLELY_PEER: PeerId = peerId("nallely");
/** A link's id is `<room>:<name>:<attempt>`. */
export const linkId = (text: string): LinkId => text as LinkId;
/** True for a link, false for a peer. */
export const isLink = (id: PeerId | LinkId): id is LinkId => id.includes(":");
export const rawKey = (text: string): Key => text as Key;
export const toRequestId = (text: string): RequestId => text as RequestId;
export const jobId = (text: string): JobId => text as JobId;
export const loadToken = (text: string): LoadToken => text as LoadToken;
