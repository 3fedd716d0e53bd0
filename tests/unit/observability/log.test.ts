/** The content of the log, and the data that it must not contain. */
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "#runner";
import { DEFAULTS } from "../../../src/core/defaults.ts";
import { type DiagnosticId, DIAGNOSTICS } from "../../../src/core/diagnostics/catalogue.ts";
import type { Observation } from "../../../src/core/observation.ts";
import type { LogMessage } from "../../../src/observability/log-messages.ts";
import type { LogSettings } from "../../../src/core/settings.ts";
import { createMetrics, createObserver, LineBuffer, openLog, predictionLine } from "../../../src/observability/mod.ts";
import { oneLine, quoted } from "../../../src/observability/log-text.ts";
import { check } from "../../harness/check.ts";
import { denoPath } from "../../harness/machine.ts";

/** The lines of these observations. */
async function linesOf(observations: readonly Observation[], settings: Partial<LogSettings> = {}): Promise<string[]> {
  const lines: string[] = [];
  const log = await openLog({ ...DEFAULTS.log, ...settings }, (line) => lines.push(line));
  const { observe } = createObserver(log, createMetrics(), { now: () => Date.UTC(2030, 0, 2, 3, 4, 5), after: () => {} });
  for (const observation of observations) observe(observation);
  await log.close();
  return lines;
}

const connected = (name: string): Observation => ({ is: "integration_connected", name });
const SENT: Observation = {
  is: "action_sent",
  id: "1",
  name: "jump",
  to: ["Chess"],
  slugs: ["chess"],
  forced: false,
  data: "PAYLOAD",
};

test("OB1 an observation is one readable line: time, level, source, message", async () => {
  check.equal(await linesOf([connected("Spotify"), { is: "store_failed", key: "k", reason: "disk full" }]), [
    '2030-01-02T03:04:05.000Z INFO    [intermediary] integration "Spotify" connected',
    '2030-01-02T03:04:05.000Z ERROR   [relay] store operation failed at "k": "disk full"',
  ]);
});

test("DI11 the first occurrence of a diagnostic is one line, unless another line reports it", async () => {
  const seen = (what: DiagnosticId, count: number): Observation => ({
    is: "diagnostic",
    from: "Chess",
    slug: "chess",
    what,
    severity: DIAGNOSTICS[what].severity,
    detail: "PAYLOAD",
    count,
    message: "MESSAGE",
  });
  const lines = await linesOf([
    seen("unregister_unknown", 1),
    seen("unregister_unknown", 2),
    seen("numeric_id", 1),
    seen("result_missing", 1),
    seen("startup_late", 1),
  ]);
  check.equal(lines, [
    '2030-01-02T03:04:05.000Z WARNING [neuro] warning "unregister_unknown" in "Chess": "check the names: no such action was registered on this connection or before: PAYLOAD"',
    '2030-01-02T03:04:05.000Z INFO    [neuro] info "startup_late" in "Chess": "send `startup` as soon as the connection is open: PAYLOAD"',
  ]);
});

test("OB2 with log.format json a line is a JSON object with names and numbers as properties", async () => {
  const lost: Observation = { is: "upstream_lost", upstream: "neuro", reason: "gone {x}", retry_ms: 500 };
  const [line = ""] = await linesOf([lost], { format: "json" });
  const record = JSON.parse(line);
  check.equal(
    [record.level, record.logger, record.observation, record.upstream, record.retry_ms],
    ["WARN", "relay.neuro", "upstream_lost", "neuro", 500],
  );
  check.equal(record.message, 'lost connection to "neuro", reconnecting in 500 ms: "gone {x}"');
});

test("OB3 levels are set for all sources and for each", async () => {
  check.equal(await linesOf([SENT]), []);
  check.equal((await linesOf([SENT], { level: "debug" })).length, 1);
  check.equal((await linesOf([SENT, connected("x")], { level: "error", levels: { neuro: "debug" } })).length, 1);
  check.equal(await linesOf([connected("x")], { levels: { intermediary: "warning" } }), []);
});

test("OB3 levels change at run time", async () => {
  const lines: string[] = [];
  const log = await openLog(DEFAULTS.log, (line) => lines.push(line));
  const { observe } = createObserver(log, createMetrics(), { now: () => 0, after: () => {} });
  observe(SENT);
  log.configure({ ...DEFAULTS.log, level: "debug" });
  observe(SENT);
  check.equal(lines.length, 1);
  await log.close();
});

test("OB4 text from a peer can neither break its line nor look like a message of the relay", async () => {
  const name = 'x"\n2030-01-02T03:04:05.000Z ERROR [relay] all is lost\r\u001b[31m\u202e{0}';
  for (const format of ["text", "json"] as const) {
    const lines = await linesOf([connected(name), {
      is: "greeting_refused",
      fault: "badToken",
      address: name,
      reason: name,
    }], {
      format,
    });
    check.equal(lines.length, 2);
    // deno-lint-ignore no-control-regex
    for (const line of lines) check.that(!/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e]/.test(line), line);
  }
  check.equal(quoted('say "a\\b"\n'), String.raw`"say \"a\\b\"\u000a"`);
});

test("OB4 a line has a limited length, whatever the name of a peer", async () => {
  const [line = ""] = await linesOf([connected("x".repeat(1_000_000))]);
  check.that(line.length < 500, String(line.length));
  check.that(oneLine("y".repeat(100_000)).length < 2_100);
});

test("OB5 no line above debug contains a payload, in either format", async () => {
  const payload = "PAYLOAD";
  const observations: Observation[] = [
    { is: "integration_message", from: "a", payload },
    { is: "backend_message", payload },
    { is: "add_context", id: "1-1", game_title: "a", message: payload, reply_if_not_busy: false },
    { is: "choose_action", payload: { payload } },
    SENT,
    {
      is: "action_result",
      id: "1",
      name: "jump",
      from: "a",
      success: false,
      message: payload,
      ms: 1,
      origin: "game",
    },
    {
      is: "force_opened",
      id: "f1",
      integration: "a",
      slug: "a",
      query: payload,
      names: ["jump"],
      priority: "low",
      waited: 0,
    },
  ];
  for (const format of ["text", "json"] as const) {
    const lines = await linesOf(observations, { format });
    check.equal(lines.length, 1);
    check.equal(lines.filter((line) => line.includes(payload)), []);
  }
});

for (const runtime of ["bun", "deno"] as const) {
  test(`OB7 on ${runtime} a log file is rotated, and complete when the log is closed`, async () => {
    const folder = await mkdtemp(join(tmpdir(), "neuro-relay-log-"));
    const file = join(folder, "relay.log");
    const script = join(import.meta.dirname, "rotate.ts");
    const rights = [`--allow-read=${folder}`, `--allow-write=${folder}`, "--allow-env"];
    const command = runtime === "bun"
      ? [process.execPath, script, file]
      : [denoPath(), "run", "--no-prompt", ...rights, script, file];
    const { stderr, exitCode } = Bun.spawnSync(command, { stderr: "pipe" });
    check.equal(exitCode, 0, String(stderr));
    check.equal((await readdir(folder)).sort(), ["relay.log", "relay.log.1"]);
    const [first, second] = [await readFile(`${file}.1`, "utf8"), await readFile(file, "utf8")];
    check.that(first.length <= 10 * 1_024 * 1_024, "a file has a bound");
    const numbers = `${first}${second}`.trimEnd().split("\n").map((line) => Number(/\] (\d+) z/.exec(line)?.[1]));
    check.equal(numbers, Array.from({ length: 6_000 }, (_, at) => at));
    await rm(folder, { recursive: true });
  }, { timeoutMs: 60_000 });
}

/** A log with a virtual clock, and a source of refusals. */
async function flood(settings: Partial<LogSettings> = {}) {
  const lines: string[] = [];
  const timers: { readonly at: number; readonly run: () => void }[] = [];
  let now = 0;
  const log = await openLog({ ...DEFAULTS.log, ...settings }, (line) => lines.push(line));
  const metrics = createMetrics();
  const observing = createObserver(log, metrics, {
    now: () => now,
    after: (ms, run) => timers.push({ at: now + ms, run }),
  });
  const refuse = (times: number, fault: "badToken" | "notAllowed" = "badToken") => {
    for (let at = 0; at < times; at++) {
      observing.observe({ is: "greeting_refused", fault, address: "10.0.0.1", reason: "no" });
    }
  };
  const pass = (ms: number) => {
    now += ms;
    for (const timer of timers.splice(0)) timer.at <= now ? timer.run() : timers.push(timer);
  };
  return { lines, timers, log, metrics, observing, refuse, pass };
}

test("OB29 a flood of refusals writes 20 lines and a summary; all are counted", async () => {
  const { lines, timers, log, metrics, observing, refuse, pass } = await flood();
  refuse(1_000);
  check.equal([lines.length, timers.length], [20, 1]);
  observing.observe(connected("x"));
  check.equal(lines.length, 21);
  refuse(1, "notAllowed");
  check.equal(lines.splice(21).length, 1, "another fault is not hidden");
  pass(10_000);
  check.equal(lines.slice(21), [
    "1970-01-01T00:00:10.000Z WARNING [relay] refused connections (badToken): 980 more in the last 10 s",
  ]);
  refuse(5);
  pass(10_000);
  check.equal(lines.length, 27);
  refuse(30);
  observing.close();
  check.match(lines.at(-1) ?? "", /: 10 more/);
  check.equal(lines.length, 48);
  check.that(metrics.registry.text().includes('neuro_relay_refusals_total{fault="badToken"} 1035'));
  await log.close();
});

test("OB29 a window whose timer is late ends with the next observation, and the summary has the format of the log", async () => {
  const { lines, timers, log, refuse, pass } = await flood({ format: "json" });
  refuse(25);
  timers.length = 0;
  pass(60_000);
  refuse(1);
  check.equal(lines.length, 22);
  const { observation, suppressed, level } = JSON.parse(lines[20] ?? "");
  check.equal([observation, suppressed, level], ["greeting_refused", 5, "WARN"]);
  await log.close();
});

test("OB29 the work of integrations has 200 lines, and lines below the level do not count", async () => {
  const { lines, log, observing, refuse, pass } = await flood({ level: "error" });
  refuse(1_000);
  pass(10_000);
  check.equal(lines, []);
  log.configure({ ...DEFAULTS.log, level: "info" });
  for (let at = 0; at < 200; at++) observing.observe(connected(`${at}`));
  check.equal(lines.length, 200);
  for (let at = 0; at < 50; at++) observing.observe(connected("again and again"));
  check.equal(lines.length, 200);
  pass(10_000);
  check.match(lines.at(-1) ?? "", /integrations connected: 50 more in the last 10 s$/);
  await log.close();
});

test("OB29c a line above debug without a limit does not compile, and one that is repeated every second is a few lines a minute", async () => {
  // @ts-expect-error -- Why: whatever happens once can happen again.
  const unlimited: LogMessage<Observation> = { level: "info", source: "relay", text: () => "" };
  check.equal(unlimited.limit, undefined);
  const { lines, log, observing, pass } = await flood();
  const repeated: readonly Observation[] = [
    { is: "nallely_drifted", name: "n", listed: true, missing: ["a"], extra: [], changed: [] },
    { is: "nallely_refused", reason: "the URL" },
    { is: "artifact_refused", run_id: "r", why: "no file" },
    { is: "upstream_silent", upstream: "neuro", ms: 1 },
    { is: "lines_dropped", output: "stderr", lines: 1 },
  ];
  for (let second = 0; second < 60; second++) {
    for (const observation of repeated) observing.observe(observation);
    pass(1_000);
  }
  check.that(lines.length <= 6 * repeated.length, String(lines.length));
  await log.close();
});

test("OB29 operator commands, approvals and sealed sessions are limited as well", async () => {
  const { lines, log, observing, pass } = await flood();
  for (let at = 0; at < 300; at++) {
    observing.observe({ is: "operator_acted", by: "watcher", did: "command", to: `${at}`, outcome: "notFound" });
    observing.observe({ is: "session_sealed", session: `${at}` });
    observing.observe({
      is: "approval_wanted",
      id: `${at}`,
      name: "a",
      to: ["Chess"],
      slugs: ["chess"],
      forced: false,
      data: undefined,
    });
  }
  check.equal(lines.length, 600);
  pass(10_000);
  check.equal(lines.slice(600).map((line) => /: (\d+) more/.exec(line)?.[1]), ["100", "100", "100"]);
  await log.close();
});

test("OB29b repeated losses of a connection are logged at most five times a minute for each upstream", async () => {
  const { lines, log, observing, pass } = await flood();
  for (let at = 0; at < 60; at++) {
    for (const upstream of ["neuro", "evil"]) {
      observing.observe({ is: "upstream_lost", upstream, reason: "no", retry_ms: 1_000 });
    }
    pass(1_000);
  }
  check.equal(lines.length, 12);
  check.match(lines.at(-1) ?? "", /lost connections to an upstream \(evil\): 55 more in the last 60 s$/);
  await log.close();
});

test("OB30 a token is hidden wherever it occurs: in a name, a reason, a list, a property", async () => {
  for (const format of ["text", "json"] as const) {
    const lines: string[] = [];
    const log = await openLog({ ...DEFAULTS.log, format }, (line) => lines.push(line));
    log.secrets.learn(["CANARY-token"]);
    const { observe } = createObserver(log, createMetrics(), { now: () => 0, after: () => {} });
    observe(connected("x CANARY-token"));
    observe({ is: "greeting_refused", fault: "badToken", address: "CANARY-token", reason: "CANARY-token" });
    observe({ is: "integration_registered_actions", from: "CANARY-token", actions: ["CANARY-token"] });
    check.equal(lines.length, 3);
    for (const line of lines) check.that(!line.includes("CANARY") && line.includes("***"), line);
    await log.close();
  }
});

test("OB11 a prediction can be printed as the original Brain relay does", () => {
  const routing = { english: true, math: false, physics: true };
  check.equal(
    predictionLine({ is: "inferred", trace_id: { a: ["é", null] }, routing, value: 0.25 }),
    String.raw`{"event": "infer", "trace_id": {"a": ["\u00e9", null]}, ` +
      '"routing": {"english": true, "math": false, "physics": true}, "prediction": {"value": 0.25}}',
  );
});

/** A buffer whose turns and writes end when the test ends them. */
function heldBuffer() {
  const written: string[] = [];
  const turns: (() => void)[] = [];
  const writes: (() => void)[] = [];
  const dropped: number[] = [];
  const lines = new LineBuffer({
    write: (text) => new Promise((resolve) => written.push(text) > 0 && writes.push(resolve)),
    afterTurn: (run) => turns.push(run),
    dropped: (count) => dropped.push(count),
  });
  const endTurn = () => {
    for (const turn of turns.splice(0)) turn();
  };
  const endWrite = async () => {
    writes.shift()?.();
    await new Promise((resolve) => setTimeout(resolve, 0));
  };
  return { lines, written, dropped, endTurn, endWrite };
}

test("OB12 lines of one turn are written together and in order, and earlier when there are many", async () => {
  const { lines, written, endTurn, endWrite } = heldBuffer();
  lines.add("a");
  lines.add("b");
  check.equal(written, []);
  endTurn();
  check.equal(written, ["a\nb\n"]);
  await endWrite();
  lines.add("c");
  lines.add("x".repeat(100_000));
  check.equal(written.length, 2);
  endTurn();
  check.equal(written.length, 2);
});

test("OB32 while nobody reads, 1 MiB of lines waits; further lines are dropped, counted and reported", async () => {
  const { lines, written, dropped, endTurn, endWrite } = heldBuffer();
  lines.add("first");
  endTurn();
  for (let at = 0; at < 3_000; at++) lines.add(`${at} ${"x".repeat(1_000)}`);
  check.equal([written.length, dropped], [1, []]);
  await endWrite();
  check.equal(written.length, 2);
  const [, second = ""] = written;
  check.that(second.length <= 1_048_576 + 2_000 && second.startsWith("0 x"), `${second.length}`);
  check.equal(dropped, [3_000 - second.trimEnd().split("\n").length]);
  await endWrite();
  lines.add("last");
  endTurn();
  check.equal(written.at(-1), "last\n");
});

test("OB32b closing waits for the write in progress, up to its time limit", async () => {
  const { lines, written, endWrite } = heldBuffer();
  lines.add("a");
  const closed = lines.close(60_000);
  check.equal(written, ["a\n"]);
  await endWrite();
  await closed;
  lines.add("b");
  await lines.close(1);
  check.equal(written, ["a\n", "b\n"]);
});

test("OB33 in a terminal errors are red, warnings yellow and details grey; JSON and files have no colors", async () => {
  for (const [format, isTerminal] of [["text", true], ["text", false], ["json", true]] as const) {
    const lines: string[] = [];
    const log = await openLog({ ...DEFAULTS.log, level: "debug", format }, (line) => lines.push(line), { isTerminal });
    for (const level of ["debug", "info", "warning", "error"] as const) {
      log.write({ source: "neuro", level, text: "text", at: 0 });
    }
    await log.close();
    // deno-lint-ignore no-control-regex -- Why: the codes of a terminal begin with this character.
    const codes = lines.map((line) => /^\x1b\[(\d+)m.*\x1b\[0m$/.exec(line)?.[1]);
    check.equal(codes, format === "text" && isTerminal ? ["90", undefined, "33", "31"] : lines.map(() => undefined));
  }
});
