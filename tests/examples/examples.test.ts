/** The examples work as described in the README, with a relay that is started by its usual command. */
import { test } from "#runner";
import { check } from "../harness/check.ts";
import { JsonClient } from "../harness/json-client.ts";
import { Example, TOKEN, withRelay } from "./fixture.ts";

test("EG2 the relay, as Neuro, plays the example game to its end", () =>
  withRelay(async ({ urls }) => {
    const watching = await JsonClient.open(urls.intermediary);
    watching.send({ type: "neuro-os", name: "person", auth_token: TOKEN });
    const game = new Example("game.ts", [urls.neuro, "Guess the Number"]);
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
  "EG2b the integration registers, answers an action and receives a command; the watcher sees each event",
  () =>
    withRelay(async ({ urls }) => {
      const watcher = new Example("watcher.ts", [urls.intermediary, TOKEN, "jukebox"]);
      await watcher.printed(/watching \d+ kinds of events\nreply "notFound: /);
      const jukebox = new Example("jukebox.ts", [urls.intermediary, TOKEN]);
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
