/**
 * Upgrades: which door a path means on which port, and who is let in.
 *
 * On a socket port every path is that port's door. On the web port the first segment names it. The order of checks is: is it an
 * upgrade, may this page do that, has it the token, is the relay still open.
 */
import type { Caller, DoorName } from "../core/event.ts";
import type { FaultName } from "../core/fault.ts";
import type { Call } from "./caller.ts";
import type { Arrival, Deps, ListenerName } from "./deps.ts";
import { isOriginAllowed } from "./origin.ts";
import { refuse } from "./problem.ts";
import { ticketOf } from "./tokens.ts";
import { isVoicePath } from "./voice.ts";

/** Those on the web port. The proxy asks for no token, so it is to be reached by its own port only. */
const DOORS: readonly DoorName[] = ["intermediary", "neuro", "brain"];

const SENTENCES: Readonly<Record<DoorName, string>> = {
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
export function doorOf(listener: ListenerName, path: string, { rooms, settings }: Deps): DoorName | undefined {
  const door = listener === "web" ? DOORS.find((name) => path === `/${name}` || path.startsWith(`/${name}/`)) : listener;
  return door !== undefined && rooms.includes(door) && settings()[BLOCKS[door]].enabled ? door : undefined;
}

/** Answers a request for a door. */
export function enter(request: Request, { door, call, arrival }: Knock, deps: Deps): Response {
  if (!isUpgrade(request)) return door === "neuro" ? gameDocument(request, call, arrival) : upgradeRequired(door);
  const caller = within(door, call.caller, arrival.listener);
  const no = (status: number, fault: FaultName, reason: string): Response => {
    deps.observe({ is: "greeting_refused", fault, address: caller.address, reason });
    return refuse({ status, title: status === 401 ? "Unauthorized" : "Refused", detail: reason });
  };
  if (!isOriginAllowed(arrival.listener, call, deps.settings())) {
    const origin = JSON.stringify((call.origin ?? "").slice(0, 200));
    return no(403, "notAllowed", `origin ${origin} is not listed in security.allowed_origins`);
  }
  const turned = deps.tokens().turnedAway(door, call.token, caller.address);
  if (turned !== undefined) return no(turned.status, turned.status === 401 ? "badToken" : "notAllowed", turned.reason);
  if (deps.isDraining()) return refuse({ status: 503, title: "Restarting", headers: { "retry-after": "5" } });
  const entrance = door === "neuro" && isVoicePath(caller.path) ? "voice" : door;
  return arrival.upgrade(entrance, caller, ticketOf(call.token)) ?? upgradeRequired(door);
}

/** On the web port the door's name is no part of the path that its room sees. */
const within = (door: DoorName, caller: Caller, listener: ListenerName): Caller =>
  listener === "web" ? { ...caller, path: caller.path.slice(door.length + 1) || "/" } : caller;

export interface Knock {
  readonly door: DoorName;
  readonly call: Call;
  readonly arrival: Arrival;
}

/** Header names and this value are case-insensitive; some clients write `WebSocket`. */
const isUpgrade = (request: Request): boolean =>
  request.method === "GET" && request.headers.get("upgrade")?.toLowerCase() === "websocket";

function upgradeRequired(door: DoorName): Response {
  return new Response(`${SENTENCES[door]}\n`, {
    status: 426,
    headers: { "content-type": "text/plain; charset=utf-8", upgrade: "websocket", connection: "Upgrade" },
  });
}

/** Games in a browser ask the origin of their page where Neuro is. */
function gameDocument(request: Request, { caller, host, isSecure }: Call, { base: prefix = "" }: Arrival): Response {
  if (!caller.path.endsWith("/$env/NEURO_SDK_WS_URL")) return upgradeRequired("neuro");
  const headers = { "access-control-allow-origin": "*", "x-content-type-options": "nosniff", "cache-control": "no-store" };
  if (request.method === "OPTIONS") return new Response(null, { status: 204, headers });
  // Why the path as it came: a token in it has to come back for the socket, and only the caller sees this answer.
  const base = new URL(request.url).pathname.slice(0, -"$env/NEURO_SDK_WS_URL".length);
  const name = /^[\w.:[\]-]+$/.test(host ?? "") ? host : new URL(request.url).host;
  const url = `${isSecure ? "wss" : "ws"}://${name}${prefix}${base}`;
  return new Response(url, { headers: { ...headers, "content-type": "text/plain; charset=utf-8" } });
}
