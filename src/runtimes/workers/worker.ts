/**
 * The relay on Cloudflare Workers: one Durable Object for each relay, all behind one origin.
 *
 * `/r/<name>/...` addresses the relay of that name; every other path the relay `default`. The Worker only selects the object.
 */
import { problemResponse } from "../../http/app.ts";
import type { WorkerBindings } from "./environment.ts";
import { isServed, splitPath } from "./relay-path.ts";

export { RelayObject } from "./relay-object.ts";

// Why a default export: Cloudflare finds the Worker by it.
export default {
  async fetch(request: Request, environment: WorkerBindings): Promise<Response> {
    const { name } = splitPath(new URL(request.url).pathname);
    if (!isServed(name, environment)) return problemResponse({ status: 404, title: "Not found" });
    try {
      return await environment.RELAY.get(environment.RELAY.idFromName(name)).fetch(request);
    } catch (error) {
      console.error(error);
      return problemResponse({ status: 503, title: "Service unavailable", headers: { "retry-after": "5" } });
    }
  },
};
