/** The examples work as described in the README, with a relay that is started by its usual command. */
import { test } from "#runner";
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { check } from "../harness/check.ts";
import { ROOT } from "../harness/machine.ts";
import { inFolder, RelayProcess } from "../harness/relay.ts";
import { JsonClient } from "../harness/json-client.ts";

const TOKEN = "super-secret-token";

/** An example as a process; a test can wait for its output. */
class Example {
  readonly #child: ChildProcess;
  #printed = "";
  #wake: () => void = () => {};
  readonly ended: Promise<number | null>;

  constructor(name: string, words: readonly string[]) {
    this.#child = spawn(process.execPath, [join(ROOT, "tests/examples", `${name}.ts`), ...words]);
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.#printed += text;
        this.#wake();
      });
    }
    this.ended = new Promise((resolve) => this.#child.on("close", resolve));
  }

  async printed(words: RegExp): Promise<string> {
    const timer = setTimeout(() => this.stop(), 15_000);
    for (let isOver = false; !words.test(this.#printed);) {
      if (isOver) throw new Error(`never printed ${words}: ${this.#printed}`);
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      isOver = await Promise.race([promise.then(() => false), this.ended.then(() => true)]);
    }
    clearTimeout(timer);
    return this.#printed;
  }

  async stop(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.ended;
  }
}

const withRelay = (run: (relay: RelayProcess) => Promise<void>): Promise<void> =>
  inFolder(async (folder) => {
    const relay = await RelayProcess.start(folder, ["queue.backend=memory"]);
    try {
      await run(relay);
    } finally {
      await relay.stop();
    }
  });

test("the relay, as Neuro, plays the example game to its end", () =>
  withRelay(async ({ urls }) => {
    const watching = await JsonClient.open(urls.intermediary);
    watching.send({ type: "neuro-os", name: "person", auth_token: TOKEN });
    const game = new Example("game", [urls.neuro, "Guess the Number"]);
    await game.printed(/connected/);
    for (let number = 1; number <= 10; number++) {
      const offered = await Promise.race([watching.next(({ event }) => event === "choose_action"), game.ended]);
      if (offered === null || typeof offered === "number") break;
      watching.send({ choice: { selected: "guess_number", data: { number } } });
    }
    check.equal(await game.ended, 0);
    check.match(await game.printed(/bye/), /That is it!/);
    watching.close();
  }), { timeoutMs: 30_000 });

test(
  "the integration registers, answers an action and receives a command; the watcher sees each event",
  () =>
    withRelay(async ({ urls }) => {
      const watcher = new Example("watcher", [urls.intermediary, TOKEN]);
      await watcher.printed(/neuroos_connected/);
      const jukebox = new Example("integration", [urls.intermediary, TOKEN]);
      await jukebox.printed(/registered as jukebox/);
      const person = await JsonClient.open(urls.intermediary);
      person.send({
        type: "neuro-os",
        name: "person",
        auth_token: TOKEN,
        subscribe: { events: ["integration_registered_actions"] },
      });
      await watcher.printed(/integration_registered_actions/);
      person.send({ choice: { selected: "play_song", data: { title: "Live forever" } } });
      await jukebox.printed(/action play_song \{"title":"Live forever"\}/);
      await watcher.printed(/action_result .*"success":true/);
      person.send({ target: "jukebox", cmd: { action: "skip" } });
      check.equal((await person.next(({ status }) => status !== undefined && status !== "chosen")).status, "sent");
      await jukebox.printed(/command from person: \{"action":"skip"\}/);
      person.close();
      await jukebox.stop();
      await watcher.stop();
    }),
  { timeoutMs: 30_000 },
);
