/**
 * One game and its own connection to the backend.
 *
 * Invariants: P1 every frame is forwarded unchanged and in order, in both directions; P2 frames that the game sends before the backend is
 * reached are held, within `PROXY_FRAMES_HELD_MAX`, `PROXY_HELD_LENGTH_MAX` and the limits of its account; P3 the backend is dialed once, and when either side
 * closes, the other is closed, too.
 */
import type { StepContext } from "../../core/context.ts";
import type { ConnectionInfo, PeerEvent } from "../../core/event.ts";
import { type LinkId, linkId, type Millis, type PeerId } from "../../core/ids.ts";
import type { Frame } from "../../core/json.ts";
import { failed, type Failure } from "../../core/result.ts";
import { RetainedBytes } from "../../core/retained-bytes.ts";
import type { LimitSettings } from "../../core/settings.ts";
import { PROXY_DIAL_MS, PROXY_FRAMES_HELD_MAX, PROXY_HELD_LENGTH_MAX } from "../../core/limits.ts";

export interface ProxiedGame {
  readonly peer: PeerId;
  readonly link: LinkId;
  /** The name of the game in events for watchers. */
  readonly client: string;
  /** What is kept of it. */
  readonly retained: RetainedBytes;
  backend: ProxyBackend;
  /** Decided by the game's first command. */
  announcement: "undecided" | "announced" | "unannounced";
}

type ProxyBackend =
  | { readonly is: "dialing"; readonly held: Frame[] }
  | { readonly is: "open" };

/** Why the peer's id: many games may have the same address. */
const clientOf = (peer: PeerId, { address }: ConnectionInfo): string => `${address} ${peer}`;

/** Dials the backend for a game. `until` is the deadline of the attempt. */
export function dialForGame(
  { peer, connection }: PeerEvent & { readonly is: "opened" },
  url: string,
  retained: RetainedBytes,
  ctx: StepContext,
): { readonly game: ProxiedGame; readonly until: Millis } {
  const link = linkId(`proxy:${peer}:${ctx.id()}`);
  ctx.emit({ do: "dial", link, url: withTarget(url, connection), headers: headersOf(connection) });
  const game: ProxiedGame = {
    peer,
    link,
    client: clientOf(peer, connection),
    retained: new RetainedBytes(retained, "peer_bytes"),
    backend: { is: "dialing", held: [] },
    announcement: "undecided",
  };
  return { game, until: ctx.now + PROXY_DIAL_MS };
}

/** Forwards a frame of the game, or holds it. Returns the limit that prevents it. */
export function forwardToBackend(
  { backend, link, retained }: ProxiedGame,
  frame: Frame,
  limits: LimitSettings,
  ctx: StepContext,
): Failure | undefined {
  if (backend.is === "open") {
    ctx.emit({ do: "send", to: link, frame });
    return undefined;
  }
  const bytes = 2 * frame.length;
  if (backend.held.length >= PROXY_FRAMES_HELD_MAX || retained.bytes + bytes > 2 * PROXY_HELD_LENGTH_MAX) {
    const limit = `${PROXY_FRAMES_HELD_MAX} frames and ${PROXY_HELD_LENGTH_MAX} characters`;
    return failed("backendAway", `the backend is not reached, and at most ${limit} wait for it`);
  }
  const refusal = retained.refusal(bytes, limits);
  if (refusal !== undefined) return refusal;
  backend.held.push(frame);
  retained.charge(bytes);
  return undefined;
}

/** The backend was reached: forwards the held frames. */
export function backendOpened(game: ProxiedGame, ctx: StepContext): void {
  const { backend, link, retained } = game;
  game.backend = { is: "open" };
  retained.release(retained.bytes);
  if (backend.is === "dialing") { for (const frame of backend.held) ctx.emit({ do: "send", to: link, frame }); }
}

/** RFC 6455: codes that are reported when no code was received, and must not be sent. */
const NO_STATUS = 1005;
const ABNORMAL = 1006;

/** The game closed: closes its connection to the backend. */
export function closeBackend(
  { link }: ProxiedGame,
  { code, reason }: { readonly code: number; readonly reason?: string },
  ctx: StepContext,
): void {
  const sent = code === NO_STATUS ? 1000 : code === ABNORMAL ? 1001 : code;
  ctx.emit({ do: "closeLink", link, code: sent, ...(reason !== undefined && { reason }) });
}

/** The backend closed or could not be reached: closes the game's connection. */
export function closeGame(
  { backend, peer }: ProxiedGame,
  { code, reason }: { readonly code: number; readonly reason: string },
  ctx: StepContext,
): void {
  const wasClosed = backend.is === "open" && code >= 1000 && code !== ABNORMAL;
  if (!wasClosed) return ctx.emit({ do: "close", peer, fault: "backendAway" });
  ctx.emit({ do: "close", peer, fault: "done", as: { code: code === NO_STATUS ? 1000 : code, reason } });
}

/** The backend's address with the game's path and query appended to its own. */
function withTarget(url: string, { path, query = "" }: ConnectionInfo): string {
  if (path === "/" && query === "") return url;
  const [, start = url, ownQuery = ""] = /^([^?#]*)(\?[^#]*)?/.exec(url) ?? [];
  const target = path === "/" ? start : start.replace(/\/$/, "") + path;
  return target + (ownQuery === "" ? query : ownQuery + query.replace("?", "&"));
}

const PRINTABLE = /^[\x20-\x7e]+$/;

/** The game's own headers: backends may distinguish games by them, and relays detect loops by them. */
function headersOf({ userAgent, via, protocols = "" }: ConnectionInfo): Record<string, string> {
  return {
    ...(PRINTABLE.test(protocols) && { "sec-websocket-protocol": protocols }),
    ...(PRINTABLE.test(userAgent) && { "user-agent": userAgent }),
    ...(PRINTABLE.test(via) && { "neuro-relay-via": via }),
  };
}
