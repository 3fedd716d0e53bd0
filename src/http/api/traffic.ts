/**
 * The routes that neuro-os's traffic page asks for, in its own words. Off by default (`web.neuro_os_page`).
 *
 * The page sends no token, so on this machine none is asked; elsewhere it takes one with the scope `watch` (`admin` to inject),
 * in the header or as `?token=`. Its buttons start and stop the monitoring, so that is what they do here: events are kept while
 * somebody looks. The kill switch is `PATCH /api/controls`: nobody should end a show by leaving a page.
 *
 * Invariant: N1 the page makes markup of what it is answered, and what is in there comes from strangers: no text leaves with `<`, `>`
 * or `&` in it.
 */
import { isLoopback } from "../../core/access.ts";
import { isObject, type Json, type JsonObject } from "../../core/json.ts";
import type { Principal, ServiceRequest } from "../../core/request.ts";
import type { Scope } from "../../core/settings.ts";
import type { Page } from "../../core/view.ts";
import type { RequestResult } from "../../engine/mod.ts";
import type { Call } from "../caller.ts";
import type { WebPorts } from "../ports.ts";
import { readJson } from "./body.ts";
import { problemOf } from "./faults.ts";

const PREFIX = "/api/relay/";
const MESSAGES = 100;
const MESSAGES_MAX = 1_000;
const LIST_MAX = 1_000;

interface Asked {
  readonly request: Request;
  readonly call: Call;
  readonly principal: Principal;
  readonly deps: WebPorts;
}

interface Said {
  readonly body: JsonObject;
  readonly status?: number;
}

interface Route {
  readonly method: "GET" | "POST";
  readonly scope: Scope;
  answer(asked: Asked): Promise<Said>;
}

const ROUTES: Readonly<Record<string, Route>> = {
  start: { method: "POST", scope: "watch", answer: start },
  stop: { method: "POST", scope: "watch", answer: stop },
  stats: { method: "GET", scope: "watch", answer: stats },
  connections: { method: "GET", scope: "watch", answer: connections },
  messages: { method: "GET", scope: "watch", answer: messages },
  inject_message: { method: "POST", scope: "admin", answer: inject },
};

/** Answers a request of the page; undefined where there is none, or the page is switched off. */
export async function answerPage(request: Request, call: Call, deps: WebPorts): Promise<Response | undefined> {
  const { pathname } = new URL(request.url);
  const name = pathname.slice(PREFIX.length);
  const route = pathname.startsWith(PREFIX) && Object.hasOwn(ROUTES, name) ? ROUTES[name] : undefined;
  if (route === undefined || !deps.settings().web.neuro_os_page) return undefined;
  const shared = sharing(call, deps);
  const methods = [route.method, ...(route.method === "GET" ? ["HEAD"] : []), "OPTIONS"].join(", ");
  if (request.method === "OPTIONS") {
    return new Response(null, { status: 204, headers: { ...shared, allow: methods, ...PREFLIGHT } });
  }
  const { status = 200, body } = request.method === route.method || (request.method === "HEAD" && route.method === "GET")
    ? await carryOut(route, { request, call, deps })
    : { status: 405, body: failure(`this takes ${methods}`) };
  return new Response(JSON.stringify(harmless(body)), {
    status,
    headers: {
      ...shared,
      "content-type": "application/json",
      "cache-control": "no-store",
      ...(status === 405 && { allow: methods }),
    },
  });
}

/** Pages of listed origins may read the answers; the relay's own may anyway. */
function sharing({ origin }: Call, deps: WebPorts): Record<string, string> {
  const { allowed_origins } = deps.settings().security;
  const isListed = origin !== undefined && allowed_origins.some((one) => one.toLowerCase() === origin.toLowerCase());
  return { vary: "origin", ...(isListed && { "access-control-allow-origin": origin }) };
}

const PREFLIGHT = {
  "access-control-allow-methods": "GET, POST",
  "access-control-allow-headers": "authorization, content-type",
  "access-control-max-age": "600",
};

async function carryOut(route: Route, { request, call, deps }: Omit<Asked, "principal">): Promise<Said> {
  const principal = askerOf(call, deps);
  if (principal === undefined) return { status: 401, body: failure("give a token, in the header or as ?token=") };
  if (!principal.scopes.includes(route.scope)) return { status: 403, body: failure(`this needs the scope ${route.scope}`) };
  return await route.answer({ request, call, principal, deps });
}

function askerOf({ token, connection }: Call, deps: WebPorts): Principal | undefined {
  if (token === undefined) {
    return isLoopback(connection.address) ? { by: "neuro-os page", scopes: ["watch", "admin"] } : undefined;
  }
  const { names, scopes } = deps.tokens().bearer(token, connection.address);
  return names.length === 0 ? undefined : { by: names.join(", "), scopes };
}

async function start({ principal, deps }: Asked): Promise<Said> {
  return await done({ of: "intermediary", get: "events", limit: 0 }, { principal, deps, says: "Relay monitoring started" });
}

async function stop({ principal, deps }: Asked): Promise<Said> {
  return await done({ of: "intermediary", get: "events", limit: 0, last: true }, {
    principal,
    deps,
    says: "Relay monitoring stopped",
  });
}

async function stats({ principal, deps }: Asked): Promise<Said> {
  const total = deps.frames();
  const known = rates.get(deps) ?? new Rate();
  rates.set(deps, known);
  return {
    body: {
      active_connections: (await connected(principal, deps)).length,
      total_messages: total,
      messages_per_second: known.at(total, deps.uptimeMs()),
      connected: !deps.isDraining(),
    },
  };
}

async function connections({ principal, deps }: Asked): Promise<Said> {
  const list = await connected(principal, deps);
  return { body: { connections: list, count: list.length } };
}

async function messages({ request, principal, deps }: Asked): Promise<Said> {
  const wanted = Number(new URL(request.url).searchParams.get("limit") ?? MESSAGES);
  const limit = Number.isInteger(wanted) && wanted > 0 ? Math.min(wanted, MESSAGES_MAX) : MESSAGES;
  const answer = await deps.request({ of: "intermediary", get: "events", limit }, principal);
  const events = "body" in answer ? answer.body : [];
  const list = events.map(({ event, at, id: _, ...data }) => ({ timestamp: iso(at), type: event ?? "unknown", data }));
  return { body: { messages: list, count: list.length } };
}

async function inject({ request, principal, deps }: Asked): Promise<Said> {
  const read = await readJson(request, deps.settings().limits);
  if ("problem" in read) return { status: read.problem.status, body: failure(read.problem.detail ?? read.problem.title) };
  const { target, message = {} } = isObject(read.value) ? read.value : {};
  if (typeof target !== "string" || target === "") return { status: 400, body: failure("Target is required") };
  const says = `Message injected to ${target}`;
  const sent = await done({ of: "neuro", do: "injectMessage", integration: target, message }, { principal, deps, says });
  // Why: the page has one field for whom it is for, and Neuro is not among the connections.
  return sent.status === 404
    ? await done({ of: "neuro", do: "injectMessage", upstream: target, message }, { principal, deps, says })
    : sent;
}

interface Doing {
  readonly principal: Principal;
  readonly deps: WebPorts;
  readonly says: string;
}

async function done(request: ServiceRequest, { principal, deps, says }: Doing): Promise<Said> {
  const answer = await deps.request(request, principal);
  if ("body" in answer) return { body: { success: true, message: says } };
  const { status, title, detail = title } = problemOf(answer.fault, answer.reason);
  return { status, body: failure(detail) };
}

const failure = (error: string): JsonObject => ({ success: false, error });

/** Everybody who is connected. What a message is injected to is the id of an integration. */
async function connected(principal: Principal, deps: WebPorts): Promise<readonly JsonObject[]> {
  const peers = itemsOf(await deps.request({ of: "intermediary", get: "peers" }, principal));
  const said = new Map(peers.map(({ type, name, messages }) => [`${type}/${name}`, messages]));
  const all = itemsOf(await deps.request({ of: "neuro", get: "integrations", limit: LIST_MAX }, principal));
  const integrations = all.filter(({ present }) => present).map(({ id, name, listener, since, counts }) => ({
    type: listener === "neuro" ? "game" : "integration",
    id,
    message_count: said.get(`integration/${name}`) ?? counts.actions + counts.contexts + counts.forces,
    connected_at: iso(since),
  }));
  const watchers = peers.filter(({ type }) => type === "neuro-os").map(({ type, name, messages = 0, since }) => ({
    type,
    id: name,
    message_count: messages,
    connected_at: iso(since),
  }));
  return [...integrations, ...watchers];
}

/** None where the room is not there. */
const itemsOf = <Item>(result: RequestResult<Page<Item>>): readonly Item[] => "body" in result ? result.body.items : [];

const iso = (at: Json | undefined): string => new Date(typeof at === "number" ? at : 0).toISOString();

/** The same with every text as it has to be within markup. */
function harmless(value: Json): Json {
  if (typeof value === "string") return value.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  if (Array.isArray(value)) return value.map(harmless);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, part]) => (part === undefined ? [] : [[String(harmless(key)), harmless(part)]])),
  );
}

/** How fast a count grows, as seen by whoever looks at it. Why by relay: in one isolate there may be several. */
const rates = new WeakMap<WebPorts, Rate>();

class Rate {
  #count: number | undefined;
  #seenAt = 0;
  #perSecond = 0;

  /** Looks that follow each other at once see the same. */
  at(count: number, now: number): number {
    const passed = now - this.#seenAt;
    if (this.#count === undefined || passed >= 1_000) {
      this.#perSecond = this.#count === undefined ? 0 : (count - this.#count) / (passed / 1_000);
      this.#count = count;
      this.#seenAt = now;
    }
    return this.#perSecond;
  }
}
