/** Every setting of `queue` has its effect. */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "#runner";
import { openStore } from "../../src/storage/open-store.ts";
import { check } from "../harness/check.ts";
import { LimitFixture, type Peer, settingsOf } from "./fixture.ts";
import { checkSetting, namesIn, type SettingTrials } from "./setting-trial.ts";

const UNTHROTTLED = ["limits.messages_per_second=0", "limits.bytes_per_second=0"];
const SLACK = 5;
const LONG_MS = 30 * 24 * 3_600_000;
const NEURO = [
  "nakurity-client.url=ws://neuro.test",
  "nakurity-client.backoff.base=500",
  "nakurity-client.backoff.cap=500",
];
const DIRECT = "dependency-authentication.neuro-os.auth_token=enhanced";

const commands = (peer: Peer) => peer.all(({ cmd }) => cmd !== undefined);
const isQueued = ({ status }: { status?: string }): boolean => status === "queued";

/** A watcher and a disconnected integration. */
async function withAbsent(fixture: LimitFixture): Promise<Peer> {
  await fixture.absent("away");
  return await fixture.watcher();
}

function command(watcher: Peer, count: number, { to = "away", cmd = "x" } = {}): void {
  for (let at = 0; at < count; at++) watcher.sendJson({ target: to, cmd });
}

/** Bytes that are kept, when no more are. */
async function fill(fixture: LimitFixture, watcher: Peer, to: readonly string[]): Promise<number> {
  const cmd = "x".repeat(1_000);
  for (let at = 0; watcher.all(({ error }) => error === "queue full").length === 0; at++) {
    command(watcher, 1, { to: to[at % to.length] ?? "", cmd });
    await fixture.advance(1);
  }
  const { items } = await fixture.request({ of: "intermediary", get: "queues" });
  return items.reduce((sum: number, { bytes }: { bytes: number }) => sum + bytes, 0);
}

/** The bound, if the queue is filled so far that one more message would exceed it; otherwise NaN. */
const boundBelow = (bytes: number, bound: number): number => (bytes <= bound && bytes > bound - 1_100 ? bound : NaN);

/** The delay of the redelivery after the nth nak. */
async function waitAfterNaks(fixture: LimitFixture, naks: number): Promise<number> {
  const jukebox = await fixture.integration("jukebox", { acks: true });
  command(await fixture.watcher(), 1, { to: "jukebox" });
  let since = NaN;
  for (let nak = 1; nak <= naks + 1; nak++) {
    await fixture.until(() => commands(jukebox).length === nak, LONG_MS);
    if (nak > naks) break;
    since = fixture.now;
    jukebox.sendJson({ nak: commands(jukebox).at(-1)?.message.id });
  }
  return (commands(jukebox).at(-1)?.at ?? NaN) - since;
}

/** How long messages for Neuro are kept: of two, only the later has not expired when she connects. */
async function keptForNeuro(fixture: LimitFixture, bound: number, say: (word: string) => void): Promise<number> {
  const sent: string[] = [];
  say("first");
  await fixture.advance(4_000);
  say("second");
  await fixture.advance(bound - 2_000);
  fixture.simulation.network.accept = () => (socket) => (socket.onFrame = (frame) => sent.push(String(frame)));
  await fixture.advance(1_000);
  return !sent.join().includes("first") && sent.join().includes("second") ? bound : NaN;
}

const QUEUE: SettingTrials = {
  retry: { texts: ["1s", "30s"], measure: (fixture) => waitAfterNaks(fixture, 1) },
  retry_cap: { texts: ["20s", "2m"], others: ["queue.max_attempts=20"], measure: (fixture) => waitAfterNaks(fixture, 10) },
  max_attempts: {
    texts: ["2", "12"],
    async measure(fixture) {
      const jukebox = await fixture.integration("jukebox", { acks: true });
      command(await fixture.watcher(), 1, { to: "jukebox" });
      await fixture.untilObserved("message_dead", LONG_MS);
      return commands(jukebox).length;
    },
  },
  "ttl.command": {
    texts: ["5s", "3d"],
    async measure(fixture) {
      command(await withAbsent(fixture), 1);
      return await fixture.untilObserved("message_dead", LONG_MS);
    },
  },
  "ttl.context": {
    texts: ["10s", "30m"],
    others: NEURO,
    async measure(fixture, bound) {
      const game = await fixture.connect("neuro");
      game.sendJson({ command: "startup", game: "Chess" });
      return await keptForNeuro(
        fixture,
        bound,
        (message) => game.sendJson({ command: "context", data: { message, silent: true } }),
      );
    },
  },
  "ttl.direct": {
    texts: ["10s", "30m"],
    others: [...NEURO, DIRECT],
    async measure(fixture, bound) {
      const watcher = await fixture.watcher({ token: "enhanced" });
      return await keptForNeuro(fixture, bound, (payload) => watcher.sendJson({ direct_to_neuro: true, payload }));
    },
  },
  per_recipient: {
    texts: ["3", "1500"],
    others: [...UNTHROTTLED],
    async measure(fixture, bound) {
      const watcher = await withAbsent(fixture);
      command(watcher, bound + SLACK);
      await fixture.advance(10);
      return watcher.all(isQueued).length;
    },
  },
  per_recipient_bytes: {
    texts: ["16KiB", "256KiB"],
    isDefaultHuge: true,
    others: [...UNTHROTTLED],
    measure: async (fixture, bound) => boundBelow(await fill(fixture, await withAbsent(fixture), ["away"]), bound),
  },
  total: {
    texts: ["3", "1500"],
    isDefaultHuge: true,
    others: [...UNTHROTTLED],
    async measure(fixture, bound) {
      const watcher = await withAbsent(fixture);
      await fixture.absent("other");
      command(watcher, Math.floor(bound / 2));
      command(watcher, Math.ceil(bound / 2) + SLACK, { to: "other" });
      await fixture.advance(10);
      return watcher.all(isQueued).length;
    },
  },
  total_bytes: {
    texts: ["16KiB", "256KiB"],
    isDefaultHuge: true,
    others: [...UNTHROTTLED],
    async measure(fixture, bound) {
      await fixture.absent("other");
      return boundBelow(await fill(fixture, await withAbsent(fixture), ["away", "other"]), bound);
    },
  },
  dead_letters: {
    texts: ["0", "2", "1500"],
    others: [...UNTHROTTLED, "queue.ttl.command=1s", "queue.per_recipient=100000"],
    async measure(fixture, bound) {
      command(await withAbsent(fixture), bound + SLACK);
      await fixture.advance(5_000);
      return (await fixture.request({ of: "intermediary", get: "status" })).queue.dead;
    },
  },
  dead_letter_ttl: {
    texts: ["5s", "9d"],
    others: ["queue.ttl.command=1s"],
    async measure(fixture, bound) {
      command(await withAbsent(fixture), 1);
      const dead = async () => (await fixture.request({ of: "intermediary", get: "status" })).queue.dead;
      await fixture.untilObserved("message_dead", LONG_MS);
      await fixture.advance(bound - 2);
      const before = await dead();
      await fixture.advance(4);
      return before === 1 && await dead() === 0 ? bound : NaN;
    },
  },
  settle: {
    texts: ["50", "3s"],
    async measure(fixture) {
      await fixture.integration("jukebox");
      command(await fixture.watcher(), 1, { to: "jukebox" });
      return await fixture.untilObserved("message_delivered", LONG_MS);
    },
  },
  ack_timeout: {
    texts: ["2s", "2m"],
    async measure(fixture) {
      const jukebox = await fixture.integration("jukebox", { acks: true });
      command(await fixture.watcher(), 1, { to: "jukebox" });
      await fixture.until(() => commands(jukebox).length === 2, LONG_MS);
      const [first, second] = commands(jukebox);
      return (second?.at ?? NaN) - (first?.at ?? NaN);
    },
  },
  ack_window: {
    texts: ["1", "200"],
    async measure(fixture, bound) {
      const jukebox = await fixture.integration("jukebox", { acks: true });
      command(await fixture.watcher(), bound + SLACK, { to: "jukebox" });
      await fixture.advance(10);
      return commands(jukebox).length;
    },
  },
  write_timeout: {
    texts: ["100ms", "9s"],
    async measure(fixture) {
      const watcher = await withAbsent(fixture);
      await fixture.advance(5_000);
      fixture.simulation.disk.health = { ...fixture.simulation.disk.health, hangs: 1, hangMs: 60_000 };
      const from = fixture.now;
      command(watcher, 1);
      const refused = () => watcher.all(({ error }) => error === "queue unavailable");
      await fixture.until(() => refused().length > 0, LONG_MS);
      return (refused()[0]?.at ?? NaN) - from;
    },
  },
};

/** Those that are no amount; each has a test of its own below. */
const OTHERS = ["backend", "path", "url", "when_full"];

test("CF40 every setting of `queue` has a trial", () => {
  check.equal([...Object.keys(QUEUE), ...OTHERS].sort(), [...namesIn("queue")].sort());
});

for (const [name, trial] of Object.entries(QUEUE)) {
  test(`CF40 queue.${name} has the effect that the file or the variable says`, () => checkSetting(`queue.${name}`, trial));
}

test("CF40 queue.when_full decides which message is dropped when the queue is full", async () => {
  for (const [text, error, first] of [["reject", "queue full", "0"], ["drop-oldest", undefined, "1"]] as const) {
    const fixture = await LimitFixture.start(settingsOf({ path: "queue.when_full", text }, ["queue.per_recipient=2"]));
    const watcher = await withAbsent(fixture);
    for (const cmd of ["0", "1", "2"]) command(watcher, 1, { cmd });
    await fixture.advance(10);
    check.equal(watcher.all((message) => message.error !== undefined)[0]?.message.error, error, text);
    const away = await fixture.integration("away");
    await fixture.advance(10);
    check.equal(commands(away)[0]?.message.cmd, first, text);
  }
});

test("CF40 queue.backend and queue.path decide where entries are stored", async () => {
  const folder = mkdtempSync(join(tmpdir(), "neuro-relay-limits-"));
  try {
    for (const [text, file] of [["fs", "entries/a/b"], ["sqlite", "entries.sqlite"]] as const) {
      const path = join(folder, text);
      const { queue } = settingsOf({ path: "queue.backend", text }, [`queue.path=${path}`]);
      const store = await openStore(queue, { onQuarantine: () => {} });
      await store.put("a/b" as never, { v: 1 }); // Why the cast: only services make keys.
      check.that(existsSync(join(path, file)), `${text} in ${path}`);
      await store.close();
    }
    const { queue } = settingsOf({ path: "queue.backend", text: "memory" }, [`queue.path=${join(folder, "memory")}`]);
    await (await openStore(queue, { onQuarantine: () => {} })).close();
    check.that(!existsSync(join(folder, "memory")));
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("CF40 queue.url is the address of Redis", async () => {
  const { queue } = settingsOf({ path: "queue.url", text: "redis://127.0.0.1:1" }, ["queue.backend=redis"]);
  await check.rejects(openStore(queue, { onQuarantine: () => {} }), /no Redis at redis:\/\/127\.0\.0\.1:1/);
});
