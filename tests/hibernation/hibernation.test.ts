/** A Durable Object that hibernates or is evicted. workerd does that after 10 and 60 s of real time, so these tests wait. */
import { test } from "#runner";
import { integrate, Neuro, watch } from "../conformance/clients.ts";
import { variablesOf } from "../conformance/platform.ts";
import { withWorker } from "../conformance/test-worker.ts";
import { check } from "../harness/check.ts";

const lives = (log: string): number => log.match(/a life begins/g)?.length ?? 0;

test(
  "RT60 an object with only integrations and watchers hibernates; a command wakes it, and no peer notices",
  () =>
    withWorker(
      "tests/hibernation/counting-worker.ts",
      { ...variablesOf({}), RELAY_NAMES: "test" },
      async ({ relay, log }) => {
        const [jukebox, client] = [await integrate(relay, "jukebox"), await watch(relay, "desk")];
        let wokeMs = 0;
        for (let round = 0; round < 5 && lives(log()) < 2; round++) {
          // Why a real pause: only its wake-up shows that the object has hibernated.
          await Bun.sleep(16_000);
          const began = performance.now();
          client.send({ target: "jukebox", cmd: { round }, request_id: `${round}` });
          check.equal((await client.next(({ request_id }) => request_id === `${round}`)).status, "sent");
          check.equal((await jukebox.next(({ cmd }) => cmd !== undefined, "the command")).cmd, { round });
          wokeMs = performance.now() - began;
        }
        check.equal(lives(log()), 2);
        console.log(`woke and answered within ${Math.round(wokeMs)} ms`);
        check.that(jukebox.isOpen && client.isOpen);
        const heard = [...client.messages, ...jukebox.messages].map(({ event, id }) => event ?? id);
        check.that(!heard.some((name) => /disconnected|gap|registered$/.test(String(name))), heard.join(", "));
      },
    ),
  { timeoutMs: 120_000 },
);

test("RT61 an evicted object is restarted by its alarm, and dials Neuro again", async () => {
  const neuro = new Neuro();
  const variables = { ...variablesOf({ "nakurity-client.url": neuro.url }), RELAY_NAMES: "test" };
  try {
    await withWorker("src/runtimes/workers/worker.ts", variables, async ({ relay, restart }) => {
      await fetch(`${relay.web}/health`);
      await neuro.hear(({ command }) => command === "startup", "the relay");
      await restart();
      check.equal(neuro.isConnected, false);
      neuro.heard.length = 0;
      for (let waited = 0; waited < 90 && !neuro.isConnected; waited++) await Bun.sleep(1_000);
      await neuro.hear(({ command }) => command === "startup", "the relay again");
    });
  } finally {
    neuro.stop();
  }
}, { timeoutMs: 120_000 });
