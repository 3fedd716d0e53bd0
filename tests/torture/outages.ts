/** A store that goes away and comes back under a running relay: those who are connected are served, senders are told no. */
import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { inFolder, RelayProcess } from "../harness/relay.ts";
import type { Talk } from "../harness/talk.ts";
import type { Backend, RedisServer } from "./backends.ts";
import { breachesIn, Ledger } from "./ledger.ts";
import { command, greetIntegration, greetWatcher, receive, sync } from "./troupe.ts";

const COMMANDS = 20;
/** Longer than the store's client takes to find its way back. */
const RECOVERY_MS = 20_000;
/** The volume that is filled up: large enough for what is stored, and for SQLite's log. */
const VOLUME_BYTES = 4 * 1_024 * 1_024;

interface Outage {
  begin(): Promise<void>;
  end(): Promise<void>;
}

/** Redis is killed, and started again. Returns what went wrong. */
export const redisAway = (redis: RedisServer): Promise<readonly string[]> =>
  inFolder((folder) => sitOut(folder, redis.backend, { begin: () => redis.kill(), end: () => redis.start() }));

/** The disk that the queue is on gets full, and is cleared. Returns what went wrong, or why it could not be tried. */
export function diskFull(backend: Backend): Promise<readonly string[] | string> {
  return inFolder(async (folder) => {
    const volume = join(folder, "volume");
    mkdirSync(volume);
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", `size=${VOLUME_BYTES}`, "tmpfs", volume], { stdio: "ignore" });
    } catch {
      return "a small volume cannot be mounted here";
    }
    const ballast = join(volume, "ballast");
    const outage: Outage = {
      begin: () => Promise.resolve(fill(ballast)),
      end: () => Promise.resolve(rmSync(ballast)),
    };
    try {
      return await sitOut(folder, { ...backend, sets: [...backend.sets, `queue.path=${join(volume, "queue")}`] }, outage);
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

async function sitOut(folder: string, backend: Backend, outage: Outage): Promise<readonly string[]> {
  const relay = await RelayProcess.start(folder, backend.sets);
  const ledger = new Ledger();
  const found: string[] = [];
  try {
    const away = await greetIntegration(relay, "lights");
    await sync(away);
    away.close();
    await away.closed;
    const here = await greetIntegration(relay, "jukebox");
    await sync(here);
    const watcher = await greetWatcher(relay);
    found.push(...await expect(watcher, ledger, { answer: /^queued$/, when: "before" }));
    await outage.begin();
    found.push(...await expect(watcher, ledger, { answer: /unavailable|storage/i, when: "during" }));
    found.push(...await serve(watcher, here, ledger));
    await outage.end();
    if (!await isBack(watcher, ledger)) return [...found, `nothing is queued ${RECOVERY_MS} ms after it is back`];
    const back = await greetIntegration(relay, "lights");
    const { number } = await command(watcher, "lights", ledger);
    await receive(back, "lights", { ledger, until: number });
    return [...found, ...breachesIn(ledger.tally)];
  } finally {
    await relay.stop();
  }
}

/** What is for the one that is away is answered like this. */
async function expect(watcher: Talk, ledger: Ledger, { answer, when }: Expected): Promise<readonly string[]> {
  const said = new Set<string>();
  for (let count = 0; count < COMMANDS; count++) said.add((await command(watcher, "lights", ledger)).says);
  return [...said].filter((says) => !answer.test(says)).map((says) => `${when} it: answered ${JSON.stringify(says)}`);
}

interface Expected {
  readonly answer: RegExp;
  readonly when: string;
}

/** Whoever is connected gets what is sent, store or no store. */
async function serve(watcher: Talk, here: Talk, ledger: Ledger): Promise<readonly string[]> {
  for (let count = 0; count < COMMANDS; count++) {
    const { number, says } = await command(watcher, "jukebox", ledger);
    if (says !== "sent") return [`a command to a connected peer was answered ${JSON.stringify(says)}`];
    await receive(here, "jukebox", { ledger, until: number });
  }
  return [];
}

async function isBack(watcher: Talk, ledger: Ledger): Promise<boolean> {
  for (const end = performance.now() + RECOVERY_MS; performance.now() < end;) {
    if ((await command(watcher, "lights", ledger)).says === "queued") return true;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return false;
}
