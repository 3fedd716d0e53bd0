/**
 * The web app: the same on every runtime, for every listener.
 *
 * A runtime hands each request in with its `Arrival`. What a socket port is asked is a matter of `sockets.ts`; what the web port
 * shows is a matter of `web.ts`; who may see it is decided here.
 */
import { type Context, Hono } from "hono";
import { type Call, callOf } from "./caller.ts";
import type { Arrival, WebPorts } from "./ports.ts";
import { isHostAllowed, isOriginAllowed } from "./origin.ts";
import { refuse } from "./problem.ts";
import { enter, listenerOf } from "./sockets.ts";
import type { Bearer } from "./tokens.ts";
import { health, metrics, ready, upload } from "./web.ts";

export type { Arrival, Entrance, PortName, WebPorts } from "./ports.ts";
export { refuse } from "./problem.ts";
export { Tokens } from "./tokens.ts";
export { answerVoice, VOICE_FRAME_BYTES_MAX } from "./voice.ts";

interface Env {
  Bindings: Arrival;
  Variables: { call: Call; bearer: Bearer };
}

export type App = Hono<Env>;

/** The app of one relay; it keeps nothing but what it is given here. */
export function createApp(deps: WebPorts): App {
  const app: App = new Hono<Env>({ strict: false });
  app.use(async (context, next): Promise<Response | void> => {
    if (!URL.canParse(context.req.url)) return refuse({ status: 400, title: "Bad request", detail: "unreadable Host" });
    const arrival = context.env;
    const call = callOf(context.req.raw, arrival, deps.settings());
    if (arrival.listener === "web") {
      const refused = guard(call, arrival, deps);
      if (refused !== undefined) return refused;
    }
    const listener = listenerOf(arrival.listener, call.connection.path, deps);
    if (listener !== undefined) return enter(context.req.raw, { listener, call, arrival }, deps);
    context.set("call", call);
    context.set("bearer", deps.tokens().bearer(call.token, call.connection.address));
    await next();
    context.header("x-content-type-options", "nosniff");
    context.header("referrer-policy", "no-referrer");
  });
  const scopes = (context: Context<Env>) => context.get("bearer").scopes;
  app.get("/", ({ req }) => page(req.raw));
  app.get("/health", () => health(deps));
  app.get("/ready", (context) => ready(deps, scopes(context)));
  app.get("/metrics", (context) => metrics(deps, scopes(context)));
  app.get("/uploads/:file", (context) => upload(deps, scopes(context), context.req.param("file")));
  for (const path of ["/api", "/api/*"]) app.all(path, (context) => api(context, deps));
  app.notFound(() => refuse({ status: 404, title: "Not found" }));
  app.onError((error) => {
    deps.observe({ is: "panicked", service: "web", reason: error.message, stack: error.stack ?? "" });
    return refuse({ status: 500, title: "Internal error" });
  });
  return app;
}

/** Why loaded late: most relays are asked nothing by it, and none needs it to start. */
async function api({ req, env, get }: Context<Env>, deps: WebPorts): Promise<Response> {
  const { answerApi } = await import("./api/mod.ts");
  return await answerApi({ request: req.raw, call: get("call"), arrival: env }, deps);
}

/** Why loaded late: a relay that nobody looks at does without. */
async function page(request: Request): Promise<Response> {
  const { dashboard } = await import("./dashboard.ts");
  return await dashboard(request);
}

/** Keeps out pages of other origins, and names that were bound to this address by somebody else. */
function guard({ connection, origin, host }: Call, { isRouted = false }: Arrival, deps: WebPorts): Response | undefined {
  const settings = deps.settings();
  const no = (status: number, detail: string): Response => {
    deps.observe({ is: "greeting_refused", fault: "notAllowed", address: connection.address, reason: detail });
    return refuse({ status, title: "Refused", detail });
  };
  const shown = (text: string | undefined) => JSON.stringify((text ?? "").slice(0, 200));
  if (!isRouted && !isHostAllowed(host, settings)) return no(421, `host ${shown(host)} is not listed in web.hosts`);
  if (isOriginAllowed("web", { origin, host }, settings)) return undefined;
  return no(403, `origin ${shown(origin)} is not listed in security.allowed_origins`);
}
