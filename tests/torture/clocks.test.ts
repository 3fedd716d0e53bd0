/** Clock jumps under a real process. */
import { test } from "#runner";
import { PUBLISHED_TOKEN } from "../../src/core/defaults.ts";
import { check } from "../harness/check.ts";
import { inFolder, RelayProcess } from "../harness/relay.ts";
import { JsonClient, type Message } from "../harness/json-client.ts";
import { setClock, WRONG_CLOCK } from "./clocks.ts";
import { FlappingNeuro } from "./flapping-neuro.ts";

const HOUR = 3_600_000;
const LONG = { timeoutMs: 60_000 };

/** A watcher, and the ids of its events. */
async function watch({ urls }: RelayProcess): Promise<{ talk: JsonClient; ids(): Promise<string[]> }> {
  const client = await JsonClient.open(urls.intermediary);
  client.send({ type: "neuro-os", name: "stage", auth_token: PUBLISHED_TOKEN });
  const seen: Message[] = [await client.next(({ event }) => event === "neuroos_connected")];
  const ids = async () => {
    client.send({ query: "peers" });
    await client.next(({ peers }) => peers !== undefined);
    seen.push(...client.take());
    return seen.flatMap(({ event, id }) => (event !== undefined ? [id] : []));
  };
  return { talk: client, ids };
}

async function comeAndGo({ urls }: RelayProcess): Promise<void> {
  const client = await JsonClient.open(urls.intermediary);
  client.send({ type: "integration", name: "jukebox", auth_token: PUBLISHED_TOKEN, ack: true });
  await client.next(({ event }) => event === "registered");
  client.close();
  await client.closed;
}

test(
  "RT71 ids keep growing when the clock is set back, at run time and between two runs",
  () =>
    inFolder(async (folder) => {
      const all: string[] = [];
      for (const offset of [0, -5 * HOUR, 3 * HOUR, -9 * HOUR]) {
        setClock(folder, offset);
        const relay = await RelayProcess.start(folder, [], WRONG_CLOCK);
        const { ids } = await watch(relay);
        for (const jump of [-2 * HOUR, 4 * HOUR, -4 * HOUR]) {
          await comeAndGo(relay);
          setClock(folder, offset + jump, relay);
        }
        await comeAndGo(relay);
        all.push(...await ids());
        await relay.stop("SIGKILL");
      }
      check.that(all.length >= 4 * 8, `only ${all.length} events`);
      check.equal(all, [...all].sort(), "in order");
      check.equal(new Set(all).size, all.length, "each once");
    }),
  LONG,
);

test("RT71 a deadline is on time although the clock is set back by hours", () =>
  inFolder(async (folder) => {
    const neuro = FlappingNeuro.open();
    const sets = [`nakurity-client.url=${neuro.url}`, "nakurity-client.action_deadline=1s", "limits.greeting=2s"];
    const relay = await RelayProcess.start(folder, sets, WRONG_CLOCK);
    try {
      const silent = await JsonClient.open(relay.urls.intermediary);
      const game = await JsonClient.open(relay.urls.neuro);
      game.send({ command: "startup", game: "Mute" });
      game.send({ command: "actions/register", game: "Mute", data: { actions: [{ name: "act", description: "x" }] } });
      await neuro.until(() => neuro.names.has("act"));
      neuro.act("act");
      await game.next(({ command }) => command === "action");
      const from = performance.now();
      setClock(folder, -3 * HOUR, relay);
      check.equal((await silent.next(({ error }) => error !== undefined)).code, "noGreeting");
      await neuro.until(() => neuro.results.length === 1);
      check.that(performance.now() - from < 5_000, "in time");
      check.equal(neuro.results[0]?.success, false);
    } finally {
      await relay.stop("SIGKILL");
      neuro.close();
    }
  }), LONG);
