/**
 * Every case on every platform, and a table of the results. At the gateway of a cluster it is a part of the cases, and all of them with
 * `PLATFORMS=gateway`.
 */
import { test } from "#runner";
import { env } from "node:process";
import { find } from "../harness/machine.ts";
import type { Case } from "./case.ts";
import { api } from "./cases/api.ts";
import { brain } from "./cases/brain.ts";
import { link } from "./cases/link.ts";
import { listeners } from "./cases/listeners.ts";
import { games } from "./cases/games.ts";
import { policies } from "./cases/policies.ts";
import { relays } from "./cases/relays.ts";
import { standalone } from "./cases/standalone.ts";
import { intermediary } from "./cases/intermediary.ts";
import type { Platform } from "./platform.ts";
import { Neuro } from "./clients.ts";
import { gateway } from "./gateway.ts";
import { binary, bun, deno } from "./processes.ts";
import { workerd } from "./workers.ts";

/** Cases that show each kind of client at the gateway: in both directions, refused, reading slowly, and over a restart. */
const AT_GATEWAY = "RT32 RT40 RT41 RT44 RT46 RT48 RT50 RT51 RT52 RT57 AP70 RT58 RT83 RT83c LK1".split(" ");
const WANTED = env.PLATFORMS?.split(",");
const hasRedis = find("redis-server") !== undefined;
if (!hasRedis) console.log("skipped: the gateway of a cluster, because there is no redis-server here");
const PLATFORMS: readonly Platform[] = [bun, deno, workerd, binary, ...(hasRedis ? [gateway] : [])]
  .filter(({ name }) => WANTED === undefined || WANTED.includes(name));
const CASES: readonly Case[] = [
  ...intermediary,
  ...games,
  ...policies,
  ...listeners,
  ...api,
  ...brain,
  ...relays,
  ...link,
  ...standalone,
];

const idOf = ({ name }: Case): string => name.split(" ", 1)[0] ?? "";

/** The result of each case on each platform. */
const outcomes = new Map<string, Map<string, string>>(CASES.map((one) => [idOf(one), new Map()]));

async function play({ setup = {}, hasUpstream = false, run }: Case, platform: Platform): Promise<void> {
  const neuro = new Neuro();
  try {
    const relay = await platform.start({ ...setup, ...(hasUpstream && { "nakurity-client.url": neuro.url }) });
    try {
      await run(relay, neuro);
    } catch (error) {
      console.error(relay.log().split("\n").slice(-30).join("\n"));
      throw error;
    } finally {
      await relay.stop();
    }
  } finally {
    neuro.stop();
  }
}

for (const platform of PLATFORMS) {
  for (const one of CASES) {
    const id = idOf(one);
    const difference = platform.differences[id];
    if (difference !== undefined) {
      outcomes.get(id)?.set(platform.name, "differs");
      continue;
    }
    if (platform === gateway && WANTED === undefined && !AT_GATEWAY.includes(id)) continue;
    test(`${one.name} (${platform.name})`, async () => {
      outcomes.get(id)?.set(platform.name, "FAILS");
      const began = performance.now();
      await play(one, platform);
      outcomes.get(id)?.set(platform.name, `${Math.round(performance.now() - began)} ms`);
    }, { timeoutMs: 60_000 });
  }
}

test("RT53 every difference between platforms is declared with its reason, for an existing case", () => {
  const names = PLATFORMS.map(({ name }) => name);
  const rows = CASES.map((one) => [
    one.name.slice(0, 70).padEnd(70),
    ...names.map((name) => (outcomes.get(idOf(one))?.get(name) ?? "").padStart(9)),
  ]);
  console.log([["".padEnd(70), ...names.map((name) => name.padStart(9))], ...rows].map((row) => row.join(" ")).join("\n"));
  for (const { name, differences } of PLATFORMS) {
    for (const [id, reason] of Object.entries(differences)) {
      if (!outcomes.has(id)) throw new Error(`${name} differs in ${id}, which is no case`);
      console.log(`${name}, ${id}: ${reason}`);
    }
  }
});
