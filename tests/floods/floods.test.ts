/** While clients flood a listener, `/health` and the kill switch answer. Real processes, real sockets. */
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { execPath } from "node:process";
import { test } from "#runner";
import { check } from "../harness/check.ts";
import { ROOT, RUNNERS } from "../harness/machine.ts";
import { inFolder } from "../harness/relay.ts";
import { FLOODS } from "./floods.ts";

const ANSWER_MS = 100;
const ROUND_MS = 1_000;
/** Why several: other programs use this machine as well. */
const ROUNDS = 5;
const TOKEN = "token-of-the-floods";

interface Relay {
  readonly pid: number;
  portOf(title: string): number;
}

const TITLES = { intermediary: "Intermediary", neuro: "Nakurity Backend", brain: "Brain", web: "Web" } as const;

/** Runs `run` with a relay of its own. */
async function withRelay(
  runner: readonly string[],
  run: (relay: Relay) => Promise<void>,
  more: readonly string[] = [],
): Promise<void> {
  await inFolder(async (folder) => {
    const ports = ["intermediary.port=0", "nakurity-backend.port=0", "web.port=0", "brain.port=0"];
    const sets = [...ports, "queue.backend=memory", `web.token=${TOKEN}`, ...more].flatMap((set) => ["--set", set]);
    const [program = "", ...words] = runner;
    const child = spawn(program, [...words, join(ROOT, "src/cli/main.ts"), "serve", ...sets], {
      cwd: folder,
      stdio: ["ignore", "pipe", "ignore"],
    });
    let text = "";
    await new Promise<void>((resolve) =>
      child.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
        if (text.includes("is ready")) resolve();
      })
    );
    const portOf = (title: string) => Number(new RegExp(`\\[${title}\\] listening on \\S+:(\\d+)`).exec(text)?.[1]);
    try {
      await run({ pid: child.pid ?? 0, portOf });
    } finally {
      child.kill("SIGKILL");
    }
  });
}

/** Milliseconds of processor time that the relay's main thread has used, or those of the clock where the system does not count it. */
function usedMs(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/schedstat`, "utf8").split(" ")[0]) / 1e6;
  } catch {
    return performance.now();
  }
}

/** The work of the relay until it answers, in ms: less than the time where other programs use the processor. */
async function answerMs(relay: Relay, ask: () => Promise<Response>): Promise<number> {
  const [began, used] = [performance.now(), usedMs(relay.pid)];
  const response = await ask();
  check.equal(response.status, 200);
  await response.arrayBuffer();
  return Math.min(performance.now() - began, usedMs(relay.pid) - used);
}

const median = (values: readonly number[]): number =>
  values.toSorted((one, other) => one - other)[values.length >> 1] ?? NaN;

/** The median times until `/health` and the kill switch answer, in the best of several rounds. */
async function answers(relay: Relay): Promise<{ health: number; stop: number }> {
  const web = `http://127.0.0.1:${relay.portOf(TITLES.web)}`;
  const headers = { authorization: `Bearer ${TOKEN}`, "content-type": "application/json", connection: "close" };
  const body = JSON.stringify({ stopped: true });
  let found = { health: NaN, stop: NaN };
  for (let round = 0; round < ROUNDS; round++) {
    const [health, stop]: [number[], number[]] = [[], []];
    const end = performance.now() + ROUND_MS;
    while (performance.now() < end || stop.length < 5) {
      health.push(await answerMs(relay, () => fetch(`${web}/health`, { headers: { connection: "close" } })));
      stop.push(await answerMs(relay, () => fetch(`${web}/api/controls`, { method: "PATCH", headers, body })));
    }
    found = { health: median(health), stop: median(stop) };
    if (found.health <= ANSWER_MS && found.stop <= ANSWER_MS) return found;
  }
  return found;
}

async function checkAnswers(relay: Relay): Promise<void> {
  const { health, stop } = await answers(relay);
  check.that(health <= ANSWER_MS, `/health took ${health} ms`);
  check.that(stop <= ANSWER_MS, `the kill switch took ${stop} ms`);
}

function startFlood(kind: string, port: number): Promise<ChildProcess> {
  const child = spawn(execPath, [join(ROOT, "tests/floods/flood-client.ts"), kind, String(port)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  return new Promise((resolve) => child.stdout?.once("data", () => resolve(child)));
}

for (const [name, runner] of Object.entries(RUNNERS)) {
  for (const [kind, { listener }] of Object.entries(FLOODS)) {
    test(
      `SE58 /health and the kill switch answer within ${ANSWER_MS} ms under a flood of ${kind} (${name})`,
      () =>
        withRelay(runner, async (relay) => {
          const flood = await startFlood(kind, relay.portOf(TITLES[listener]));
          try {
            await checkAnswers(relay);
          } finally {
            flood.kill("SIGKILL");
          }
        }),
      { timeoutMs: 60_000 },
    );
  }
  test(`SE58b /health and the kill switch answer within ${ANSWER_MS} ms while a backend floods (${name})`, async () => {
    const backend = spawn(execPath, [join(ROOT, "tests/floods/flood-backend.ts")], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const port = await new Promise<number>((resolve) => backend.stdout?.once("data", (data) => resolve(Number(data))));
    try {
      await withRelay(runner, checkAnswers, [`nakurity-client.url=ws://127.0.0.1:${port}`]);
    } finally {
      backend.kill("SIGKILL");
    }
  }, { timeoutMs: 60_000 });
}
