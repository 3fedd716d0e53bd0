/** A store that fails and recovers under a running relay: connected peers are served, and senders get refusals. */
import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { inFolder, RelayProcess } from "../harness/relay.ts";
import type { JsonClient } from "../harness/json-client.ts";
import type { Backend, RedisServer } from "./backends.ts";
import { DeliveryLog, violationsIn } from "./delivery-log.ts";
import { connectIntegration, connectWatcher, receive, receiveReply, sendAndReceive, sendCommand, sync } from "./clients.ts";

const COMMANDS = 20;
/** Longer than the store's client takes to find its way back. */
const RECOVERY_MS = 20_000;
/** The volume that is filled up: large enough for the stored entries and for SQLite's log. */
const VOLUME_BYTES = 4 * 1_024 * 1_024;

interface Outage {
  begin(): Promise<void>;
  end(): Promise<void>;
  /** From its beginning to its end, at least. */
  readonly ms: number;
}

/** Redis is killed, and started again after this time. Returns the violations. */
export const redisAway = (redis: RedisServer, awayMs = 0): Promise<readonly string[]> =>
  inFolder((folder) => sitOut(folder, redis.backend, { begin: () => redis.kill(), end: () => redis.start(), ms: awayMs }));

/** Redis hangs for this time, and then continues. Returns the violations. */
export const redisHangs = (redis: RedisServer, hangMs: number): Promise<readonly string[]> =>
  inFolder((folder) =>
    sitOut(folder, redis.backend, {
      begin: () => Promise.resolve(redis.hang()),
      end: () => Promise.resolve(redis.resume()),
      ms: hangMs,
    })
  );

/** Redis hangs during requests, and is then killed: a write that it received and did not confirm may be lost or stored. */
export const redisHangsAndDies = (redis: RedisServer, hangMs: number): Promise<readonly string[]> =>
  inFolder((folder) =>
    sitOut(folder, redis.backend, {
      begin: () => Promise.resolve(redis.hang()),
      end: () => redis.kill().then(() => redis.start()),
      ms: hangMs,
    })
  );

/** A relay that is started while Redis hangs reports that and exits. Returns the violations. */
export function startWhileRedisHangs(redis: RedisServer): Promise<readonly string[]> {
  return inFolder(async (folder) => {
    redis.hang();
    try {
      const started = await RelayProcess.start(folder, redis.backend.sets).catch((error: unknown) => String(error));
      if (typeof started === "string") {
        return /no Redis at .*it did not reply/.test(started) ? [] : [`it said ${JSON.stringify(started)}`];
      }
      await started.stop("SIGKILL");
      return ["it started"];
    } finally {
      redis.resume();
    }
  });
}

/** The disk of the queue fills up, and is cleared. Returns the violations, or the reason why the test cannot run here. */
export const diskFull = (backend: Backend): Promise<readonly string[] | string> =>
  onSmallVolume((folder, volume) => {
    const ballast = join(volume, "ballast");
    const outage: Outage = {
      begin: () => Promise.resolve(fill(ballast)),
      end: () => Promise.resolve(rmSync(ballast)),
      ms: 0,
    };
    return sitOut(folder, { ...backend, sets: [...backend.sets, `queue.path=${join(volume, "queue")}`] }, outage);
  });

/** A relay that is started on a full disk reports that and exits. */
export const startOnFullDisk = (backend: Backend): Promise<readonly string[] | string> =>
  onSmallVolume(async (folder, volume) => {
    fill(join(volume, "ballast"));
    const sets = [...backend.sets, `queue.path=${join(volume, "queue")}`];
    const started = await RelayProcess.start(folder, sets).catch((error: unknown) => String(error));
    if (typeof started !== "string") {
      await started.stop("SIGKILL");
      return ["it started"];
    }
    return /queue: .*(?:full|space)/.test(started) && !started.includes("in use") ? [] : [`it said ${started}`];
  });

/** Runs with a small volume of its own; returns the reason if the machine cannot provide one. */
function onSmallVolume<T>(run: (folder: string, volume: string) => Promise<T>): Promise<T | string> {
  return inFolder(async (folder) => {
    const volume = join(folder, "volume");
    mkdirSync(volume);
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", `size=${VOLUME_BYTES}`, "tmpfs", volume], { stdio: "ignore" });
    } catch {
      return "a small volume cannot be mounted here";
    }
    try {
      return await run(folder, volume);
    } finally {
      execFileSync("umount", [volume]);
    }
  });
}

function fill(ballast: string): void {
  for (let bytes = 65_536; bytes >= 1; bytes /= 2) {
    try {
      for (;;) writeFileSync(ballast, new Uint8Array(bytes), { flag: "a" });
    } catch {
      // Why: it is full for pieces of this size.
    }
  }
}

/** One recipient is connected, another one connects during the outage. After the outage delivery resumes, over a restart as well. */
async function sitOut(folder: string, backend: Backend, outage: Outage): Promise<readonly string[]> {
  const relay = await RelayProcess.start(folder, backend.sets);
  const log = new DeliveryLog();
  const found: string[] = [];
  try {
    const away = await connectIntegration(relay, "lights");
    await sync(away);
    away.close();
    await away.closed;
    const here = await connectIntegration(relay, "jukebox");
    await sync(here);
    const watcher = await connectWatcher(relay);
    found.push(...await expect(watcher, log, { answer: /^queued$/, when: "before" }));
    const from = performance.now();
    await outage.begin();
    found.push(...await expect(watcher, log, { answer: /unavailable|storage/i, when: "during" }));
    found.push(...await serve(watcher, here, log));
    const back = await connectIntegration(relay, "lights");
    await pause(Math.max(0, from + outage.ms - performance.now()));
    await outage.end();
    if (!await isBack(watcher, log)) return [...found, `nothing is queued ${RECOVERY_MS} ms after it is back`];
    const { number } = await sendAndReceive(watcher, "lights", log);
    await receive(back, "lights", { log, until: number });
    await sync(back);
    found.push(...violationsIn(log.counts));
  } finally {
    await relay.stop();
  }
  return [...found, ...await comesAgain(folder, backend, log)];
}

/** Acked and refused messages must not reappear in the next relay. */
async function comesAgain(folder: string, backend: Backend, log: DeliveryLog): Promise<readonly string[]> {
  const relay = await RelayProcess.start(folder, backend.sets);
  try {
    const lights = await connectIntegration(relay, "lights");
    const { number } = await sendAndReceive(await connectWatcher(relay), "lights", log);
    await receive(lights, "lights", { log, until: number });
    const { flagged } = log.counts;
    return [...violationsIn(log.counts), ...(flagged > 0 ? [`${flagged} came again that were acked`] : [])];
  } finally {
    await relay.stop();
  }
}

/** Commands for the absent recipient are answered with this. Why all at once: while a store hangs, each reply is slow. */
async function expect(
  watcher: JsonClient,
  log: DeliveryLog,
  { answer: expected, when }: Expected,
): Promise<readonly string[]> {
  const orders = Array.from({ length: COMMANDS }, () => sendCommand(watcher, "lights", log));
  const said = new Set<string>();
  for (const number of orders) said.add((await receiveReply(watcher, number, log)).reply);
  return [...said].filter((says) => !expected.test(says)).map((says) => `${when} it: answered ${JSON.stringify(says)}`);
}

interface Expected {
  readonly answer: RegExp;
  readonly when: string;
}

/** Connected peers receive messages, whether the store works or not. */
async function serve(watcher: JsonClient, here: JsonClient, log: DeliveryLog): Promise<readonly string[]> {
  for (let count = 0; count < COMMANDS; count++) {
    const { number, reply } = await sendAndReceive(watcher, "jukebox", log);
    if (reply !== "sent") return [`a command to a connected peer was answered ${JSON.stringify(reply)}`];
    await receive(here, "jukebox", { log, until: number });
  }
  return [];
}

async function isBack(watcher: JsonClient, log: DeliveryLog): Promise<boolean> {
  for (const end = performance.now() + RECOVERY_MS; performance.now() < end;) {
    if ((await sendAndReceive(watcher, "lights", log)).reply === "queued") return true;
    await pause(100);
  }
  return false;
}

// Why a real clock: a real store is tested.
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
