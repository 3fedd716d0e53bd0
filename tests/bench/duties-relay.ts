/**
 * The floor of `bun run bench duties`. Started as `bun duties-relay.ts GAME_PORT UPSTREAM_URL --with checks,ids,deadlines,limits,metrics,records,isolation`;
 * `patterns` besides.
 */
import { DUTIES, type Duty, FLOOR_DEFAULTS, type Technique } from "./duties/options.ts";
import { FloorRelay } from "./duties/relay.ts";
import { NEURO, runRawRelay } from "./raw-sockets.ts";

const KNOWN: readonly string[] = [...DUTIES, "patterns"];
const at = process.argv.indexOf("--with");
const wanted = (process.argv[at + 1] ?? "").split(",").filter((name) => name !== "");
for (const name of wanted) {
  if (!KNOWN.includes(name)) throw new Error(`--with ${name}: expected some of ${KNOWN.join(", ")}`);
}

const relay: FloorRelay = new FloorRelay({ ...FLOOR_DEFAULTS, with: new Set(wanted as (Duty | Technique)[]) }, {
  neuro: NEURO,
  now: Date.now,
  wake: (ms) => void setTimeout(() => relay.tick(), ms),
});
await runRawRelay(relay);
