/** The jukebox of the examples, in every language whose runtime this machine has. */
import { test } from "#runner";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { check } from "../harness/check.ts";
import { JsonClient } from "../harness/json-client.ts";
import { find, NODE_VERSIONS, nodePath, ROOT, RUNNERS } from "../harness/machine.ts";
import type { Need } from "../harness/suites.ts";
import { inFolder, RelayProcess } from "../harness/relay.ts";
import { Example, TOKEN, withRelay } from "./fixture.ts";

interface Language {
  readonly name: string;
  readonly file: string;
  /** Undefined: this machine does not have the runtime. */
  readonly runner: readonly string[] | undefined;
}

/** A program of this machine with its flags. */
function runnerOf(need: Need, ...flags: readonly string[]): readonly string[] | undefined {
  const program = find(need);
  return program === undefined ? undefined : [program, ...flags];
}

/** Node 20 has a WebSocket only with the flag. */
function nodeRunner(version: string): readonly string[] | undefined {
  const program = nodePath(version);
  const flags = version.startsWith("20.") ? ["--no-warnings", "--experimental-websocket"] : [];
  return program === undefined ? undefined : [program, ...flags];
}

const LANGUAGES: readonly Language[] = [
  { name: "TypeScript on Bun", file: "jukebox.ts", runner: [process.execPath] },
  { name: "TypeScript on Deno", file: "jukebox.ts", runner: RUNNERS["Deno"] },
  { name: "JavaScript on Bun", file: "jukebox.mjs", runner: [process.execPath] },
  ...NODE_VERSIONS.map((version): Language => ({
    name: `JavaScript on Node ${version}`,
    file: "jukebox.mjs",
    runner: nodeRunner(version),
  })),
  { name: "Python", file: "jukebox.py", runner: runnerOf("python3") },
  { name: "C#", file: "Jukebox.cs", runner: runnerOf("dotnet", "run") },
];

/** Chooses an action. After the answer to a force, this is refused until the relay is sure of its end. */
async function choose(person: JsonClient, selected: string, data: object): Promise<void> {
  for (let status, request_id = 1; status !== "chosen"; request_id++) {
    person.send({ choice: { selected, data }, request_id });
    const reply = await person.next((message) => message.request_id === request_id);
    check.that(reply.status === "chosen" || reply.code === "notNow", JSON.stringify(reply));
    status = reply.status;
    if (status !== "chosen") await Bun.sleep(50);
  }
}

for (const { name, file, runner } of LANGUAGES) {
  const title = runner === undefined ? `${name}: not run, because its runtime is missing` : name;
  test(`EG1 the jukebox in ${title}`, () =>
    runner === undefined ? undefined : withRelay(async ({ urls }) => {
      const person = await JsonClient.open(urls.intermediary);
      person.send({ type: "neuro-os", name: "person", auth_token: TOKEN });
      const jukebox = new Example(file, [urls.intermediary, TOKEN], runner);
      try {
        await jukebox.printed(/registered as jukebox/);
        check.equal((await person.next(({ event }) => event === "add_context")).message, "The jukebox is on.");
        const force = await person.next(({ event }) => event === "force_opened");
        check.equal([force.query, force.actions], ["What should the jukebox do?", ["play_song", "stop_music"]]);
        const outcomes = [];
        for (const [selected, data] of [["play_song", { title: "Daisy Bell – ♪" }], ["stop_music", {}]] as const) {
          await choose(person, selected, data);
          const { success, message } = await person.next(({ event, name: action }) =>
            event === "action_result" && action === selected
          );
          outcomes.push([success, message]);
        }
        check.equal(outcomes, [[true, "Daisy Bell – ♪ is playing."], [true, "The music has stopped."]]);
        await jukebox.printed(/action play_song \{"title":"Daisy Bell – ♪"\}[^]*action stop_music/);
        // Longer than what fits into a frame with a short head.
        const cmd = { action: "announce", text: "x".repeat(70_000) };
        person.send({ target: "jukebox", cmd, request_id: 1 });
        check.equal((await person.next(({ request_id }) => request_id === 1)).status, "sent");
        check.equal((await person.next(({ event }) => event === "message_delivered")).confirmed, true);
        await jukebox.printed(/command from person: \{"action": ?"announce", ?"text": ?"x{70000}"\}/);
        const rival = await JsonClient.open(urls.intermediary);
        rival.send({ type: "integration", name: "jukebox", auth_token: TOKEN });
        check.equal([
          await jukebox.ended,
          await person.next(({ event }) => event === "integration_connected").then(() => "new"),
        ], [
          file.endsWith("mjs") ? 0 : 1,
          "new",
        ]);
        rival.close();
        person.close();
      } finally {
        await jukebox.stop();
      }
    }, ["nakurity-backend.decider=none", "nakurity-backend.choice_timeout=1s"]), { timeoutMs: 60_000 });
}

for (const { name, file, runner } of LANGUAGES.filter(({ file }) => !file.endsWith(".ts"))) {
  if (runner === undefined) continue;
  test(`EG1b the jukebox in ${name} reconnects after a restart of the relay`, () =>
    inFolder(async (folder) => {
      let relay = await RelayProcess.start(folder, ["queue.backend=memory"]);
      const { port } = new URL(relay.urls.intermediary);
      const jukebox = new Example(file, [relay.urls.intermediary, TOKEN], runner);
      try {
        await jukebox.printed(/registered as jukebox/);
        await relay.stop("SIGKILL");
        relay = await RelayProcess.start(folder, ["queue.backend=memory", `intermediary.port=${port}`]);
        await jukebox.printed(/registered as jukebox[^]*registered as jukebox/);
      } finally {
        await jukebox.stop();
        await relay.stop();
      }
    }), { timeoutMs: 60_000 });
}

test("EG1c the jukebox is the same in every language", () => {
  for (const { file } of LANGUAGES) {
    const text = readFileSync(join(ROOT, "examples", file), "utf8");
    for (
      const part of ["Play a song on the jukebox.", "Stop the music.", "The jukebox is on.", "What should the jukebox do?"]
    ) {
      check.that(text.includes(part), `${file} does not say "${part}"`);
    }
  }
});
