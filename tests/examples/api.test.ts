/** The API calls in the README, run as they are written there. */
import { test } from "#runner";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import { check } from "../harness/check.ts";
import { ROOT } from "../harness/machine.ts";
import { inFolder, RelayProcess } from "../harness/relay.ts";
import { JsonClient } from "../harness/json-client.ts";

const SONG = {
  name: "play_song",
  description: "Play a song on the jukebox.",
  schema: { type: "object", properties: { title: { type: "string" } }, required: ["title"] },
};

/** The jukebox of the examples as a client of the test. */
async function jukebox(url: string): Promise<JsonClient> {
  const client = await JsonClient.open(url);
  client.send({ type: "integration", name: "jukebox", auth_token: "super-secret-token", ack: true });
  client.send({ event: "register_actions", actions: [SONG] });
  await client.next(({ event }) => event === "registered");
  return client;
}

async function answerSong(client: JsonClient): Promise<void> {
  const { payload } = await client.next(({ event }) => event === "action");
  check.equal([payload.name, JSON.parse(payload.data)], ["play_song", { title: "Daisy Bell" }]);
  client.send({ event: "action_result", payload: { id: payload.id, success: true, message: "It plays." } });
}

test("AP40 the API calls in the README work as written", () =>
  inFolder(async (folder) => {
    const readme = readFileSync(join(ROOT, "README.md"), "utf8");
    const script = /## Use its API\n[^]*?```sh\n([^]*?)```/.exec(readme)?.[1] ?? "";
    const calls = script.split("\n").filter((line) => line.startsWith("api $relay"));
    check.that(calls.length > 4, "the README shows some calls");
    const queue = join(folder, ".local/state/neuro-relay/relay_message_queue");
    const relay = await RelayProcess.start(folder, ["web.enabled=true", "web.port=0", `queue.path=${queue}`]);
    try {
      const client = await jukebox(relay.urls.intermediary);
      const { origin } = new URL(relay.urls.web);
      check.that(script.includes("http://127.0.0.1:8766/api"));
      const own = script.replace("http://127.0.0.1:8766", origin).replaceAll(/^api .*$/gm, (call) => `${call}\necho`);
      const running = promisify(execFile)("sh", ["-ceu", own], { env: { ...process.env, HOME: folder } });
      await answerSong(client);
      const { stdout, stderr } = await running;
      check.equal(stderr, "");
      const answers = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
      check.equal(answers.length, calls.length);
      const [overview, detail, outcome, paused, sent, audit] = answers;
      check.equal([overview.draining, overview.scopes.includes("admin")], [false, true]);
      check.equal(detail.registered_actions.map(({ name }: { name: string }) => name), ["play_song"]);
      check.equal([outcome.success, outcome.message], [true, "It plays."]);
      check.equal([paused.id, paused.paused, sent], ["jukebox", true, { status: "sent" }]);
      check.equal(audit.items.map(({ action }: { action: string }) => action), ["send", "pause", "act"]);
      check.equal((await client.next(({ cmd }) => cmd !== undefined)).cmd, { action: "skip" });
      client.close();
    } finally {
      await relay.stop();
    }
  }), { timeoutMs: 60_000 });
