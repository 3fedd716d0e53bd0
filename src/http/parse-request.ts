/**
 * Parses a request: its sender, token, host and origin.
 *
 * Invariant: the token is removed from the path and the query here, so nothing that runs later can log it.
 */
import type { ConnectionInfo } from "../core/event.ts";
import { isLoopback, OPAQUE_ORIGIN } from "../core/access.ts";
import { LISTENER_NAMES, type ListenerName, LISTENERS } from "../core/service.ts";
import type { Settings } from "../core/settings.ts";
import { percentDecode } from "../core/text.ts";
import type { RequestContext } from "./ports.ts";

const PATH_MAX = 512;
const USER_AGENT_MAX = 256;
const QUERY_MAX = 4_096;
const PROTOCOLS_MAX = 1_024;
/** Enough for the ids of the longest accepted chain of relays. */
const VIA_MAX = 4_096;

export interface ParsedRequest {
  readonly connection: ConnectionInfo;
  /** From `Authorization`, the query or the path, in this order. */
  readonly token: string | undefined;
  /** From `Authorization` only. */
  readonly bearer: string | undefined;
  readonly origin: string | undefined;
  /** The host name and port under which the client reached the relay. */
  readonly host: string | undefined;
  /** Every host name in the request's headers: the client's, and the one that a trusted proxy used. All of them must be accepted. */
  readonly hosts: readonly (string | undefined)[];
  /** The scheme that the client used; undefined if a trusted proxy does not say. */
  readonly scheme: "http:" | "https:" | undefined;
}

/** `url`: that of the request, if the caller has parsed it. */
export function parseRequest(
  request: Request,
  context: Pick<RequestContext, "listener" | "address">,
  settings: Settings,
  url: URL = new URL(request.url),
): ParsedRequest {
  const { headers } = request;
  const header = (name: string) => headers.get(name) ?? undefined;
  const isProxied = context.listener === "web" && settings.web.trusted_proxies.includes(plainAddress(context.address));
  const [path, tokenInPath] = extractPathToken(url.pathname);
  const bearer = bearerToken(header("authorization"));
  const forwardedHost = isProxied ? header("x-forwarded-host") : undefined;
  const address = plainAddress(context.address);
  const [origin, host] = [header("origin"), header("host")];
  // Why: clients of a proxy on this machine that is not listed seem to connect from this machine, and any web page can have no origin.
  const isForeign = isLoopback(address) &&
    (!isLocalHost(host) || origin === OPAQUE_ORIGIN || FORWARDING_HEADERS.some((name) => headers.has(name)));
  return {
    connection: {
      address: isProxied ? forwardedFor(header("x-forwarded-for"), settings) : isForeign ? UNKNOWN_ADDRESS : address,
      path: path.slice(0, PATH_MAX),
      userAgent: (header("user-agent") ?? "").slice(0, USER_AGENT_MAX),
      via: (header("neuro-relay-via") ?? "").slice(0, VIA_MAX),
      ...(context.listener === "proxy" && proxiedParts(url, header("sec-websocket-protocol"))),
    },
    token: bearer ?? url.searchParams.get("token") ?? tokenInPath,
    bearer,
    origin,
    host: forwardedHost ?? host,
    hosts: forwardedHost === undefined ? [host] : [host, forwardedHost],
    scheme: isProxied ? forwardedScheme(header("x-forwarded-proto")) : url.protocol === "https:" ? "https:" : "http:",
  };
}

/** The parts of a request that the proxy passes on, besides the path. */
const proxiedParts = ({ search }: URL, protocols = ""): Pick<ConnectionInfo, "query" | "protocols"> => ({
  ...(search !== "" && search.length <= QUERY_MAX && { query: search }),
  ...(protocols !== "" && protocols.length <= PROTOCOLS_MAX && { protocols }),
});

/** The address of a client behind a proxy that is not listed or does not name it, and of a page without an origin. It is not loopback, so it has no local privileges. */
const UNKNOWN_ADDRESS = "unknown";

/** The headers by which proxies name their client, its address or their own. */
const FORWARDING_HEADERS = ["x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "forwarded", "via"];

/** The last address in the list that is not a trusted proxy. */
function forwardedFor(list: string | undefined, settings: Settings): string {
  const hops = (list ?? "").split(",").map((hop) => plainAddress(hop.trim())).filter((hop) => hop !== "");
  return hops.findLast((hop) => !settings.web.trusted_proxies.includes(hop)) ?? UNKNOWN_ADDRESS;
}

/** How nearly all clients of this machine write its name. */
const USUAL_LOCAL_HOST = /^(?:127\.0\.0\.1|localhost)(?::\d{1,5})?$/;

/** True for a `Host` that only this machine can mean, and without one. */
const isLocalHost = (host: string | undefined): boolean =>
  host === undefined || USUAL_LOCAL_HOST.test(host) ||
  (URL.canParse(`http://${host}`) && isLoopback(new URL(`http://${host}`).hostname));

function forwardedScheme(proto: string | undefined): "http:" | "https:" | undefined {
  const scheme = proto?.trim().toLowerCase();
  if (scheme === "https" || scheme === "wss") return "https:";
  return scheme === "http" || scheme === "ws" ? "http:" : undefined;
}

/** The listeners that are also on the web port, below a path with their name. */
export const WEB_PORT_LISTENERS: readonly ListenerName[] = LISTENER_NAMES.filter((name) => LISTENERS[name].isOnWebPort);

const PATH_TOKEN = new RegExp(`^(/(?:${WEB_PORT_LISTENERS.join("|")}))?/t/([^/]+)(?=/|$)`);

/** Removes `/t/<token>` from a path: at its start, or directly after the name of a listener. */
function extractPathToken(path: string): [path: string, token: string | undefined] {
  const found = PATH_TOKEN.exec(path);
  if (found === null) return [path, undefined];
  return [(found[1] ?? "") + path.slice(found[0].length) || "/", percentDecode(found[2] ?? "")];
}

const bearerToken = (header: string | undefined): string | undefined => /^Bearer +(\S+)$/i.exec(header ?? "")?.[1];

/** An IPv4 address without its IPv6 prefix. */
const plainAddress = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/i, "");
