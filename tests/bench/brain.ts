/**
 * `bun run bench brain [--reps N] [memory] [recovery] [prediction] [echo] [fs] [sqlite]`: compares the Brain with a service that only
 * echoes, and with its store alone, alternating; all measurements, or the named ones.
 *
 * Only ratios can be compared between machines. A rate is that of the best 100 ms, because other load can only lower it; a ratio is the
 * median of the ratios of all repetitions.
 */
import { parseArgs } from "node:util";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { artifactOf } from "../../src/inference/artifact.ts";
import { predict } from "../../src/inference/net.ts";
import { perChannel, tokenize } from "../../src/inference/tokenizer.ts";
import { toBase64 } from "../../src/core/base64.ts";
import { runTraining, SIZES } from "../../src/inference/mod.ts";
import { brain } from "../../src/services/brain/mod.ts";
import { key, sequence } from "../../src/core/key.ts";
import type { Key } from "../../src/core/ids.ts";
import type { Json } from "../../src/core/json.ts";
import type { Service } from "../../src/core/service.ts";
import type { Store } from "../../src/engine/mod.ts";
import { supervise, type SupervisedService } from "../../src/relay/mod.ts";
import { serve } from "../../src/runtimes/bun/serve.ts";
import { openStore } from "../../src/storage/open-store.ts";
import { divisions } from "../unit/inference/built-in-recipe.ts";
import { BrainFixture } from "../unit/services/brain/fixture.ts";
import { testSettings } from "../unit/runtimes/bun-relay.ts";
import { memoryUploads } from "../../src/storage/uploads.ts";
import { MemoryStore } from "../unit/runtimes/memory-store.ts";
import { median } from "./measuring.ts";

const { values: options, positionals: named } = parseArgs({
  options: { reps: { type: "string", default: "5" } },
  allowPositionals: true,
});
const REPS = Number(options.reps);
const MS = 1_000;
const IN_FLIGHT = 256;
const SETTLE_MS = 300;
const WINDOW_MS = 100;
const MARK_EVERY = 64;

/** The minimal service: it returns every frame unchanged. */
const echo: Service<null> = {
  name: "brain",
  resident: [],
  restore: () => null,
  step(_state, event, ctx) {
    if (event.is === "frame") ctx.emit({ do: "reply", to: event.peer, frame: event.frame });
    if (event.is === "draining") ctx.emit({ do: "drained", service: "brain" });
  },
  nextWakeup: () => undefined,
};

interface RateOptions {
  readonly service: SupervisedService;
  readonly store: Store;
  readonly persist: boolean;
}

/** Counts, and finds the rate of the best 100 ms. */
class Meter {
  count = 0;
  readonly #marks: { readonly at: number; readonly count: number }[] = [];

  increment(): void {
    if (this.count++ % MARK_EVERY === 0) this.#marks.push({ at: performance.now(), count: this.count });
  }

  /** The best rate per second after `from`. */
  best(from: number): number {
    let [best, first] = [0, 0];
    for (const { at, count } of this.#marks) {
      for (let mark = this.#marks[first]; mark !== undefined && at - mark.at >= WINDOW_MS; mark = this.#marks[++first]) {
        if (mark.at >= from) best = Math.max(best, ((count - mark.count) * 1_000) / (at - mark.at));
      }
    }
    return best;
  }
}

/** Round trips per second on one socket with `IN_FLIGHT` requests in flight. */
async function rate({ service, store, persist }: RateOptions): Promise<number> {
  const settings = testSettings((change) => {
    change.brain.persist = persist;
    change.brain.artifact = "built-in";
    change.limits.messages_per_second = 0;
    change.limits.bytes_per_second = 0;
  });
  const served = await serve(settings, { services: [service], store, uploads: memoryUploads(), log() {}, print() {} });
  const socket = new WebSocket((served.urls as Record<string, string>)["brain"] ?? "");
  const first = Promise.withResolvers<string>();
  let onReply = (data: string): void => first.resolve(data);
  socket.onmessage = ({ data }) => onReply(String(data));
  await new Promise((resolve) => (socket.onopen = resolve));
  socket.send('{"cmd":"CreateSession"}');
  const session_id = JSON.parse(await first.promise).session_id ?? "none";
  const meter = new Meter();
  const ask = `{"cmd":"ApplyOperator","session_id":"${session_id}","operator":"ST","params":{"changes":{"tick":`;
  const next = (): void => socket.send(`${ask}${meter.count}}}}`);
  let isStopped = false;
  onReply = () => {
    meter.increment();
    if (!isStopped) next();
  };
  for (let at = 0; at < IN_FLIGHT; at++) next();
  const from = performance.now() + SETTLE_MS; // Why: the first rounds are slow until the code is compiled.
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS + MS));
  isStopped = true;
  socket.close();
  await served.drain();
  return meter.best(from);
}

/** Writes per second of a store alone, with as many at a time as the engine makes. */
async function bareRate(store: Store): Promise<number> {
  const value: Json = { v: 1, sum: "0".repeat(64), events: "x".repeat(700) };
  const meter = new Meter();
  const from = performance.now() + SETTLE_MS;
  const worker = async (): Promise<void> => {
    while (performance.now() < from + MS) {
      await store.put(key("bench", "log", "session", sequence(++puts)), value);
      meter.increment();
    }
  };
  let puts = 0;
  await Promise.all(Array.from({ length: 64 }, worker));
  return meter.best(from);
}

async function withStores<Result>(backend: "fs" | "sqlite", run: (store: Store) => Promise<Result>): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), "neuro-relay-bench-"));
  const { queue } = testSettings((change) => {
    change.queue.backend = backend;
    change.queue.path = join(folder, "store");
  });
  const store = await openStore(queue, { onQuarantine() {} });
  try {
    return await run(store);
  } finally {
    await store.close().catch(() => {});
    await rm(folder, { recursive: true, force: true });
  }
}

const report = (name: string, value: number, unit: string): void =>
  console.log(`${name.padEnd(58)} ${value.toFixed(2)} ${unit}`);

interface Comparison {
  readonly baseline: readonly [name: string, rate: () => Promise<number>];
  readonly relay: readonly [name: string, rate: () => Promise<number>];
  readonly target: string;
}

async function compare({ baseline: [least, rateOfLeast], relay: [name, rateOfOurs], target }: Comparison): Promise<void> {
  const [floors, rates]: [number[], number[]] = [[], []];
  for (let rep = 0; rep < REPS; rep++) {
    floors.push(await rateOfLeast());
    rates.push(await rateOfOurs());
  }
  report(least, median(floors), "/s");
  report(name, median(rates), "/s");
  report(`  ratio (target: ${target})`, median(rates.map((rate, at) => rate / (floors[at] ?? NaN))), "");
}

const compareWithEcho = (): Promise<void> =>
  compare({
    baseline: ["echo", () => rate({ service: supervise(echo), store: new MemoryStore(), persist: false })],
    relay: [
      "ApplyOperator, nothing stored",
      () => rate({ service: supervise(brain), store: new MemoryStore(), persist: false }),
    ],
    target: "0.50",
  });

const compareWithStore = (backend: "fs" | "sqlite"): Promise<void> =>
  compare({
    baseline: [`${backend} alone`, () => withStores(backend, bareRate)],
    relay: [
      `ApplyOperator, stored in ${backend}`,
      () => withStores(backend, (store) => rate({ service: supervise(brain), store, persist: true })),
    ],
    target: "0.80",
  });

function memory(): void {
  Bun.gc(true);
  const before = process.memoryUsage.rss();
  const fixture = new BrainFixture({ persist: false });
  const initial_state = Object.fromEntries(Array.from({ length: 20 }, (_, at) => [`key${at}`, "x".repeat(40)]));
  for (let count = 0, peer = fixture.peer("p"); count < 10_000; count++) {
    if (count % 200 === 0) peer = fixture.peer(`p${count}`);
    fixture.create(peer, { initial_state });
  }
  fixture.observations.length = 0;
  Bun.gc(true);
  report("10,000 sessions of 1 kB (target: below 200)", (process.memoryUsage.rss() - before) / 1_048_576, "MiB");
  if (fixture.harness.state.sessions.size !== 10_000) throw new Error("some are missing");
}

function recovery(): void {
  const fixture = new BrainFixture();
  const ids: string[] = [];
  for (let count = 0, peer = fixture.peer("p"); count < 1_000; count++) {
    if (count % 200 === 0) peer = fixture.peer(`p${count}`);
    ids.push(fixture.create(peer));
    for (let at = 1; at < 100; at++) fixture.merge(peer, ids[count] ?? "", { [`k${at % 7}`]: at });
  }
  const disk: Map<Key, Json> = new Map(fixture.disk);
  const at = performance.now();
  const again = new BrainFixture({ disk, epoch: 2 });
  const peer = again.peer("p");
  const opened = performance.now() - at;
  for (const session_id of ids) again.ask(peer, { cmd: "GetState", session_id });
  report("start with 100,000 events stored", opened, "ms");
  report("  and all 1,000 sessions awake (target: below 5,000)", performance.now() - at, "ms");
}

function prediction(): void {
  const run = runTraining({
    log: divisions(),
    dataset: "bench",
    operation: "safeDiv",
    seed: 1,
    epochs: 1,
    batch: 32,
    rate: 0.001,
    sizes: SIZES.full,
    runId: "bench",
    createdUtc: "2026-01-01T00:00:00Z",
    git: { sha: "nogit", dirty: false },
    environment: {},
    notes: "",
  });
  if (typeof run === "string") throw new Error(run);
  const text = (path: string): string => String(run.files.get(path));
  const artifact = artifactOf({
    run_id: "bench",
    manifest: text("manifest.json"),
    config: text("tokenizer/tokenizer_config.json"),
    vocabularies: perChannel((channel) => text(`tokenizer/${channel}_vocab.txt`)),
    weights: toBase64(run.files.get("model/surrogate.safetensors") as Uint8Array),
  });
  if (typeof artifact === "string" || artifact.net === undefined) throw new Error("no net");
  const { net, vocabularies } = artifact;
  const predictOnce = (): void => {
    const tokens = perChannel((channel) => tokenize(vocabularies[channel], "six over three / 3 m/s"));
    if (Object.values(tokens).every((each) => typeof each !== "string")) {
      predict(net, [0, 0], tokens as Parameters<typeof predict>[2]);
    }
  };
  for (let count = 0; count < 200; count++) predictOnce();
  const at = performance.now();
  for (let count = 0; count < 1_000; count++) predictOnce();
  report("one prediction of the full net (target: below 1)", (performance.now() - at) / 1_000, "ms");
}

const MEASUREMENTS: Readonly<Record<string, () => void | Promise<void>>> = {
  memory,
  recovery,
  prediction,
  echo: compareWithEcho,
  fs: () => compareWithStore("fs"),
  sqlite: () => compareWithStore("sqlite"),
};

if (named.length === 0) {
  // Why one process for each: memory left by one measurement slows the next.
  for (const name of Object.keys(MEASUREMENTS)) {
    await Bun.spawn([process.execPath, import.meta.path, name, "--reps", options.reps], {
      stdio: ["ignore", "inherit", "inherit"],
    })
      .exited;
  }
} else for (const name of named) await MEASUREMENTS[name]?.();
process.exit(0);
