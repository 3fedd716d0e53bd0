/**
 * The relay on Cloudflare Workers: one Durable Object for each relay, all behind one origin.
 *
 * `/r/<name>/...` addresses the relay of that name; every other path the relay `default`. The Worker only selects the object.
 */
import { problemResponse } from "../../http/app.ts";
import { DEFAULT_RELAY, isServed, splitPath } from "../relay-path.ts";
import { malformedName, unknownRelay } from "../upgrade.ts";
import type { WorkerBindings } from "./environment.ts";

export { RelayObject } from "./relay-object.ts";

// Why a default export: Cloudflare finds the Worker by it.
export default {
  async fetch(request: Request, environment: WorkerBindings): Promise<Response> {
    const addressed = splitPath(new URL(request.url).pathname);
    if (addressed === undefined) return malformedName();
    const { name } = addressed;
    if (!isServed(name, namesIn(environment))) return unknownRelay(name, "RELAY_NAMES");
    try {
      return await environment.RELAY.get(environment.RELAY.idFromName(name)).fetch(request);
    } catch (error) {
      console.error(error);
      return problemResponse({
        status: 503,
        title: "Service unavailable",
        fault: "relayAway",
        headers: { "retry-after": "5" },
      });
    }
  },
};

const namesIn = ({ RELAY_NAMES = DEFAULT_RELAY }: WorkerBindings): readonly string[] =>
  RELAY_NAMES.split(",").map((pattern) => pattern.trim());
