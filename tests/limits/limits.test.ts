/** Every setting of `limits` has its effect. */
import { test } from "#runner";
import { PUBLISHED_TOKEN } from "../../src/core/defaults.ts";
import { IdempotentChanges } from "../../src/http/api/idempotency.ts";
import { RequestBudgets } from "../../src/http/request-budgets.ts";
import { openLog } from "../../src/observability/mod.ts";
import { Host } from "../../src/runtimes/host.ts";
import { check } from "../harness/check.ts";
import { LimitFixture, type Peer, settingsOf } from "./fixture.ts";
import { checkSetting, namesIn, type SettingTrials } from "./setting-trial.ts";

const UNTHROTTLED = ["limits.messages_per_second=0", "limits.bytes_per_second=0"];
const isOpen = ({ closed }: Peer): boolean => closed === undefined;
const isLimited = (message: { error?: string }): boolean => message.error === "rate limit";
/** More than one frame above the bound, so that the first refused one is seen. */
const SLACK = 5;

async function openOf(
  fixture: LimitFixture,
  count: number,
  callers: (at: number) => { address?: string },
): Promise<number> {
  const peers: Peer[] = [];
  for (let at = 0; at < count; at++) peers.push(await fixture.connect("brain", callers(at)));
  await fixture.advance(1);
  check.equal(peers.filter((peer) => !isOpen(peer)).every(({ closed }) => closed?.code === 1013), true);
  return peers.filter(isOpen).length;
}

/** The bound, if a frame with this many bytes (or levels) passes and one with one more does not; otherwise NaN. */
async function passing(bound: number, passes: (size: number) => Promise<boolean>): Promise<number> {
  return await passes(bound) && !await passes(bound + 1) ? bound : NaN;
}

const greeting = (bytes: number): string => {
  const bare = JSON.stringify({ type: "integration", name: "a", auth_token: PUBLISHED_TOKEN, pad: "" });
  return bare.replace('"pad":""', `"pad":"${"x".repeat(bytes - bare.length)}"`);
};

const LIMITS: SettingTrials = {
  peers: {
    texts: ["3", "1200"],
    others: ["limits.peers_per_address=100000"],
    measure: (fixture, bound) => openOf(fixture, bound + SLACK, (at) => ({ address: `10.0.${at >> 8}.${at & 255}` })),
  },
  peers_per_address: {
    texts: ["2"],
    others: ["limits.peers=100000"],
    measure: (fixture, bound) => openOf(fixture, bound + SLACK, () => ({ address: "10.0.0.1" })),
  },
  actions: {
    texts: ["5", "450"],
    async measure(fixture, bound) {
      for (let game = 0; game * 200 <= bound; game++) {
        const peer = await fixture.connect("neuro");
        peer.sendJson({ command: "startup", game: `G${game}` });
        const actions = Array.from({ length: 200 }, (_, at) => ({ name: `g${game}_${at}`, description: "x" }));
        peer.sendJson({ command: "actions/register", game: `G${game}`, data: { actions } });
      }
      await fixture.advance(1);
      const { items } = await fixture.request({ of: "neuro", get: "integrations", limit: 100 });
      return items.reduce((sum: number, { actions }: { actions: number }) => sum + actions, 0);
    },
  },
  actions_per_integration: {
    texts: ["5", "600"],
    async measure(fixture, bound) {
      const peer = await fixture.connect("neuro");
      peer.sendJson({ command: "startup", game: "Big" });
      const actions = Array.from({ length: bound + SLACK }, (_, at) => ({ name: `a${at}`, description: "x" }));
      peer.sendJson({ command: "actions/register", game: "Big", data: { actions } });
      await fixture.advance(1);
      const { items } = await fixture.request({ of: "neuro", get: "integrations", limit: 100 });
      return items.reduce((sum: number, { actions: own }: { actions: number }) => sum + own, 0);
    },
  },
  schema_bytes: {
    texts: ["2KiB", "200KiB"],
    measure: (fixture, bound) =>
      passing(bound, async (bytes) => {
        const peer = await fixture.connect("neuro");
        const game = `G${bytes}`;
        const bare = JSON.stringify({ type: "object", title: "" });
        const schema = { type: "object", title: "x".repeat(bytes - bare.length) };
        peer.sendJson({ command: "startup", game });
        peer.sendJson({ command: "actions/register", game, data: { actions: [{ name: "a", description: "x", schema }] } });
        await fixture.advance(1);
        const { items } = await fixture.request({ of: "neuro", get: "integrations", limit: 100 });
        return items.some(({ name, actions }: { name: string; actions: number }) => name === game && actions === 1);
      }),
  },
  unauthenticated: {
    texts: ["2", "100"],
    async measure(fixture, bound) {
      const peers: Peer[] = [];
      for (let at = 0; at < bound + SLACK; at++) peers.push(await fixture.connect("intermediary"));
      await fixture.advance(1);
      return peers.filter(isOpen).length;
    },
  },
  greeting: {
    texts: ["1s", "20s"],
    async measure(fixture) {
      const peer = await fixture.connect("intermediary");
      await fixture.until(() => !isOpen(peer), 120_000);
      check.equal(peer.closed?.code, 4408);
      return (peer.closed?.at ?? NaN) - peer.openedAt;
    },
  },
  greeting_bytes: {
    texts: ["300", "16KiB"],
    measure: (fixture, bound) =>
      passing(bound, async (bytes) => {
        const peer = (await fixture.connect("intermediary")).send(greeting(bytes));
        await fixture.advance(1);
        check.that(isOpen(peer) || peer.closed?.code === 4400);
        return isOpen(peer);
      }),
  },
  peer_bytes: {
    texts: ["1MiB", "20MiB"],
    others: [...UNTHROTTLED, "nakurity-client.url=ws://n.test"],
    async measure(fixture, bound) {
      const length = bound / 32; // Why: a text counts two bytes a character, so about 15 of them fit.
      const kept = await keptForces(fixture, { sockets: 1, length, each: 20 }) * 2 * length;
      return kept <= bound && kept > 0.75 * bound ? bound : NaN;
    },
  },
  total_bytes: {
    texts: ["10MiB", "30MiB"],
    others: [...UNTHROTTLED, "nakurity-client.url=ws://n.test", "limits.peer_bytes=8MiB"],
    async measure(fixture, bound) {
      const length = bound / 400;
      const kept = await keptForces(fixture, { sockets: 20, length, each: 12 }) * 2 * length;
      return kept <= bound && kept > 0.75 * bound ? bound : NaN;
    },
  },
  message_bytes: {
    texts: ["2KiB", "2MiB"],
    others: [...UNTHROTTLED],
    measure: (fixture, bound) =>
      passing(bound, async (bytes) => {
        const peer = (await fixture.connect("neuro")).send("x".repeat(bytes));
        await fixture.advance(1);
        check.that(isOpen(peer) || peer.closed?.code === 1009);
        return isOpen(peer);
      }),
  },
  json_depth: {
    texts: ["8", "100"],
    measure: (fixture, bound) =>
      passing(bound, async (depth) => {
        const watcher = (await fixture.watcher()).send("[".repeat(depth) + "]".repeat(depth));
        await fixture.advance(1);
        return watcher.all(({ error }) => error === "watcher messages must be JSON").length === 0;
      }),
  },
  messages_per_second: {
    texts: ["10", "100", "0"],
    others: ["limits.burst=20"],
    async measure(fixture) {
      const watcher = await fixture.watcher();
      for (let at = 0; at < 40; at++) watcher.sendJson({ query: "peers" });
      await fixture.advance(0);
      const [refused] = watcher.all(isLimited);
      return refused === undefined ? 0 : 1_000 / refused.message.retry_after_ms;
    },
  },
  burst: {
    texts: ["3", "50"],
    async measure(fixture, bound) {
      const watcher = await fixture.watcher(); // Why: the greeting is the first of them.
      for (let at = 0; at < bound + SLACK; at++) watcher.sendJson({ query: "peers" });
      await fixture.advance(0);
      return watcher.all(({ peers }) => peers !== undefined).length + 1;
    },
  },
  bytes_per_second: {
    texts: ["64KiB", "1MiB"],
    others: ["limits.message_bytes=64KiB", "limits.messages_per_second=1000000", "limits.burst=1000000"],
    async measure(fixture, bound) {
      const talker = await fixture.connect("intermediary");
      talker.send(greeting(1_024));
      for (let sent = 1_024; sent < bound; sent += 1_024) talker.send("x".repeat(1_024));
      await fixture.advance(0);
      check.equal(talker.all(isLimited), []);
      talker.send("x".repeat(65_536));
      await fixture.advance(0);
      // Why not exactly: times are whole milliseconds.
      const rate = 65_536 / (talker.all(isLimited)[0]?.message.retry_after_ms / 1_000);
      return rate > 0.9 * bound && rate <= bound ? bound : NaN;
    },
  },
  requests_per_second: {
    texts: ["40", "2000", "0"],
    measure({ settings: { limits } }, bound) {
      const budgets = new RequestBudgets();
      const address = "203.0.113.1";
      budgets.charge(address, limits, 0);
      budgets.markKnown(address, limits, 0);
      let passed = 0;
      while (passed < 10_000 && budgets.charge(address, limits, 0) === 0) passed++;
      return Promise.resolve(bound === 0 && passed === 10_000 ? 0 : passed / 2);
    },
  },
  rates_per_address: {
    texts: ["2", "5", "0"],
    others: ["limits.messages_per_second=10", "limits.burst=10"],
    async measure(fixture) {
      const watchers = [];
      for (let at = 0; at < 16; at++) {
        watchers.push(await fixture.watcher());
        await fixture.advance(1_000);
      }
      for (const watcher of watchers) {
        for (let at = 0; at < 10; at++) watcher.sendJson({ query: "peers" });
      }
      await fixture.advance(0);
      const answered = watchers.flatMap((watcher) => watcher.all(({ peers }) => peers !== undefined)).length;
      // Why more: each of the others has its part of what the address may send.
      const expected = (bound: number) => 10 * bound + (16 - bound) * Math.ceil(10 * bound / 16);
      return answered === 160 ? 0 : Array.from({ length: 16 }, (_, bound) => expected(bound)).indexOf(answered);
    },
  },
  backlog_soft_bytes: {
    texts: ["64KiB", "1MiB"],
    others: [...UNTHROTTLED],
    async measure(fixture, bound) {
      const watcher = await fixture.watcher();
      await fixture.integration("slow", { bytesPerMs: 1 });
      const cmd = "x".repeat(16_000);
      for (let sent = 0; sent < bound; sent += cmd.length) watcher.sendJson({ target: "slow", cmd });
      watcher.sendJson({ target: "slow", cmd });
      await fixture.advance(0);
      const taken = watcher.all(({ status }) => status === "sent").length * (cmd.length + 50);
      check.that(watcher.all(({ status }) => status === "queued").length > 0);
      return taken > bound && taken <= bound + 2 * cmd.length ? bound : NaN;
    },
  },
  backlog_hard_bytes: {
    texts: ["256KiB", "1MiB"],
    others: ["limits.backlog_soft_bytes=64KiB", ...UNTHROTTLED],
    async measure(fixture, bound) {
      const schema = { type: "object", description: "x".repeat(10_000) };
      const actions = Array.from({ length: 10 }, (_, at) => ({ name: `a${at}`, description: "x", schema }));
      (await fixture.integration("offers")).sendJson({ command: "actions/register", data: { actions } });
      const watcher = await fixture.watcher({ bytesPerMs: 1 });
      const length = 10 * 10_060;
      let asked = 0;
      for (; isOpen(watcher) && asked * length <= 2 * bound; asked++) {
        watcher.sendJson({ query: "get_registered_actions" });
        await fixture.advance(0);
        if (await hasBeenCut(fixture)) break;
      }
      const waiting = (asked + 1) * length;
      return waiting > bound && waiting <= bound + 2 * length ? bound : NaN;
    },
  },
  event_streams: {
    texts: ["3", "0"],
    async measure(fixture, bound) {
      let refused = 0;
      for (let at = 0; at < bound + SLACK; at++) {
        const request = { of: "intermediary", get: "events", limit: 1, wait: 1_000 } as const;
        const asked = fixture.simulation.engine?.request(request, { by: "test", scopes: ["watch"] });
        void asked?.then((result) => "fault" in result && refused++);
      }
      await fixture.advance(0);
      return bound + SLACK - refused;
    },
  },
  idempotency_keys: {
    texts: ["3", "0"],
    async measure({ settings: { limits } }, bound) {
      const changes = new IdempotentChanges();
      const principal = { by: "test", scopes: ["admin"] } as const;
      let runs = 0;
      const once = (key: number) =>
        changes.once({ key: `k${key}`, method: "POST", path: "/", input: { path: {}, query: {}, body: 1 }, principal }, {
          max: limits.idempotency_keys,
          now: 0,
          run: () => Promise.resolve(new Response(String(runs++))),
        });
      for (let at = 0; at < bound + SLACK; at++) await once(at);
      for (let at = bound + SLACK - 1; at >= SLACK; at--) await once(at);
      return bound + SLACK === runs ? bound : NaN;
    },
  },
  metric_integrations: {
    texts: ["3", "0", "400"],
    async measure({ settings }, bound) {
      const log = await openLog(settings.log, () => {});
      const jobs = { run: () => Promise.reject(new Error("no jobs")) };
      const host = new Host({ settings, services: [], log, webToken: "token", jobs, print: () => {} });
      for (let at = 0; at < bound + SLACK; at++) host.observe({ is: "integration_connected", name: `i${at}` });
      const request = new Request("http://127.0.0.1/metrics", {
        headers: { authorization: "Bearer token", host: "127.0.0.1" },
      });
      const arrival = { listener: "web", address: "127.0.0.1", upgrade: () => undefined } as const;
      const lines = (await (await host.app.fetch(request, arrival)).text()).split("\n");
      const series = lines.filter((line) => line.startsWith("neuro_relay_integration_uptime_seconds{"));
      check.equal(series.filter((line) => line.includes('integration="other"')).length, 1);
      await log.close();
      return series.length - 1;
    },
  },
  macros: {
    texts: ["3", "0", "150"],
    async measure(fixture, bound) {
      const peer = await fixture.connect("neuro");
      peer.sendJson({ command: "startup", game: "G" });
      peer.sendJson({ command: "actions/register", game: "G", data: { actions: [{ name: "a", description: "x" }] } });
      await fixture.advance(1);
      for (let at = 0; at < bound + SLACK; at++) {
        await fixture.request({ of: "neuro", do: "saveMacro", label: `${at}`, id: "g", name: "a" });
      }
      return (await fixture.request({ of: "neuro", get: "macros", limit: 1_000 })).items.length;
    },
  },
};

/** How many forces wait after each socket sent some for a game each. Neuro is away. */
async function keptForces(
  fixture: LimitFixture,
  { sockets, length, each }: { readonly sockets: number; readonly length: number; readonly each: number },
): Promise<number> {
  const query = "x".repeat(length);
  for (let socket = 0; socket < sockets; socket++) {
    const peer = await fixture.connect("neuro");
    for (let at = 0; at < each; at++) {
      peer.sendJson({ command: "actions/force", game: `G${socket}-${at}`, data: { query, action_names: ["a"] } });
    }
  }
  await fixture.advance(1);
  const { upstreams: [upstream] } = await fixture.request({ of: "neuro", get: "status" });
  return upstream.waiting.length;
}

/** Why not by its close: a peer that reads slowly reads that last. */
async function hasBeenCut(fixture: LimitFixture): Promise<boolean> {
  const { watchers } = await fixture.request({ of: "intermediary", get: "status" });
  return watchers === 0;
}

test("SE23c a message rate of 0 does not disable the byte rate", async () => {
  const others = ["limits.bytes_per_second=64KiB", "limits.message_bytes=64KiB"];
  const fixture = await LimitFixture.start(settingsOf({ path: "limits.messages_per_second", text: "0" }, others));
  const watcher = await fixture.watcher();
  for (let sent = 0; sent < 70_000; sent += 10_000) watcher.sendJson({ query: "peers", padding: "x".repeat(10_000) });
  await fixture.advance(0);
  check.that(watcher.all(isLimited).length > 0, "64 KiB a second are the limit");
});

test("CF40 every bound in `limits` has a trial", () => {
  check.equal(Object.keys(LIMITS).sort(), [...namesIn("limits")].sort());
});

for (const [name, trial] of Object.entries(LIMITS)) {
  test(`CF40 limits.${name} has the effect that the file or the variable says`, () =>
    checkSetting(`limits.${name}`, trial));
}
