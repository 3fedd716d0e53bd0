/**
 * The minimal relay on a raw socket to the backend, as the second baseline: the least that a relay in JavaScript costs without any duties.
 * Started as `bun raw-relay.ts GAME_PORT UPSTREAM_URL`.
 */
import { rawJsonRelay } from "./json-relay.ts";
import { NEURO, runRawRelay } from "./raw-sockets.ts";

await runRawRelay(rawJsonRelay(NEURO));
