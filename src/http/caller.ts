/**
 * Who is calling, from what a request says and what may be believed of it.
 *
 * Invariant: a token is cut out of the path and the query here; nothing that comes after sees it, so nothing can log it.
 */
import type { ConnectionInfo } from "../core/event.ts";
import type { Settings } from "../core/settings.ts";
import { percentDecode } from "../core/text.ts";
import type { Arrival } from "./ports.ts";

const PATH_MAX = 512;
const USER_AGENT_MAX = 256;
/** Ids of relays, for a chain of as many as are let in. */
const VIA_MAX = 4_096;

/** One request, taken apart. */
export interface Call {
  readonly connection: ConnectionInfo;
  /** From `Authorization`, the query or the path, in this order. */
  readonly token: string | undefined;
  /** From `Authorization` only. */
  readonly bearer: string | undefined;
  readonly origin: string | undefined;
  /** The name we were called by. */
  readonly host: string | undefined;
  /** The connection to the caller is encrypted, as far as the runtime or a trusted proxy says so. */
  readonly isSecure: boolean;
}

/** Who asks, as far as a request and the runtime say so; a token is taken out of the path before anybody sees it. */
export function callOf(request: Request, arrival: Arrival, settings: Settings): Call {
  const url = new URL(request.url);
  const header = (name: string) => request.headers.get(name) ?? undefined;
  const isProxied = arrival.listener === "web" && settings.web.trusted_proxies.includes(plainAddress(arrival.address));
  const [path, tokenInPath] = cutToken(url.pathname);
  const bearer = bearerIn(header("authorization"));
  return {
    connection: {
      address: isProxied ? forwardedFor(header("x-forwarded-for"), arrival, settings) : plainAddress(arrival.address),
      path: path.slice(0, PATH_MAX),
      userAgent: (header("user-agent") ?? "").slice(0, USER_AGENT_MAX),
      via: (header("neuro-relay-via") ?? "").slice(0, VIA_MAX),
    },
    token: bearer ?? url.searchParams.get("token") ?? tokenInPath,
    bearer,
    origin: header("origin"),
    host: (isProxied ? header("x-forwarded-host") : undefined) ?? header("host"),
    isSecure: url.protocol === "https:" || (isProxied && header("x-forwarded-proto") === "https"),
  };
}

/** The last address that no trusted proxy of ours has. */
function forwardedFor(list: string | undefined, arrival: Arrival, settings: Settings): string {
  const hops = (list ?? "").split(",").map((hop) => plainAddress(hop.trim())).filter((hop) => hop !== "");
  return hops.findLast((hop) => !settings.web.trusted_proxies.includes(hop)) ?? plainAddress(arrival.address);
}

/** Takes `/t/<token>` out of a path: at its start, or right after the name of a door. */
function cutToken(path: string): [path: string, token: string | undefined] {
  const found = /^(\/(?:intermediary|neuro|brain))?\/t\/([^/]+)(?=\/|$)/.exec(path);
  if (found === null) return [path, undefined];
  return [(found[1] ?? "") + path.slice(found[0].length) || "/", percentDecode(found[2] ?? "")];
}

const bearerIn = (header: string | undefined): string | undefined => /^Bearer +(\S+)$/i.exec(header ?? "")?.[1];

/** An address without the wrapping of an IPv4 address in IPv6. */
const plainAddress = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/i, "");
