/** The Brain over real sockets and a real store, through crashes. */
import { test } from "#runner";
import { check } from "../../harness/check.ts";
import type { ChildProcess } from "node:child_process";
import { globSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { CliFolder, exitStatus, untilOutput } from "../cli/cli-process.ts";
import { brain } from "../../../src/services/brain/mod.ts";
import { supervise } from "../../../src/relay/mod.ts";
import { Client, testSettings, withRelay } from "./bun-relay.ts";

const QUIET = "intermediary: {enabled: false}\nnakurity-backend: {enabled: false}\nweb: {enabled: false}\n" +
  "brain: {port: 0, artifact: built-in}\nlog: {level: error}\n";
const LISTENING = /LISTENING (ws:\/\/127\.0\.0\.1:\d+)\n[^]*Neuro Relay is ready\n/;

test(
  "BR90 BR95 a client of the original's document works in test mode, with its lines on standard output",
  async () => {
    const place = await CliFolder.make({ "my.yaml": QUIET });
    const relay = place.start(["--config", "my.yaml"], { RELAY_TEST_MODE: "1", RELAY_LOG_JSON: "1" });
    const said = await untilOutput(relay, "stdout", LISTENING);
    const socket = await Client.connect(LISTENING.exec(said)?.[1] ?? "");
    const ask = async (message: object) => JSON.parse(await socket.ask(JSON.stringify(message)));
    const created = await ask({ cmd: "CreateSession", owner: "nexus-ui" });
    check.equal([Object.keys(created), created.type], [["type", "session_id"], "SessionCreated"]);
    const session_id = created.session_id;
    const snapshot = await ask({ cmd: "ApplyOperator", session_id, operator: "ST", params: { changes: { tick: 1 } } });
    check.equal(snapshot, { type: "State.Snapshot", session_id, state: { tick: 1 } });
    check.equal(Object.keys(await ask({ cmd: "ApplyOperator", session_id: "nope", operator: "ST" })), ["error"]);
    check.equal(await ask({ cmd: "Nope" }), { error: "unknown command" });
    socket.send("{");
    check.match(JSON.parse(await socket.next()).error, /Expecting property name enclosed in double quotes/);
    const line = untilOutput(relay, "stdout", /"event": "infer".*\n/);
    const inferred = await ask({
      cmd: "Infer",
      trace_id: "test-123",
      payload: { text: "Hello world", math: "x^2", physics: "9.81 m/s^2" },
    });
    check.equal([inferred.type, inferred.trace_id], ["infer_result", "test-123"]);
    check.equal(inferred.routing, { english: true, math: true, physics: true });
    for (const channel of ["english", "math", "physics"]) check.equal(inferred.tokens[channel].ids.length, 64);
    check.equal(typeof inferred.prediction.value, "number");
    const { event, trace_id, routing, prediction } = JSON.parse((await line).trim().split("\n").at(-1) ?? "");
    check.equal([event, trace_id, routing, prediction], ["infer", "test-123", inferred.routing, inferred.prediction]);
    relay.kill("SIGTERM");
    check.equal(await exitStatus(relay), 0);
    await place.remove();
  },
  { timeoutMs: 60_000 },
);

test("RT16 the lines of predictions can be switched on and off at run time", () =>
  withRelay(
    testSettings(),
    async ({ connect, configure, lines }) => {
      const client = await connect("brain");
      const predict = async (trace_id: string) =>
        void await client.ask(JSON.stringify({ cmd: "Infer", trace_id, payload: {} }));
      const predicted = () => lines.flatMap((line) => (line.startsWith("{") ? [JSON.parse(line).trace_id] : []));
      await predict("before");
      configure(testSettings((change) => (change.brain.log_json = true)));
      await predict("meanwhile");
      configure(testSettings());
      await predict("after");
      check.equal(predicted(), ["meanwhile"]);
    },
    { services: [supervise(brain)] },
  ));

for (const backend of ["fs", "sqlite"] as const) {
  test(
    `BR91 a crash in a burst loses no confirmed operation, three times in a row (${backend})`,
    async () => {
      const place = await CliFolder.make({ "my.yaml": `${QUIET}queue: {backend: ${backend}}\n` });
      let relay = await start(place);
      const { session_id } = JSON.parse(await relay.socket.ask('{"cmd":"CreateSession"}'));
      let sent = 0;
      for (const answersBeforeKill of [1, 100, 300]) {
        const answered = await killInBurst(relay, { session_id, from: sent, answersBeforeKill });
        sent += BURST;
        relay = await start(place);
        const { state, seq, error } = JSON.parse(await relay.socket.ask(JSON.stringify({ cmd: "GetState", session_id })));
        check.equal(error, undefined);
        const latest = Math.max(...Object.values(answered));
        check.that(state.done >= latest, `${latest} was answered, ${state.done} is there`);
        for (const [name, value] of Object.entries(answered)) check.that(state[name] >= value);
        const report = JSON.parse(await relay.socket.ask(JSON.stringify({ cmd: "ReplaySession", session_id })));
        check.equal([report.ok, report.events], [true, seq + 1]);
      }
      relay.process.kill("SIGKILL");
      await exitStatus(relay.process);
      await place.remove();
    },
    { timeoutMs: 60_000 },
  );
}

test("BR37 ReplaySession finds a flipped bit on the disk before and after a restart", async () => {
  const place = await CliFolder.make({ "my.yaml": `${QUIET}queue: {backend: fs, path: store}\n` });
  let relay = await start(place);
  const { session_id } = JSON.parse(await relay.socket.ask('{"cmd":"CreateSession"}'));
  const ask = async (cmd: string, more: object = {}) =>
    JSON.parse(await relay.socket.ask(JSON.stringify({ cmd, session_id, ...more })));
  for (let count = 1; count <= 70; count++) await ask("ApplyOperator", { operator: "ST", params: { changes: { count } } });
  // Why not all: segments that compaction replaced may still exist, and are ignored.
  const files = globSync(`store/entries/brain/{snapshot,log}/${session_id}/*`, { cwd: place.folder })
    .filter((file) => file.includes("/snapshot/") || basename(file) >= "0000000000000064")
    .map((file) => join(place.folder, file));
  check.that(files.length >= 6, `${files.length} files of one session`);
  for (const file of files.slice(0, 6)) {
    const whole = await readFile(file);
    const at = whole.indexOf("SessionCreated") > 0 ? whole.indexOf("SessionCreated") : whole.indexOf("OperatorApplied");
    const flipped = Uint8Array.from(whole);
    flipped[at] = (flipped[at] ?? 0) ^ 1;
    await writeFile(file, flipped);
    const { ok, first_mismatch } = await ask("ReplaySession");
    check.equal([ok, typeof first_mismatch], [false, "number"], file);
    await writeFile(file, whole);
  }
  check.equal((await ask("ReplaySession")).ok, true);
  const last = files.at(-1) ?? "";
  await writeFile(last, (await readFile(last, "utf8")).replace("ST", "SU"));
  relay.process.kill("SIGKILL");
  await exitStatus(relay.process);
  relay = await start(place);
  check.equal((await ask("GetState")).code, "StorageFailed");
  check.equal((await ask("ReplaySession")).ok, false);
  relay.process.kill("SIGKILL");
  await exitStatus(relay.process);
  await place.remove();
}, { timeoutMs: 60_000 });

const BURST = 600;

interface Started {
  readonly process: ChildProcess;
  readonly socket: Client;
}

async function start(place: CliFolder): Promise<Started> {
  const process = place.start(["--config", "my.yaml"], { RELAY_TEST_MODE: "1" });
  const url = LISTENING.exec(await untilOutput(process, "stdout", LISTENING))?.[1] ?? "";
  return { process, socket: await Client.connect(url) };
}

interface Burst {
  readonly session_id: string;
  readonly from: number;
  readonly answersBeforeKill: number;
}

/** Sends many operations at once, kills the relay during its replies, and returns the state of the last reply. */
async function killInBurst({ process, socket }: Started, { session_id, from, answersBeforeKill }: Burst): Promise<State> {
  for (let count = from + 1; count <= from + BURST; count++) {
    const changes = { done: count, [`k${count % 50}`]: count };
    socket.send(JSON.stringify({ cmd: "ApplyOperator", session_id, operator: "ST", params: { changes } }));
  }
  let answered: State = {};
  for (let count = 1; count <= answersBeforeKill; count++) answered = JSON.parse(await socket.next()).state;
  const ended = exitStatus(process);
  process.kill("SIGKILL");
  await socket.closed;
  for (const frame of socket.frames) answered = JSON.parse(String(frame)).state;
  await ended;
  return answered;
}

type State = Record<string, number>;
