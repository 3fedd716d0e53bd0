/** A command that was answered `queued` survives SIGKILL: real processes and real files. */
import { test } from "#runner";
import { seededRandom } from "../../src/core/random.ts";
import { check } from "../harness/check.ts";
import { inFolder, RelayProcess } from "../harness/relay.ts";
import { JsonClient } from "../harness/json-client.ts";

const TOKEN = "super-secret-token";
const NAME = "jukebox";
/** Why without limits: the test counts stored entries, not rates and queue lengths. */
const UNHURRIED = ["limits.messages_per_second=0", "queue.per_recipient=100000"];

/** The integration that commands are sent to. The relay knows its name from the first greeting on. */
async function integration({ urls }: RelayProcess): Promise<JsonClient> {
  const client = await JsonClient.open(urls.intermediary);
  client.send({ type: "integration", name: NAME, auth_token: TOKEN, ack: true });
  const { id } = await client.next(({ event }) => event === "registered");
  if (id !== undefined) client.send({ ack: id });
  return client;
}

async function watcher({ urls }: RelayProcess): Promise<JsonClient> {
  const client = await JsonClient.open(urls.intermediary);
  client.send({ type: "neuro-os", name: "stage", auth_token: TOKEN, subscribe: { events: [] } });
  return client;
}

const command = (number: number): object => ({ target: NAME, cmd: { number }, request_id: `${number}` });

/** Connects and disconnects the integration, and waits until the relay has noticed. */
async function leave(relay: RelayProcess, watching: JsonClient): Promise<void> {
  const jukebox = await integration(relay);
  jukebox.close();
  await jukebox.closed;
  await watching.next(({ event, name }) => event === "integration_disconnected" && name === NAME);
}

/** Receives and acknowledges commands until `count` different ones have arrived. */
async function collect(client: JsonClient, count: number): Promise<{ number: number; redelivered: boolean }[]> {
  const got: { number: number; redelivered: boolean }[] = [];
  const different = new Set<number>();
  while (different.size < count) {
    const { id, cmd, redelivered = false } = await client.next(({ cmd }) => cmd !== undefined);
    client.send({ ack: id });
    different.add(cmd.number);
    got.push({ number: cmd.number, redelivered });
  }
  return got;
}

test(
  "QU90 200 commands that were answered queued survive SIGKILL, arrive in order, and are not sent again",
  () =>
    inFolder(async (folder) => {
      const first = await RelayProcess.start(folder, UNHURRIED);
      const commander = await watcher(first);
      await leave(first, commander);
      for (let number = 0; number < 200; number++) commander.send(command(number));
      for (let number = 0; number < 200; number++) {
        check.equal((await commander.next(({ request_id }) => request_id === `${number}`)).status, "queued");
      }
      await first.stop("SIGKILL");

      const second = await RelayProcess.start(folder, UNHURRIED);
      const jukebox = await integration(second);
      const got = await collect(jukebox, 200);
      check.equal(got.map(({ number }) => number), Array.from({ length: 200 }, (_, number) => number));
      jukebox.send({ query: "get_registered_actions" });
      await jukebox.next(({ actions }) => actions !== undefined); // Why: the relay has processed every ack by then.
      check.equal(await second.stop(), 0);

      const third = await RelayProcess.start(folder, UNHURRIED);
      const again = await integration(third);
      const commanding = await watcher(third);
      commanding.send(command(200));
      check.equal((await again.next(({ cmd }) => cmd !== undefined)).cmd, { number: 200 }, "nothing came before it");
      await third.stop();
    }),
  { timeoutMs: 60_000 },
);

test(
  "QU91 thirty kills at random instants lose no command that was answered queued, and keep the order",
  () =>
    inFolder(async (folder) => {
      const random = seededRandom(20_261);
      const queued: number[] = [];
      let sent = 0;
      for (let kill = 0; kill < 30; kill++) {
        const relay = await RelayProcess.start(folder, UNHURRIED);
        const commander = await watcher(relay);
        if (kill === 0) await leave(relay, commander);
        // Why after a reply: a kill during the start cannot lose anything.
        let dead: Promise<unknown> | undefined;
        while (commander.isOpen) {
          const number = sent++;
          commander.send(command(number));
          const reply = await commander.next(({ request_id }) => request_id === `${number}`).catch(() => undefined);
          if (reply?.status === "queued") queued.push(number);
          dead ??= new Promise((resolve) => setTimeout(resolve, 40 * random())).then(() => relay.stop("SIGKILL"));
        }
        await dead;
      }
      check.that(queued.length >= 30, `only ${queued.length} were answered`);

      const relay = await RelayProcess.start(folder, UNHURRIED);
      const commander = await watcher(relay);
      const jukebox = await integration(relay);
      commander.send(command(sent)); // Why: it is the last in the queue, so everything else comes before it.
      const got: number[] = [];
      for (let number = -1; number !== sent;) {
        const { id, cmd } = await jukebox.next(({ cmd }) => cmd !== undefined);
        jukebox.send({ ack: id });
        number = cmd.number;
        got.push(number);
      }
      check.equal(queued.filter((number) => !got.includes(number)), [], "answered queued, and lost");
      check.equal(got, [...got].sort((left, right) => left - right), "in order");
      check.equal(new Set(got).size, got.length, "once each");
      await relay.stop();
    }),
  { timeoutMs: 120_000 },
);
