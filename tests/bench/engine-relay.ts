/**
 * A relay of the benchmark as a service of the relay, with its sockets and its engine: what those cost. Started as
 * `bun engine-relay.ts GAME_PORT UPSTREAM_URL --with checks,ids`; without duties it is the raw relay.
 */
import process from "node:process";
import { load } from "../../src/config/load.ts";
import { supervise } from "../../src/relay/mod.ts";
import { services } from "../../src/relay/services.ts";
import { serve } from "../../src/runtimes/bun/serve.ts";
import { type Duty, FLOOR_DEFAULTS, type Technique } from "./duties/options.ts";
import { FloorRelay } from "./duties/relay.ts";
import { benchService } from "./duties/service.ts";
import { rawJsonRelay } from "./json-relay.ts";
import { settingsFor } from "./relay-command.ts";

const [port, url = "", , wanted = ""] = process.argv.slice(2);
const loaded = load({ platform: "bun", sets: settingsFor(Number(port), url) });
if (!loaded.ok) throw new Error(loaded.errors.join("\n"));
const { settings } = loaded;

const duties = wanted.split(",").filter((name) => name !== "") as (Duty | Technique)[];
const service = duties.length === 0
  ? supervise(benchService(url, ({ neuro }) => rawJsonRelay(neuro)))
  : supervise(benchService(url, (ports) => new FloorRelay({ ...FLOOR_DEFAULTS, with: new Set(duties) }, ports)));
const others = services(settings).filter(({ name }) => name !== "neuro");
await serve(settings, { services: [...others, service], print() {}, log() {} });
