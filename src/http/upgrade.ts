/**
 * Upgrades to WebSockets: the listener of a path, and the check of credentials.
 *
 * On a listener's own port every path belongs to it. On the web port the first path segment names the listener. The checks are, in this
 * order: is it an upgrade, is the page's origin accepted, is the token right, is the relay still accepting connections.
 */
import { linkNameOf } from "../core/text.ts";
import { digestOf } from "../core/access.ts";
import type { ConnectionInfo } from "../core/event.ts";
import type { FaultName } from "../core/fault.ts";
import { type ListenerName, LISTENERS } from "../core/service.ts";
import { isOriginAllowed } from "./origin.ts";
import type { Settings } from "../core/settings.ts";
import { type ParsedRequest, WEB_PORT_LISTENERS } from "./parse-request.ts";
import type { LinkTarget, PortName, RequestContext, WebPorts } from "./ports.ts";
import { problemResponse } from "./problem.ts";
import { isVoicePath } from "./voice-stub.ts";

const NAME_MAX = 64;

/** A request for a listener, or for a link. */
export interface UpgradeRequest {
  readonly request: Request;
  readonly listener: ListenerName | LinkTarget;
  readonly parsed: ParsedRequest;
  readonly context: RequestContext;
}

/** The listener that a path belongs to; undefined if there is none, or if it is disabled. */
export function listenerAt(port: PortName, path: string, { services, settings }: WebPorts): ListenerName | undefined {
  const listener = port === "web"
    ? WEB_PORT_LISTENERS.find((name) => path === `/${name}` || path.startsWith(`/${name}/`))
    : port;
  const isOpen = listener !== undefined && services.includes(listener) && settings()[LISTENERS[listener].block].enabled;
  return isOpen ? listener : undefined;
}

/** The link that a path of the web port belongs to. */
export function linkAt(port: PortName, path: string): LinkTarget | undefined {
  const [, link] = port === "web" ? /^\/link\/([^/]+)\/?$/.exec(path) ?? [] : [];
  return link === undefined ? undefined : { link };
}

/** Upgrades the connection, or refuses it. A plain request gets a hint. */
export function handleUpgrade(upgrade: UpgradeRequest, ports: WebPorts): Response {
  const { request, listener, parsed, context } = upgrade;
  if (!isUpgrade(request)) return listener === "neuro" ? neuroUrlDocument(upgrade) : upgradeRequired(listener);
  const isLink = typeof listener !== "string";
  const connection = isLink ? parsed.connection : connectionFor(listener, parsed.connection, context.listener);
  const reject = (status: 401 | 403, reason: string): Response => {
    const fault: FaultName = status === 401 ? "badToken" : "notAllowed";
    ports.observe({ is: "greeting_refused", fault, address: connection.address, reason });
    return problemResponse({ status, title: status === 401 ? "Unauthorized" : "Refused", fault, detail: reason });
  };
  if (!isOriginAllowed(context.listener, parsed, ports.settings())) {
    const origin = JSON.stringify((parsed.origin ?? "").slice(0, 200));
    return reject(403, `origin ${origin} is not listed in security.allowed_origins`);
  }
  const rejection = ports.accessControl().rejectionOf(isLink ? "link" : listener, parsed.token, connection.address);
  if (rejection !== undefined) return reject(rejection.status, rejection.reason);
  const unknown = isLink ? unknownLink(listener, ports.settings()) : undefined;
  if (unknown !== undefined) return unknown;
  if (ports.isDraining()) {
    return problemResponse({ status: 503, title: "Restarting", fault: "restarting", headers: { "retry-after": "5" } });
  }
  const target = listener === "neuro" && isVoicePath(connection.path) ? "voice" : listener;
  const presented = digestOf(parsed.token);
  const admitted = presented === undefined ? connection : { ...connection, credential: presented };
  return context.upgrade(target, admitted, presented) ?? upgradeRequired(listener);
}

/** The connection as the service sees it: without the listener's name that the path has on the web port. */
const connectionFor = (listener: ListenerName, connection: ConnectionInfo, port: PortName): ConnectionInfo =>
  port === "web" ? { ...connection, path: connection.path.slice(listener.length + 1) || "/" } : connection;

/** Header names and this value are case-insensitive; some clients send `WebSocket`. */
const isUpgrade = (request: Request): boolean =>
  request.method === "GET" && request.headers.get("upgrade")?.toLowerCase() === "websocket";

/** The refusal of a link that no upstream of a relay with these settings uses; undefined if one does. */
export function unknownLink({ link }: LinkTarget, { "nakurity-clients": upstreams }: Settings): Response | undefined {
  if (upstreams.some(({ url }) => linkNameOf(url) === link)) return undefined;
  const detail = `no upstream of this relay has the URL link:${link.slice(0, NAME_MAX)}; set nakurity-client.url`;
  return problemResponse({ status: 404, title: "Not found", fault: "notFound", detail });
}

const LINK_HINT = "This is for `neuro-relay link`, which connects Neuro to this relay.";

function upgradeRequired(listener: ListenerName | LinkTarget): Response {
  return new Response(`${typeof listener === "string" ? LISTENERS[listener].hint : LINK_HINT}\n`, {
    status: 426,
    headers: { "content-type": "text/plain; charset=utf-8", upgrade: "websocket", connection: "Upgrade" },
  });
}

/** Games in a browser request the URL of Neuro from the origin of their page. */
function neuroUrlDocument({ request, parsed: { connection, host, scheme }, context }: UpgradeRequest): Response {
  if (!connection.path.endsWith("/$env/NEURO_SDK_WS_URL")) return upgradeRequired("neuro");
  const headers = { "access-control-allow-origin": "*", "x-content-type-options": "nosniff", "cache-control": "no-store" };
  if (request.method === "OPTIONS") return new Response(null, { status: 204, headers });
  // Why the original path: the socket needs the token in it as well, and only the client sees this response.
  const path = new URL(request.url).pathname.slice(0, -"$env/NEURO_SDK_WS_URL".length);
  const name = /^[\w.:[\]-]+$/.test(host ?? "") ? host : new URL(request.url).host;
  const url = `${scheme === "https:" ? "wss" : "ws"}://${name}${context.basePath ?? ""}${path}`;
  return new Response(url, { headers: { ...headers, "content-type": "text/plain; charset=utf-8" } });
}
