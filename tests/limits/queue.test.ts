/** Every setting of the queue: what the file says is what holds. */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "#runner";
import { openStore } from "../../src/storage/open-store.ts";
import { check } from "../harness/check.ts";
import { LimitStage, type Peer, settingsOf } from "./stage.ts";
import { namesIn, type Trials, tryOut } from "./trial.ts";

const UNHURRIED = "limits.messages_per_second=0";
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

/** A watcher and somebody who is away. */
async function withAbsent(stage: LimitStage): Promise<Peer> {
  await stage.absent("away");
  return await stage.watcher();
}

function command(watcher: Peer, count: number, { to = "away", cmd = "x" } = {}): void {
  for (let at = 0; at < count; at++) watcher.say({ target: to, cmd });
}

/** Bytes that are kept, when no more are. */
async function fill(stage: LimitStage, watcher: Peer, to: readonly string[]): Promise<number> {
  const cmd = "x".repeat(1_000);
  for (let at = 0; watcher.all(({ error }) => error === "queue full").length === 0; at++) {
    command(watcher, 1, { to: to[at % to.length] ?? "", cmd });
    await stage.pass(1);
  }
  const { items } = await stage.ask({ of: "intermediary", get: "queues" });
  return items.reduce((sum: number, { bytes }: { bytes: number }) => sum + bytes, 0);
}

/** The bound, where so many bytes are kept that one more message would be over it. */
const boundBelow = (bytes: number, bound: number): number => (bytes <= bound && bytes > bound - 1_100 ? bound : NaN);

/** How long after the nth nak the command comes again. */
async function waitAfterNaks(stage: LimitStage, naks: number): Promise<number> {
  const jukebox = await stage.integration("jukebox", { acks: true });
  command(await stage.watcher(), 1, { to: "jukebox" });
  let since = NaN;
  for (let nak = 1; nak <= naks + 1; nak++) {
    await stage.until(() => commands(jukebox).length === nak, LONG_MS);
    if (nak > naks) break;
    since = stage.now;
    jukebox.say({ nak: commands(jukebox).at(-1)?.message.id });
  }
  return (commands(jukebox).at(-1)?.at ?? NaN) - since;
}

/** How long what is for Neuro is kept for her: of two messages, the later is not too old when she comes. */
async function keptForNeuro(stage: LimitStage, bound: number, say: (word: string) => void): Promise<number> {
  const told: string[] = [];
  say("first");
  await stage.pass(4_000);
  say("second");
  await stage.pass(bound - 2_000);
  stage.world.network.accept = () => (wire) => (wire.onFrame = (frame) => told.push(String(frame)));
  await stage.pass(1_000);
  return !told.join().includes("first") && told.join().includes("second") ? bound : NaN;
}

const QUEUE: Trials = {
  retry: { texts: ["1s", "30s"], measure: (stage) => waitAfterNaks(stage, 1) },
  retry_cap: { texts: ["20s", "2m"], others: ["queue.max_attempts=20"], measure: (stage) => waitAfterNaks(stage, 10) },
  max_attempts: {
    texts: ["2", "12"],
    async measure(stage) {
      const jukebox = await stage.integration("jukebox", { acks: true });
      command(await stage.watcher(), 1, { to: "jukebox" });
      await stage.untilNoted("message_dead", LONG_MS);
      return commands(jukebox).length;
    },
  },
  "ttl.command": {
    texts: ["5s", "3d"],
    async measure(stage) {
      command(await withAbsent(stage), 1);
      return await stage.untilNoted("message_dead", LONG_MS);
    },
  },
  "ttl.context": {
    texts: ["10s", "30m"],
    others: NEURO,
    async measure(stage, bound) {
      const game = await stage.connect("neuro");
      game.say({ command: "startup", game: "Chess" });
      return await keptForNeuro(
        stage,
        bound,
        (message) => game.say({ command: "context", data: { message, silent: true } }),
      );
    },
  },
  "ttl.direct": {
    texts: ["10s", "30m"],
    others: [...NEURO, DIRECT],
    async measure(stage, bound) {
      const watcher = await stage.watcher({ token: "enhanced" });
      return await keptForNeuro(stage, bound, (payload) => watcher.say({ direct_to_neuro: true, payload }));
    },
  },
  per_recipient: {
    texts: ["3", "1500"],
    others: [UNHURRIED],
    async measure(stage, bound) {
      const watcher = await withAbsent(stage);
      command(watcher, bound + SLACK);
      await stage.pass(10);
      return watcher.all(isQueued).length;
    },
  },
  per_recipient_bytes: {
    texts: ["16KiB", "256KiB"],
    isDefaultHuge: true,
    others: [UNHURRIED],
    measure: async (stage, bound) => boundBelow(await fill(stage, await withAbsent(stage), ["away"]), bound),
  },
  total: {
    texts: ["3", "1500"],
    isDefaultHuge: true,
    others: [UNHURRIED],
    async measure(stage, bound) {
      const watcher = await withAbsent(stage);
      await stage.absent("other");
      command(watcher, Math.floor(bound / 2));
      command(watcher, Math.ceil(bound / 2) + SLACK, { to: "other" });
      await stage.pass(10);
      return watcher.all(isQueued).length;
    },
  },
  total_bytes: {
    texts: ["16KiB", "256KiB"],
    isDefaultHuge: true,
    others: [UNHURRIED],
    async measure(stage, bound) {
      await stage.absent("other");
      return boundBelow(await fill(stage, await withAbsent(stage), ["away", "other"]), bound);
    },
  },
  dead_letters: {
    texts: ["0", "2", "1500"],
    others: [UNHURRIED, "queue.ttl.command=1s", "queue.per_recipient=100000"],
    async measure(stage, bound) {
      command(await withAbsent(stage), bound + SLACK);
      await stage.pass(5_000);
      return (await stage.ask({ of: "intermediary", get: "status" })).queue.dead;
    },
  },
  dead_letter_ttl: {
    texts: ["5s", "9d"],
    others: ["queue.ttl.command=1s"],
    async measure(stage, bound) {
      command(await withAbsent(stage), 1);
      const dead = async () => (await stage.ask({ of: "intermediary", get: "status" })).queue.dead;
      await stage.untilNoted("message_dead", LONG_MS);
      await stage.pass(bound - 2);
      const before = await dead();
      await stage.pass(4);
      return before === 1 && await dead() === 0 ? bound : NaN;
    },
  },
  settle: {
    texts: ["50", "3s"],
    async measure(stage) {
      await stage.integration("jukebox");
      command(await stage.watcher(), 1, { to: "jukebox" });
      return await stage.untilNoted("message_delivered", LONG_MS);
    },
  },
  ack_timeout: {
    texts: ["2s", "2m"],
    async measure(stage) {
      const jukebox = await stage.integration("jukebox", { acks: true });
      command(await stage.watcher(), 1, { to: "jukebox" });
      await stage.until(() => commands(jukebox).length === 2, LONG_MS);
      const [first, second] = commands(jukebox);
      return (second?.at ?? NaN) - (first?.at ?? NaN);
    },
  },
  ack_window: {
    texts: ["1", "200"],
    async measure(stage, bound) {
      const jukebox = await stage.integration("jukebox", { acks: true });
      command(await stage.watcher(), bound + SLACK, { to: "jukebox" });
      await stage.pass(10);
      return commands(jukebox).length;
    },
  },
  write_timeout: {
    texts: ["100ms", "9s"],
    async measure(stage) {
      const watcher = await withAbsent(stage);
      await stage.pass(5_000);
      stage.world.disk.health = { ...stage.world.disk.health, hangs: 1, hangMs: 60_000 };
      const from = stage.now;
      command(watcher, 1);
      const refused = () => watcher.all(({ error }) => error === "queue unavailable");
      await stage.until(() => refused().length > 0, LONG_MS);
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
  test(`CF40 queue.${name} is what the file says, and what the variable says`, () => tryOut(`queue.${name}`, trial));
}

test("CF40 queue.when_full says who has to go when there is no room", async () => {
  for (const [text, error, first] of [["reject", "queue full", "0"], ["drop-oldest", undefined, "1"]] as const) {
    const stage = await LimitStage.start(settingsOf({ path: "queue.when_full", text }, ["queue.per_recipient=2"]));
    const watcher = await withAbsent(stage);
    for (const cmd of ["0", "1", "2"]) command(watcher, 1, { cmd });
    await stage.pass(10);
    check.equal(watcher.all((message) => message.error !== undefined)[0]?.message.error, error, text);
    const away = await stage.integration("away");
    await stage.pass(10);
    check.equal(commands(away)[0]?.message.cmd, first, text);
  }
});

test("CF40 queue.backend and queue.path say where entries are", async () => {
  const folder = mkdtempSync(join(tmpdir(), "neuro-relay-limits-"));
  try {
    for (const [text, file] of [["fs", "entries/a/b"], ["sqlite", "entries.sqlite"]] as const) {
      const path = join(folder, text);
      const { queue } = settingsOf({ path: "queue.backend", text }, [`queue.path=${path}`]);
      const store = await openStore(queue, { onQuarantine: () => {} });
      await store.put("a/b" as never, { v: 1 }); // Why: a key, which only rooms can make.
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

test("CF40 queue.url says where Redis is", async () => {
  const { queue } = settingsOf({ path: "queue.url", text: "redis://127.0.0.1:1" }, ["queue.backend=redis"]);
  await check.rejects(openStore(queue, { onQuarantine: () => {} }), /no Redis at redis:\/\/127\.0\.0\.1:1/);
});
