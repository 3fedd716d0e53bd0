/**
 * The routes of neuro-os's traffic page, in its own format. Off by default (`web.neuro_os_page`).
 *
 * The page sends no token, so on this machine none is needed. From elsewhere the routes need a token with `watch` (`admin` to inject), in
 * the header or as `?token=`. The page's buttons start and stop the recording of events. They do not operate the kill switch
 * (`PATCH /api/controls`), because leaving a page must not end a show.
 *
 * Invariant: N1 the page turns the texts of these responses into markup, and peers wrote them: no text contains `<`, `>` or an unescaped
 * `&`.
 */
import { isLoopback } from "../../core/access.ts";
import { isObject, type Json, type JsonObject } from "../../core/json.ts";
import type { Principal, ServiceRequest } from "../../core/request.ts";
import type { Scope } from "../../core/settings.ts";
import type { Page } from "../../core/view.ts";
import type { RequestResult } from "../../engine/mod.ts";
import type { ParsedRequest } from "../parse-request.ts";
import type { WebPorts } from "../ports.ts";
import { problemFor } from "../problem.ts";
import { readJson } from "./read-body.ts";

const PREFIX = "/api/relay/";
const MESSAGES_DEFAULT = 100;
const MESSAGES_MAX = 1_000;
const INTEGRATIONS_MAX = 1_000;

interface RouteCall {
  readonly request: Request;
  readonly principal: Principal;
  readonly ports: WebPorts;
}

interface RouteReply {
  readonly body: JsonObject;
  readonly status?: number;
}

interface Route {
  readonly method: "GET" | "POST";
  readonly scope: Scope;
  handle(call: RouteCall): Promise<RouteReply>;
}

const ROUTES: Readonly<Record<string, Route>> = {
  start: { method: "POST", scope: "watch", handle: start },
  stop: { method: "POST", scope: "watch", handle: stop },
  stats: { method: "GET", scope: "watch", handle: stats },
  connections: { method: "GET", scope: "watch", handle: connections },
  messages: { method: "GET", scope: "watch", handle: messages },
  inject_message: { method: "POST", scope: "admin", handle: inject },
};

/** Handles a request of the page; undefined if the route does not exist or the page is switched off. */
export async function handleNeuroOsRequest(
  request: Request,
  parsed: ParsedRequest,
  ports: WebPorts,
): Promise<Response | undefined> {
  const { pathname } = new URL(request.url);
  const name = pathname.slice(PREFIX.length);
  const route = pathname.startsWith(PREFIX) && Object.hasOwn(ROUTES, name) ? ROUTES[name] : undefined;
  if (route === undefined || !ports.settings().web.neuro_os_page) return undefined;
  const cors = corsHeaders(parsed, ports);
  const allow = [route.method, ...(route.method === "GET" ? ["HEAD"] : []), "OPTIONS"].join(", ");
  if (request.method === "OPTIONS") return new Response(null, { status: 204, headers: { ...cors, allow, ...PREFLIGHT } });
  const isAllowed = request.method === route.method || (request.method === "HEAD" && route.method === "GET");
  const { status = 200, body } = isAllowed
    ? await authorizeAndHandle(route, request, parsed, ports)
    : { status: 405, body: failure(`${request.method} is not supported here; use ${allow}`) };
  return new Response(JSON.stringify(escapeHtml(body)), {
    status,
    headers: {
      ...cors,
      "content-type": "application/json",
      "cache-control": "no-store",
      ...(status === 405 && { allow }),
    },
  });
}

/** Pages of listed origins can read the responses; pages of the relay's own origin can do so anyway. */
function corsHeaders({ origin }: ParsedRequest, ports: WebPorts): Record<string, string> {
  const { allowed_origins } = ports.settings().security;
  const isListed = origin !== undefined && allowed_origins.some((one) => one.toLowerCase() === origin.toLowerCase());
  return { vary: "origin", ...(isListed && { "access-control-allow-origin": origin }) };
}

const PREFLIGHT = {
  "access-control-allow-methods": "GET, POST",
  "access-control-allow-headers": "authorization, content-type",
  "access-control-max-age": "600",
};

async function authorizeAndHandle(
  route: Route,
  request: Request,
  parsed: ParsedRequest,
  ports: WebPorts,
): Promise<RouteReply> {
  const principal = principalOf(parsed, ports);
  if (principal === undefined) return { status: 401, body: failure("give a token, in the header or as ?token=") };
  if (!principal.scopes.includes(route.scope)) {
    return { status: 403, body: failure(`this route needs the scope ${route.scope}`) };
  }
  return await route.handle({ request, principal, ports });
}

function principalOf({ token, connection }: ParsedRequest, ports: WebPorts): Principal | undefined {
  if (token === undefined) {
    return isLoopback(connection.address) ? { by: "neuro-os page", scopes: ["watch", "admin"] } : undefined;
  }
  const { names, scopes } = ports.accessControl().grantOf(token, connection.address);
  return names.length === 0 ? undefined : { by: names.join(", "), scopes };
}

function start(call: RouteCall): Promise<RouteReply> {
  return execute({ of: "intermediary", get: "events", limit: 0 }, "Relay monitoring started", call);
}

function stop(call: RouteCall): Promise<RouteReply> {
  return execute({ of: "intermediary", get: "events", limit: 0, last: true }, "Relay monitoring stopped", call);
}

async function stats({ principal, ports }: RouteCall): Promise<RouteReply> {
  const total = ports.frames();
  const meter = rateMeters.get(ports) ?? new RateMeter();
  rateMeters.set(ports, meter);
  return {
    body: {
      active_connections: (await connectionsOf(principal, ports)).length,
      total_messages: total,
      messages_per_second: meter.update(total, ports.uptimeMs()),
      connected: !ports.isDraining(),
    },
  };
}

async function connections({ principal, ports }: RouteCall): Promise<RouteReply> {
  const list = await connectionsOf(principal, ports);
  return { body: { connections: list, count: list.length } };
}

async function messages({ request, principal, ports }: RouteCall): Promise<RouteReply> {
  const given = Number(new URL(request.url).searchParams.get("limit") ?? MESSAGES_DEFAULT);
  const limit = Number.isInteger(given) && given > 0 ? Math.min(given, MESSAGES_MAX) : MESSAGES_DEFAULT;
  const result = await ports.request({ of: "intermediary", get: "events", limit }, principal);
  const events = "body" in result ? result.body.items : [];
  const list = events.map(({ event, at, id: _, ...data }) => ({ timestamp: isoTime(at), type: event, data }));
  return { body: { messages: list, count: list.length } };
}

async function inject(call: RouteCall): Promise<RouteReply> {
  const read = await readJson(call.request, call.ports.settings().limits);
  if ("problem" in read) return { status: read.problem.status, body: failure(read.problem.detail ?? read.problem.title) };
  const { target, message = {} } = isObject(read.value) ? read.value : {};
  if (typeof target !== "string" || target === "") return { status: 400, body: failure("Target is required") };
  const success = `Message injected to ${target}`;
  const reply = await execute({ of: "neuro", do: "injectMessage", integration: target, message }, success, call);
  // Why: the page has a single field for the target, and Neuro is not among the connections.
  return reply.status === 404
    ? await execute({ of: "neuro", do: "injectMessage", upstream: target, message }, success, call)
    : reply;
}

async function execute(
  request: ServiceRequest,
  success: string,
  { principal, ports }: RouteCall,
): Promise<RouteReply> {
  const result = await ports.request(request, principal);
  if ("body" in result) return { body: { success: true, message: success } };
  const { status, title, detail = title } = problemFor(result.fault, result.reason);
  return { status, body: failure(detail) };
}

const failure = (error: string): JsonObject => ({ success: false, error });

/** All connected peers. A message is injected into an integration by its id. */
async function connectionsOf(principal: Principal, ports: WebPorts): Promise<readonly JsonObject[]> {
  const peers = itemsOf(await ports.request({ of: "intermediary", get: "peers" }, principal));
  const messageCounts = new Map(peers.map(({ type, name, messages }) => [`${type}/${name}`, messages]));
  const all = itemsOf(await ports.request({ of: "neuro", get: "integrations", limit: INTEGRATIONS_MAX }, principal));
  const integrations = all.filter(({ connected }) => connected).map(({ id, name, listener, since, counts }) => ({
    type: listener === "neuro" ? "game" : "integration",
    id,
    message_count: messageCounts.get(`integration/${name}`) ?? counts.actions + counts.contexts + counts.forces,
    connected_at: isoTime(since),
  }));
  const watchers = peers.filter(({ type }) => type === "neuro-os").map(({ type, name, messages = 0, since }) => ({
    type,
    id: name,
    message_count: messages,
    connected_at: isoTime(since),
  }));
  return [...integrations, ...watchers];
}

/** Empty if the service does not exist. */
const itemsOf = <Item>(result: RequestResult<Page<Item>>): readonly Item[] => "body" in result ? result.body.items : [];

const isoTime = (at: number | undefined): string => new Date(at ?? 0).toISOString();

/** The same value with every text escaped for use in markup. */
function escapeHtml(value: Json): Json {
  if (typeof value === "string") return value.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  if (Array.isArray(value)) return value.map(escapeHtml);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, part]) => part === undefined ? [] : [[String(escapeHtml(key)), escapeHtml(part)]]),
  );
}

/** Why by relay: one isolate can run several relays. */
const rateMeters = new WeakMap<WebPorts, RateMeter>();

/** The rate of a counter between two updates. */
class RateMeter {
  #count: number | undefined;
  #updatedAt = 0;
  #perSecond = 0;

  /** The current rate. Updates within 1 s return the same rate. */
  update(count: number, now: number): number {
    const passed = now - this.#updatedAt;
    if (this.#count === undefined || passed >= 1_000) {
      this.#perSecond = this.#count === undefined ? 0 : (count - this.#count) / (passed / 1_000);
      this.#count = count;
      this.#updatedAt = now;
    }
    return this.#perSecond;
  }
}
