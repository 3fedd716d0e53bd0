/** Recording a relay that runs, and playing the recording to another one and to a game. */
import process from "node:process";
import { test } from "#runner";
import { spawn } from "node:child_process";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { conversationsIn, readRecording, type RecordedSession, selectConversation } from "../../../src/recording/mod.ts";
import { check } from "../../harness/check.ts";
import { denoPath } from "../../harness/machine.ts";
import { inFolder, RelayProcess } from "../../harness/relay.ts";
import { JsonClient } from "../../harness/json-client.ts";
import { CliFolder, exitStatus, MAIN, untilOutput } from "./cli-process.ts";

const MINUTE = { timeoutMs: 60_000 };
/** Decides at once, and always the same. */
const DECIDED = ["nakurity-backend.decider=first", "nakurity-backend.choice_timeout=100ms"];

/** A game that asks for one move and makes it. */
async function replayGame(url: string, game: string, says = "moved"): Promise<unknown> {
  const client = await JsonClient.open(url);
  const tell = (command: string, data?: object) => client.send({ command, game, ...(data !== undefined && { data }) });
  tell("startup");
  const schema = { type: "object", properties: { to: { type: "string", enum: ["e4", "d4"] } }, required: ["to"] };
  tell("actions/register", { actions: [{ name: `${game}_move`, description: "Move.", schema }] });
  tell("actions/force", { query: "Your move.", action_names: [`${game}_move`] });
  const { data } = await client.next(({ command }) => command === "action");
  tell("action/result", { id: data.id, success: true, message: says });
  tell("context", { message: "thank you", silent: true });
  await new Promise((resolve) => setTimeout(resolve, 300)); // Why: what it said last is on its way.
  client.close();
  return { name: data.name, data: data.data };
}

const sessionIn = async (file: string): Promise<RecordedSession> => {
  const session = readRecording(await readFile(file, "utf8")).at(-1);
  if (session === undefined) throw new Error("no session");
  return session;
};

/** Which actions a game was asked for and how it answered, without ids. */
function exchanges(session: RecordedSession, game: string): readonly string[] {
  const found = selectConversation(conversationsIn(session), { game });
  if (typeof found === "string") throw new Error(found);
  return found.transcript.flatMap(({ frame }) => {
    const { command, data } = JSON.parse(String(frame));
    if (command === "action") return [`${data.name} ${data.data}`];
    return command === "action/result" ? [`${data.success} ${data.message}`] : [];
  });
}

test("OB23 a session of games and a Neuro is recorded and played again, to another relay and to a game", async () => {
  await inFolder(async (folder) => {
    const [file, again] = [join(folder, "session.jsonl"), join(folder, "again.jsonl")];
    const neuro = await RelayProcess.start(folder, [...DECIDED, "queue.path=a"]);
    const sets = [`nakurity-client.url=${neuro.urls.neuro}`, `record.file=${file}`, "queue.path=b"];
    const relay = await RelayProcess.start(folder, sets);
    const [move] = [await replayGame(relay.urls.neuro, "chess"), await replayGame(relay.urls.neuro, "go")];
    check.equal(move, { name: "chess_move", data: '{"to":"e4"}' });
    check.equal([await relay.stop(), await neuro.stop()], [0, 0]);
    check.equal((await stat(file)).mode & 0o777, 0o600);
    const session = await sessionIn(file);
    check.equal([session.end, session.unreadable], ["ended", 0]);
    check.equal(conversationsIn(session).map(({ at, game }) => `${at} ${game}`).sort(), [
      "neuro chess",
      "neuro go",
      "neuro:neuro Relay Integration",
    ]);

    const fresh = await RelayProcess.start(folder, [...DECIDED, `record.file=${again}`, "queue.path=c"]);
    const place = await CliFolder.make();
    const replay = ["replay", file, "--speed", "max", "--strict", "--patience", "5"];
    const played = await place.run([...replay, "--as", "game", "--game", "chess", "--to", fresh.urls.neuro]);
    check.equal([played.status, played.out, played.errors], [
      0,
      "4 of 4 messages played, 2 facts as recorded, 0 different\n",
      "",
    ]);
    check.equal(await fresh.stop(), 0);
    check.equal(exchanges(await sessionIn(again), "chess"), exchanges(session, "chess"));

    for (
      const [says, status, out] of [["moved", 0, /, 0 different\n$/], [
        "no",
        1,
        /^different result of go_move .*"no"/,
      ]] as const
    ) {
      const backend = place.start([...replay, "--as", "backend", "--game", "go", "--listen", "127.0.0.1:0", "--trace"]);
      const ended = exitStatus(backend);
      let [report, trace] = ["", ""];
      backend.stdout?.setEncoding("utf8").on("data", (text: string) => (report += text));
      backend.stderr?.setEncoding("utf8").on("data", (text: string) => (trace += text));
      const url = /ws:\S+/.exec(await untilOutput(backend, "stderr", /play the game at ws:\S+\n/))?.[0] ?? "";
      check.equal(await replayGame(url, "go", says), { name: "go_move", data: '{"to":"e4"}' });
      check.equal(await ended, status);
      check.match(report, out);
      check.match(trace, /^> \{"command":"action",.*"go_move"/m);
      check.match(trace, new RegExp(`^< \\{"command":"action/result",.*"${says}"`, "m"));
    }
    const stopped = place.start([...replay, "--as", "backend", "--game", "go", "--listen", "127.0.0.1:0"]);
    const said = untilOutput(stopped, "stdout", /nothing was played: stopped\n/);
    await untilOutput(stopped, "stderr", /play the game at/);
    stopped.kill("SIGTERM");
    check.equal([await exitStatus(stopped), await said], [1, "nothing was played: stopped\n"]);
    await place.remove();
  });
}, MINUTE);

test("OB23 on Deno, too, a session is recorded, and played to a game", async () => {
  const place = await CliFolder.make();
  // Why this folder for state: a queue without a path is there, and that of the user may hold a relay that is stopped.
  const env = { ...process.env, XDG_STATE_HOME: place.folder };
  const deno = (...words: readonly string[]) =>
    spawn(denoPath(), ["run", "-A", "--no-check", "--node-modules-dir=manual", MAIN, ...words], { cwd: place.folder, env });
  const ports = ["intermediary.port=0", "nakurity-backend.port=0", "brain.enabled=false", "web.enabled=false"];
  const relay = deno("serve", "--record", "session.jsonl", ...[...ports, ...DECIDED].flatMap((set) => ["--set", set]));
  const url = /\[Nakurity Backend\] listening on (\S+)/.exec(await untilOutput(relay, "stdout", /is ready/))?.[1] ?? "";
  await replayGame(url, "chess");
  relay.kill("SIGTERM");
  check.equal(await exitStatus(relay), 0);
  const file = join(place.folder, "session.jsonl");
  check.equal((await stat(file)).mode & 0o777, 0o600);
  const session = await sessionIn(file);
  check.equal([session.end, exchanges(session, "chess")], ["ended", ['chess_move {"to":"e4"}', "true moved"]]);
  const backend = deno("replay", file, "--as", "backend", "--listen", "127.0.0.1:0", "--speed", "max", "--strict");
  const ended = exitStatus(backend);
  const address = /ws:\S+/.exec(await untilOutput(backend, "stderr", /play the game at ws:\S+\n/))?.[0] ?? "";
  await replayGame(address, "chess");
  check.equal(await ended, 0);
  await place.remove();
}, MINUTE);

test(
  "OB16 what was said until a relay is killed is in its recording, and the next one goes on in the same file",
  async () => {
    await inFolder(async (folder) => {
      const file = join(folder, "session.jsonl");
      const first = await RelayProcess.start(folder, [...DECIDED, `record.file=${file}`]);
      await replayGame(first.urls.neuro, "chess");
      await first.stop("SIGKILL");
      await writeFile(file, `${(await readFile(file, "utf8")).trimEnd()}\n{"t":1,"pe`);
      const second = await RelayProcess.start(folder, [...DECIDED, `record.file=${file}`]);
      await replayGame(second.urls.neuro, "go");
      await second.stop();
      const [killed, stopped] = readRecording(await readFile(file, "utf8"));
      check.equal([killed?.end, killed?.unreadable, stopped?.end, stopped?.unreadable], [undefined, 1, "ended", 0]);
      for (const [session, game] of [[killed, "chess"], [stopped, "go"]] as const) {
        check.equal(session === undefined ? [] : exchanges(session, game), [`${game}_move {"to":"e4"}`, "true moved"]);
      }
    });
  },
  MINUTE,
);

test("OB15 a recording that is full ends, the log reports that once, and the relay continues", async () => {
  const place = await CliFolder.make();
  const ports = ["intermediary.port=0", "nakurity-backend.port=0", "brain.enabled=false", "web.enabled=false"];
  const sets = [...ports, ...DECIDED, "record.bytes=4KiB"].flatMap((set) => ["--set", set]);
  const relay = place.start(["serve", "--record", "my session.jsonl", ...sets]);
  let log = "";
  relay.stderr?.setEncoding("utf8").on("data", (text: string) => (log += text));
  const url = /\[Nakurity Backend\] listening on (\S+)/.exec(await untilOutput(relay, "stdout", /is ready/))?.[1] ?? "";
  for (let at = 0; at < 4; at++) await replayGame(url, `game${at}`);
  relay.kill("SIGTERM");
  check.equal(await exitStatus(relay), 0);
  check.equal(log.match(/recording to ".*my session\.jsonl" stopped \(full\): "record\.bytes is 4096"/g)?.length, 1);
  const text = await readFile(join(place.folder, "my session.jsonl"), "utf8");
  check.that(text.length > 2_000 && text.length < 4_200, String(text.length));
  check.equal(readRecording(text).at(-1)?.end, "full");
  await place.remove();
}, MINUTE);

test("OB22 replay lists the connections of a recording, and reports an invalid argument in one line", async () => {
  const line = { t: 1, peer: 1, listener: "neuro" };
  const startup = (game: string) => JSON.stringify({ command: "startup", game });
  const lines = [
    { v: 1, relay: "9.9.9", started_at: "2030-01-01T00:00:00.000Z" },
    { ...line, is: "opened", path: "/" },
    { ...line, is: "in", text: startup("Chess \u001b[31m") },
    { ...line, peer: 2, is: "in", text: startup("Go") },
    { ...line, peer: 3, listener: "brain", is: "opened", path: "/" },
  ];
  const place = await CliFolder.make({
    "good.jsonl": `${lines.map((each) => JSON.stringify(each)).join("\n")}\n{"t`,
    "bad.jsonl": "hello\n",
  });
  const listed = await place.run(["replay", "good.jsonl", "--list"]);
  check.equal([listed.status, listed.errors], [0, "note: 1 lines of the recording cannot be read and are skipped\n"]);
  check.equal(listed.out.split("\n"), [
    "recorded by neuro-relay 9.9.9 from 2030-01-01T00:00:00.000Z, cut off",
    String.raw`peer 1: neuro "Chess \u001b[31m", 1 frames in 0.0 s, startup`,
    'peer 2: neuro "Go", 1 frames in 0.0 s, startup',
    "peer 3: brain, 0 frames in 0.0 s",
    "",
  ]);
  const json = JSON.parse((await place.run(["replay", "good.jsonl", "--list", "--json"])).out);
  check.equal(json.map(({ peer, playable }: Record<string, unknown>) => [peer, playable]), [[1, true], [2, true], [
    3,
    false,
  ]]);
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [["good.jsonl"], /expected --as backend, --as game or --list/],
    [["good.jsonl", "--as", "game"], /several connections match: peer 1: .*; peer 2: .*\nchoose one with --game/],
    [["good.jsonl", "--as", "game", "--game", "Go"], /expected --to and the URL of a backend/],
    [["good.jsonl", "--as", "game", "--game", "Tetris", "--to", "ws://x"], /no connection in the recording matches/],
    [["good.jsonl", "--as", "watcher"], /Allowed choices are backend, game/],
    [["good.jsonl", "--list", "--speed", "0"], /expected a number above 0, or max/],
    [["good.jsonl", "--list", "--listen", "here"], /expected a host and a port/],
    [["good.jsonl", "--list", "--to", "http://x"], /expected a URL such as ws:/],
    [["good.jsonl", "--list", "--peer", "x"], /expected a whole number from 1 on/],
    [["good.jsonl", "--list", "--patience", "x"], /expected a number of seconds/],
    [["good.jsonl", "--list", "--session", "2"], /has 1 sessions; session 2 does not exist/],
    [["bad.jsonl", "--list"], /^bad\.jsonl: not a recording: the file does not begin with the header/],
    [["none.jsonl", "--list"], /^none\.jsonl: cannot be read: /],
  ];
  const outcomes = await Promise.all(cases.map(([words]) => place.run(["replay", ...words])));
  for (const [at, [words, says]] of cases.entries()) {
    check.equal(outcomes[at]?.status, 2, words.join(" "));
    check.match(outcomes[at]?.errors ?? "", says);
  }
  await place.remove();
}, MINUTE);

test("OB15 a file that cannot be written to keeps the relay from starting, with the name of the setting", async () => {
  const place = await CliFolder.make();
  const { status, errors } = await place.run([
    "serve",
    "--record",
    "no/such/folder/x.jsonl",
    "--set",
    "queue.backend=memory",
  ]);
  check.equal(status, 2);
  check.match(errors, /\nrecord\.file: .*no\/such\/folder\/x\.jsonl cannot be written: .*\n$/);
  await place.remove();
});
