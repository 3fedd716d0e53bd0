/**
 * The web app: the same on every runtime and for every port.
 *
 * A runtime passes each request with its `RequestContext`. `upgrade.ts` handles the listeners, Hono routes the rest of the web port to
 * `routes.ts` and `api/`. This file decides which requests get there: on the web port only those with an accepted host name and origin.
 */
import { type Context, Hono, type Next } from "hono";
import { AccessControl, type TokenGrant } from "./access-control.ts";
import { isHostAllowed, isOriginAllowed } from "./origin.ts";
import { type ParsedRequest, parseRequest } from "./parse-request.ts";
import type { RequestContext, WebPorts } from "./ports.ts";
import { type ProblemName, problemResponse } from "./problem.ts";
import { RequestBudgets, tooManyRequests } from "./request-budgets.ts";
import { health, metrics, ReadinessCache, ready, upload } from "./routes.ts";
import { handleUpgrade, linkAt, listenerAt } from "./upgrade.ts";

export { AccessControl };
export type { LinkTarget, MetricsText, PortName, RequestContext, Surroundings, UpgradeTarget, WebPorts } from "./ports.ts";
export { parseRequest } from "./parse-request.ts";
export { problemResponse } from "./problem.ts";
export { isOriginAllowed } from "./origin.ts";
export { unknownLink } from "./upgrade.ts";
export { notReadyReasons } from "./routes.ts";
export { tooManyRequests } from "./request-budgets.ts";
export { VOICE_FRAME_BYTES_MAX, voiceReply } from "./voice-stub.ts";

/** A request that is no connection of a listener, with what was found out about it. */
interface Env {
  Bindings: { readonly context: RequestContext; readonly parsed: ParsedRequest; readonly grant: TokenGrant };
}

/** Answers the requests of one relay. */
export interface App {
  fetch(request: Request, context: RequestContext): Response | Promise<Response>;
  /** What the web port serves. */
  readonly routes: Hono<Env>["routes"];
}

/** The app of one relay. Its only state limits the work that requests cause. */
export function createApp(ports: WebPorts): App {
  const parts: Parts = { ports, budgets: new RequestBudgets(), app: createRoutes(ports) };
  return {
    routes: parts.app.routes,
    fetch(request, context) {
      try {
        return answer(request, context, parts);
      } catch (error) {
        return internalError(error, ports);
      }
    },
  };
}

interface Parts {
  readonly ports: WebPorts;
  readonly budgets: RequestBudgets;
  readonly app: Hono<Env>;
}

/** Why Hono routes no connections: thousands may come at once, and it makes several objects and promises for each request. */
function answer(
  request: Request,
  context: RequestContext,
  { ports, budgets, app }: Parts,
): Response | Promise<Response> {
  const url = URL.parse(request.url);
  if (url === null) {
    return problemResponse({
      status: 400,
      title: "Bad request",
      fault: "malformedRequest",
      detail: "the Host header is not a host name",
    });
  }
  const { limits } = ports.settings();
  const parsed = parseRequest(request, context, ports.settings(), url);
  const { address } = parsed.connection;
  const retryMs = budgets.charge(address, limits, ports.uptimeMs());
  if (retryMs > 0) {
    const detail =
      `more requests than limits.requests_per_second, which is ${limits.requests_per_second}, allows this address`;
    return tooManyRequests(detail, retryMs);
  }
  const rejection = context.listener === "web" ? rejectForeign(parsed, context, ports) : undefined;
  if (rejection !== undefined) return rejection;
  const { path } = parsed.connection;
  const listener = listenerAt(context.listener, path, ports);
  const target = listener ?? linkAt(context.listener, path);
  const grant = ports.accessControl().grantOf(parsed.token, address);
  if (grant.names.length > 0 || ports.accessControl().hasTokenOf(listener, parsed.token)) {
    budgets.markKnown(address, limits, ports.uptimeMs());
  }
  if (target !== undefined) return handleUpgrade({ request, listener: target, parsed, context }, ports);
  return app.fetch(request, { context, parsed, grant });
}

/** What the web port serves, except connections. */
function createRoutes(ports: WebPorts): Hono<Env> {
  const app = new Hono<Env>({ strict: false });
  const readiness = new ReadinessCache(ports);
  app.use(async (hono, next): Promise<void> => {
    await next();
    hono.header("x-content-type-options", "nosniff");
    hono.header("referrer-policy", "no-referrer");
  });
  const scopes = ({ env }: Context<Env>) => env.grant.scopes;
  for (const path of ["/", "/overlay", "/dock"]) app.get(path, ({ req }) => dashboard(req.raw));
  app.get("/health", () => health(ports));
  app.get("/ready", (hono) => ready(readiness, scopes(hono), ports));
  app.get("/metrics", (hono) => metrics(ports, scopes(hono), hono.req.header("accept")));
  app.get("/uploads/:file", (hono) => upload(ports, scopes(hono), hono.req.param("file")));
  for (const path of ["/api", "/api/*"]) {
    app.use(path, compressed);
    app.all(path, (hono) => api(hono, ports));
  }
  app.notFound(() => problemResponse({ status: 404, title: "Not found", fault: "unknownPath" }));
  app.onError((error) => internalError(error, ports));
  return app;
}

function internalError(panic: unknown, ports: WebPorts): Response {
  const { message: reason, stack = "" } = panic instanceof Error ? panic : new Error(String(panic));
  ports.observe({ is: "panicked", service: "web", reason, stack });
  return problemResponse({ status: 500, title: "Internal error", fault: "panic" });
}

/** Compresses the response for a client that accepts it. */
async function compressed(hono: Context<Env>, next: Next): Promise<Response | void> {
  if (hono.env.context.compresses === true) return await next();
  const { compress } = await import("hono/compress");
  return await compress()(hono, next);
}

/** Why imported lazily: the start does not need it, and most relays get no API request. */
async function api({ req, env: { parsed, context } }: Context<Env>, ports: WebPorts): Promise<Response> {
  const { handleApiRequest } = await import("./api/mod.ts");
  return await handleApiRequest({ request: req.raw, parsed, context }, ports);
}

/** Why imported lazily: the page is large, and many relays never serve it. */
async function dashboard(request: Request): Promise<Response> {
  const { dashboardResponse } = await import("./dashboard-page.ts");
  return await dashboardResponse(request);
}

/** Rejects pages of other origins, and host names that others bound to this address (DNS rebinding). */
function rejectForeign(parsed: ParsedRequest, { isHostVerified = false }: RequestContext, ports: WebPorts) {
  const settings = ports.settings();
  const reject = (status: number, fault: ProblemName, reason: string): Response => {
    ports.observe({ is: "greeting_refused", fault: "notAllowed", address: parsed.connection.address, reason });
    return problemResponse({ status, title: "Refused", fault, detail: reason });
  };
  const quoted = (text: string | undefined) => JSON.stringify((text ?? "").slice(0, 200));
  const foreign = isHostVerified ? [] : parsed.hosts.filter((host) => !isHostAllowed(host, settings));
  if (foreign.length > 0) return reject(421, "foreignHost", `host ${quoted(foreign[0])} is not listed in web.hosts`);
  if (isOriginAllowed("web", parsed, settings)) return undefined;
  return reject(
    403,
    "foreignOrigin",
    `origin ${quoted(parsed.origin)} is neither the relay's own nor listed in security.allowed_origins`,
  );
}
