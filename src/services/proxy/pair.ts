/**
 * One game and its own connection to the backend, tied together.
 *
 * Invariants: P1 every frame goes on as it came, in order, in both directions; P2 what a game says before the backend is reached
 * is held, within bounds; P3 a link is dialled once, and either end's close is the other's.
 */
import { type ConnectionInfo } from "../../core/event.ts";
import { type LinkId, linkId, type Millis, type PeerId } from "../../core/ids.ts";
import type { Frame } from "../../core/json.ts";
import { PROXY_DIAL_MS, PROXY_FRAMES_HELD_MAX, PROXY_HELD_LENGTH_MAX } from "../../core/limits.ts";
import type { StepContext } from "../../core/context.ts";

export interface Pair {
  readonly peer: PeerId;
  readonly link: LinkId;
  /** What watchers call the game. */
  readonly client: string;
  readonly dialUntil: Millis;
  isOpen: boolean;
  readonly held: Frame[];
  heldLength: number;
  /** Its first command was read, whatever it was. */
  hasSpoken: boolean;
  isAnnounced: boolean;
}

/** The addresses of many games are one: the peer's id tells them apart. */
const clientOf = (peer: PeerId, { address }: ConnectionInfo): string => `${address} ${peer}`;

/** Dials for a game that came in. */
export function pair(
  peer: PeerId,
  { connection, url }: { connection: ConnectionInfo; url: string },
  ctx: StepContext,
): Pair {
  const link = linkId(`proxy:${peer}:${ctx.id()}`);
  ctx.emit({ do: "dial", link, url: withPath(url, connection.path), headers: headersOf(connection) });
  return {
    peer,
    link,
    client: clientOf(peer, connection),
    dialUntil: ctx.now + PROXY_DIAL_MS,
    isOpen: false,
    held: [],
    heldLength: 0,
    hasSpoken: false,
    isAnnounced: false,
  };
}

/** Passes on what the game says. False when it cannot be held any more. */
export function passUp(of: Pair, frame: Frame, ctx: StepContext): boolean {
  if (of.isOpen) {
    ctx.emit({ do: "send", to: of.link, frame });
    return true;
  }
  of.held.push(frame);
  of.heldLength += frame.length;
  return of.held.length <= PROXY_FRAMES_HELD_MAX && of.heldLength <= PROXY_HELD_LENGTH_MAX;
}

/** The backend was reached. */
export function opened(of: Pair, ctx: StepContext): void {
  of.isOpen = true;
  for (const frame of of.held) ctx.emit({ do: "send", to: of.link, frame });
  of.held.length = 0;
  of.heldLength = 0;
}

/** Codes that stand for no code, or for no close at all, and are never sent. */
const NO_STATUS = 1005;
const ABNORMAL = 1006;

/** The game went: so does its connection. */
export function hangUp(of: Pair, code: number, ctx: StepContext): void {
  ctx.emit({ do: "closeLink", link: of.link, code: code === NO_STATUS ? 1000 : code === ABNORMAL ? 1001 : code });
}

/** The backend went: so does the game. */
export function sendAway(of: Pair, { code, reason }: { code: number; reason: string }, ctx: StepContext): void {
  const wasClosed = of.isOpen && code >= 1000 && code !== ABNORMAL;
  if (!wasClosed) return ctx.emit({ do: "close", peer: of.peer, fault: "backendAway" });
  ctx.emit({ do: "close", peer: of.peer, fault: "done", as: { code: code === NO_STATUS ? 1000 : code, reason } });
}

/** The address of the backend, with what the game asked for put after its path. */
function withPath(url: string, path: string): string {
  if (path === "/") return url;
  const [, start = url, query = ""] = /^([^?#]*)(\?[^#]*)?/.exec(url) ?? [];
  return start.replace(/\/$/, "") + path + query;
}

const PRINTABLE = /^[\x20-\x7e]+$/;

/** What a backend may tell games apart by, and what shows a loop of relays. */
function headersOf({ userAgent, via }: ConnectionInfo): Record<string, string> {
  return {
    ...(PRINTABLE.test(userAgent) && { "user-agent": userAgent }),
    ...(PRINTABLE.test(via) && { "neuro-relay-via": via }),
  };
}
