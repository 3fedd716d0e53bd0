/** The programs of the README of the clients, run as they are written there. */
import { test } from "#runner";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { check } from "../../harness/check.ts";
import { JsonClient } from "../../harness/json-client.ts";
import { ROOT } from "../../harness/machine.ts";
import { inFolder, RelayProcess } from "../../harness/relay.ts";

const PROGRAMS = [...readFileSync(join(ROOT, "src/clients/README.md"), "utf8").matchAll(/```ts\n([^]*?)```/g)]
  .map(([, program = ""]) => program);
const TOKEN = "super-secret-token";

/** Starts a program with the addresses of a relay. */
async function start(
  program: string,
  folder: string,
  { intermediary, neuro }: RelayProcess["urls"],
): Promise<Bun.Subprocess<"ignore", "pipe">> {
  const text = program.replaceAll("@nakurity/neuro-relay", join(ROOT, "src/clients"))
    .replace(/(src\/clients\/\w+)"/, '$1.ts"')
    .replace("ws://127.0.0.1:8765", intermediary)
    .replace("ws://127.0.0.1:8000", neuro);
  const file = join(folder, `${Bun.hash(program)}.ts`);
  await Bun.write(file, text);
  return Bun.spawn([process.execPath, file], { stdout: "pipe", stderr: "inherit" });
}

test("CL23 the programs in the README of the clients work as written", () =>
  inFolder(async (folder) => {
    const relay = await RelayProcess.start(folder, ["queue.backend=memory", "nakurity-backend.decider=none"]);
    const person = await JsonClient.open(relay.urls.intermediary);
    person.send({ type: "neuro-os", name: "person", auth_token: TOKEN });
    const [integration = "", watcher = "", game = ""] = PROGRAMS;
    check.equal(PROGRAMS.length, 3);
    const programs = [await start(integration, folder, relay.urls)];
    try {
      await person.next(({ event }) => event === "force_opened");
      const watching = await start(watcher, folder, relay.urls);
      programs.push(watching);
      await person.next(({ event, confirmed }) => event === "message_delivered" && confirmed);
      person.send({ choice: { selected: "play_song", data: { title: "Daisy" } } });
      check.equal((await person.next(({ event }) => event === "action_result")).message, "Daisy is playing.");
      let printed = "";
      for await (const part of watching.stdout) {
        printed += new TextDecoder().decode(part);
        if (/action_result/.test(printed)) break;
      }
      check.equal(printed.trim().split("\n"), ["sent", "action_sent play_song", "action_result play_song"]);
      programs.push(await start(game, folder, relay.urls));
      await person.next(({ event, integration: from }) => event === "force_opened" && from === "Chess");
      person.send({ choice: { selected: "move", data: { to: "e4" } } });
      check.equal(
        (await person.next(({ event, name }) => event === "action_result" && name === "move")).message,
        "You moved to e4.",
      );
    } finally {
      for (const program of programs) program.kill("SIGKILL");
      person.close();
      await relay.stop();
    }
  }), { timeoutMs: 30_000 });
