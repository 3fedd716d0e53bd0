/**
 * The web app: the same on every runtime and for every port.
 *
 * A runtime passes each request with its `RequestContext`. `upgrade.ts` handles the listeners, `routes.ts` and `api/` the web port. This
 * file decides which requests get there: on the web port only those with an accepted host name and origin.
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

interface Env {
  Bindings: RequestContext;
  Variables: { parsed: ParsedRequest; grant: TokenGrant };
}

/** The Hono app of a relay. Its `env` is the `RequestContext` of the request. */
export type App = Hono<Env>;

/** The app of one relay. Its only state limits the work that requests cause. */
export function createApp(ports: WebPorts): App {
  const app: App = new Hono<Env>({ strict: false });
  const budgets = new RequestBudgets();
  const readiness = new ReadinessCache(ports);
  app.use(async (hono, next): Promise<Response | void> => {
    const request = hono.req.raw;
    if (!URL.canParse(request.url)) {
      return problemResponse({
        status: 400,
        title: "Bad request",
        fault: "malformedRequest",
        detail: "the Host header is not a host name",
      });
    }
    const context = hono.env;
    const { limits } = ports.settings();
    const parsed = parseRequest(request, context, ports.settings());
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
    hono.set("parsed", parsed);
    hono.set("grant", grant);
    await next();
    hono.header("x-content-type-options", "nosniff");
    hono.header("referrer-policy", "no-referrer");
  });
  const scopes = (hono: Context<Env>) => hono.get("grant").scopes;
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
  app.onError((error) => {
    ports.observe({ is: "panicked", service: "web", reason: error.message, stack: error.stack ?? "" });
    return problemResponse({ status: 500, title: "Internal error", fault: "panic" });
  });
  return app;
}

/** Compresses the response for a client that accepts it. */
async function compressed(hono: Context<Env>, next: Next): Promise<Response | void> {
  if (hono.env.compresses === true) return await next();
  const { compress } = await import("hono/compress");
  return await compress()(hono, next);
}

/** Why imported lazily: the start does not need it, and most relays get no API request. */
async function api({ req, env, get }: Context<Env>, ports: WebPorts): Promise<Response> {
  const { handleApiRequest } = await import("./api/mod.ts");
  return await handleApiRequest({ request: req.raw, parsed: get("parsed"), context: env }, ports);
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
