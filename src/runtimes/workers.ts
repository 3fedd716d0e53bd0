/**
 * The relay on Cloudflare Workers: one Durable Object for each relay, all behind one origin.
 *
 * `/r/<name>/...` is the relay of that name, everything else the one called `default`. Nothing is decided here but which object a
 * request is for; the object does the rest.
 */
import { refuse } from "../http/app.ts";
import type { Environment } from "./workers/environment.ts";
import { isServed, splitPath } from "./workers/path.ts";

export { RelayObject } from "./workers/object.ts";

// Why the one default export: Cloudflare finds a Worker by it.
export default {
  async fetch(request: Request, environment: Environment): Promise<Response> {
    const { name } = splitPath(new URL(request.url).pathname);
    if (!isServed(name, environment)) return refuse({ status: 404, title: "Not found" });
    try {
      return await environment.RELAY.get(environment.RELAY.idFromName(name)).fetch(request);
    } catch (error) {
      console.error(error);
      return refuse({ status: 503, title: "The relay is not to be had", headers: { "retry-after": "5" } });
    }
  },
};
