/**
 * Upgrades: which door a path means on which port, and who is let in.
 *
 * On a socket port every path is that port's door. On the web port the first segment names it. The order of checks is: is it an
 * upgrade, may this page do that, has it the token, is the relay still open.
 */
import type { ConnectionInfo, ListenerName } from "../core/event.ts";
import type { FaultName } from "../core/fault.ts";
import type { Call } from "./caller.ts";
import type { Arrival, PortName, WebPorts } from "./ports.ts";
import { isOriginAllowed } from "./origin.ts";
import { refuse } from "./problem.ts";
import { digestOf } from "../core/access.ts";
import { isVoicePath } from "./voice.ts";

/** Those on the web port. The proxy asks for no token, so it is to be reached by its own port only. */
const LISTENERS: readonly ListenerName[] = ["intermediary", "neuro", "brain"];

const SENTENCES: Readonly<Record<ListenerName, string>> = {
  intermediary: "This is the relay's Intermediary: connect a WebSocket and greet it with a JSON registration.",
  neuro: "This is a Neuro API backend: connect a WebSocket, e.g. by setting NEURO_SDK_WS_URL to this address.",
  brain: "This is the Brain relay: connect a WebSocket and send it JSON commands.",
  proxy: "This is the relay's intercept proxy: connect a WebSocket to reach the Neuro API backend behind it.",
};

/** The block of settings that opens or shuts a door. */
const BLOCKS = {
  intermediary: "intermediary",
  neuro: "nakurity-backend",
  brain: "brain",
  proxy: "intercept-proxy",
} as const;

/** The door that a path leads to; none when it is shut. */
export function listenerOf(port: PortName, path: string, { services, settings }: WebPorts): ListenerName | undefined {
  const listener = port === "web" ? LISTENERS.find((name) => path === `/${name}` || path.startsWith(`/${name}/`)) : port;
  return listener !== undefined && services.includes(listener) && settings()[BLOCKS[listener]].enabled
    ? listener
    : undefined;
}

/** Answers a request for a door. */
export function enter(request: Request, { listener, call, arrival }: Knock, deps: WebPorts): Response {
  if (!isUpgrade(request)) return listener === "neuro" ? gameDocument(request, call, arrival) : upgradeRequired(listener);
  const connection = within(listener, call.connection, arrival.listener);
  const no = (status: number, fault: FaultName, reason: string): Response => {
    deps.observe({ is: "greeting_refused", fault, address: connection.address, reason });
    return refuse({ status, title: status === 401 ? "Unauthorized" : "Refused", detail: reason });
  };
  if (!isOriginAllowed(arrival.listener, call, deps.settings())) {
    const origin = JSON.stringify((call.origin ?? "").slice(0, 200));
    return no(403, "notAllowed", `origin ${origin} is not listed in security.allowed_origins`);
  }
  const turned = deps.tokens().turnedAway(listener, call.token, connection.address);
  if (turned !== undefined) return no(turned.status, turned.status === 401 ? "badToken" : "notAllowed", turned.reason);
  if (deps.isDraining()) return refuse({ status: 503, title: "Restarting", headers: { "retry-after": "5" } });
  const entrance = listener === "neuro" && isVoicePath(connection.path) ? "voice" : listener;
  return arrival.upgrade(entrance, connection, digestOf(call.token)) ?? upgradeRequired(listener);
}

/** On the web port the door's name is no part of the path that its room sees. */
const within = (listener: ListenerName, connection: ConnectionInfo, port: PortName): ConnectionInfo =>
  port === "web" ? { ...connection, path: connection.path.slice(listener.length + 1) || "/" } : connection;

export interface Knock {
  readonly listener: ListenerName;
  readonly call: Call;
  readonly arrival: Arrival;
}

/** Header names and this value are case-insensitive; some clients write `WebSocket`. */
const isUpgrade = (request: Request): boolean =>
  request.method === "GET" && request.headers.get("upgrade")?.toLowerCase() === "websocket";

function upgradeRequired(listener: ListenerName): Response {
  return new Response(`${SENTENCES[listener]}\n`, {
    status: 426,
    headers: { "content-type": "text/plain; charset=utf-8", upgrade: "websocket", connection: "Upgrade" },
  });
}

/** Games in a browser ask the origin of their page where Neuro is. */
function gameDocument(request: Request, { connection, host, isSecure }: Call, { base: prefix = "" }: Arrival): Response {
  if (!connection.path.endsWith("/$env/NEURO_SDK_WS_URL")) return upgradeRequired("neuro");
  const headers = { "access-control-allow-origin": "*", "x-content-type-options": "nosniff", "cache-control": "no-store" };
  if (request.method === "OPTIONS") return new Response(null, { status: 204, headers });
  // Why the path as it came: a token in it has to come back for the socket, and only the caller sees this answer.
  const base = new URL(request.url).pathname.slice(0, -"$env/NEURO_SDK_WS_URL".length);
  const name = /^[\w.:[\]-]+$/.test(host ?? "") ? host : new URL(request.url).host;
  const url = `${isSecure ? "wss" : "ws"}://${name}${prefix}${base}`;
  return new Response(url, { headers: { ...headers, "content-type": "text/plain; charset=utf-8" } });
}
