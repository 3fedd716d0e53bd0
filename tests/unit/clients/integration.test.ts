/** The client for integrations, against a real relay: typed actions, receipts, reconnects, takeover. */
import { test } from "#runner";
import fc from "fast-check";
import { z } from "zod";
import { IntegrationClient, type IntegrationEvent, RelayError, type SocketLike } from "../../../src/clients/integration.ts";
import { check } from "../../harness/check.ts";
import { inFolder, RelayProcess } from "../../harness/relay.ts";
import { until } from "../runtimes/bun-relay.ts";
import { freePort } from "../storage/backends.ts";
import { act, cuttable, openWatcher, QUICK, TOKEN, withIntermediary } from "./intermediary-fixture.ts";

const OPTIONS = { ...QUICK, name: "jukebox", token: TOKEN };

/** A socket of which the test is the other end. */
function scripted(): {
  openSocket: () => SocketLike;
  sent: string[];
  say(message: object): void;
  open(): void;
  drop(code: number): void;
  dials(): number;
} {
  const sent: string[] = [];
  const nothing = {
    close() {},
    onopen: null,
    onmessage: null,
    onclose: null,
    onerror: null,
  };
  const sockets: SocketLike[] = [];
  return {
    openSocket: () => {
      const socket: SocketLike = {
        ...nothing,
        send: (text) => void sent.push(String(text)),
      };
      sockets.push(socket);
      return socket;
    },
    sent,
    dials: () => sockets.length,
    open: () => sockets.at(-1)?.onopen?.({} as never),
    say: (message) => sockets.at(-1)?.onmessage?.({ data: JSON.stringify(message) } as never),
    drop: (code) => sockets.at(-1)?.onclose?.({ code, reason: "" } as never),
  };
}

test("CL25 with `traces` an integration gets the path of each of its messages", () =>
  withIntermediary(async ({ urls }) => {
    using client = new IntegrationClient(urls.intermediary, { ...OPTIONS, traces: true });
    const events: IntegrationEvent[] = [];
    client.onEvent((event) => events.push(event));
    await client.ready();
    client.context("It plays.");
    await until(() => events.some(({ is }) => is === "trace"));
    const [trace] = events.flatMap((event) => event.is === "trace" ? [event.trace] : []);
    check.equal([trace?.kind, trace?.outcome, trace?.names], ["context", "sent", ["jukebox"]]);
  }));

test("CL10 an action gets data of the type of its schema, and its outcome becomes the result", () =>
  withIntermediary(async ({ urls }) => {
    using client = new IntegrationClient(urls.intermediary, OPTIONS);
    client.action("play_song", {
      description: "Play a song.",
      schema: {
        type: "object",
        properties: { title: { type: "string" }, volume: { type: "integer" } },
        required: ["title"],
      },
      handler: ({ title, volume }) => {
        const text: string = title;
        // @ts-expect-error -- The schema says that it is a text.
        void (title satisfies number);
        const number: number | undefined = volume;
        return `${text} at ${number ?? 5}`;
      },
    });
    client.action("rate", {
      description: "Rate it.",
      schema: z.object({
        stars: z.number().int().max(5),
        why: z.string().default("no reason"),
      }),
      handler: ({ stars, why }) =>
        Promise.resolve({
          success: stars > 1,
          message: why.toUpperCase(),
        }),
    });
    client.action("stop_music", {
      description: "Stop.",
      handler: (data) => void (data satisfies undefined),
    });
    client.action("break_down", {
      description: "Fails.",
      handler: () => {
        throw new Error("out of coins");
      },
    });
    await client.ready();
    const watcher = await openWatcher(urls.intermediary);
    const outcomes = [];
    for (
      const [name, data] of [
        ["play_song", { title: "Daisy Bell", volume: 3 }],
        ["rate", { stars: 4 }],
        ["rate", { stars: 1, why: "too loud" }],
        ["stop_music", {}],
        ["break_down", {}],
      ] as const
    ) {
      const { success, message } = await act(watcher, name, data);
      outcomes.push([success, message]);
    }
    check.equal(outcomes, [
      [true, "Daisy Bell at 3"],
      [true, "NO REASON"],
      [false, "TOO LOUD"],
      [true, undefined],
      [false, "out of coins"],
    ]);
    watcher.close();
  }));

test("CL10b data that the schema does not accept never reaches the handler", async () => {
  const { openSocket, sent, open, say } = scripted();
  using client = new IntegrationClient("ws://relay", {
    ...OPTIONS,
    openSocket,
  });
  let runs = 0;
  const handler = (): void => void runs++;
  client.action("plain", {
    description: "",
    schema: { type: "object", properties: { n: { type: "integer" } } },
    handler,
  });
  client.action("zod", {
    description: "",
    schema: z.object({ n: z.number().int() }),
    handler,
  });
  open();
  say({ event: "registered", session: "s" });
  const bad = ["{", "[]", '{"n":"x"}', "null", '{"n":1.5}'];
  const trials = [
    ["nothing", "{}"],
    ...["plain", "zod"].flatMap((name) => bad.map((data) => [name, data])),
  ];
  trials.forEach(([name, data], at) => say({ event: "action", payload: { id: String(at), name, data } }));
  const results = () => sent.map((text) => JSON.parse(text)).filter(({ event }) => event === "action_result");
  await until(() => results().length === trials.length);
  check.equal([
    runs,
    results().filter(({ payload }) => payload.success || payload.message === ""),
  ], [0, []]);
  const unusable = {
    "~standard": { version: 1, vendor: "own", validate: () => ({ value: 1 }) },
  } as const;
  check.throws(
    () => client.action("own", { description: "", schema: unusable, handler }),
    /own makes no JSON Schema|JSON Schema/,
  );
  client.action("own", {
    description: "",
    schema: unusable,
    jsonSchema: { type: "object" },
    handler,
  });
});

test("CL11 contexts, forces, events and choices reach the relay, in order, also from before the connection", () =>
  withIntermediary(async ({ urls }) => {
    const watcher = await openWatcher(urls.intermediary);
    using client = new IntegrationClient(urls.intermediary, OPTIONS);
    client.action("wave", { description: "Wave.", handler: () => "waved" });
    client.context("The jukebox is on.", { silent: false });
    client.send("song_ended", { title: "Daisy Bell" });
    client.force({
      query: "Wave?",
      actions: ["wave"],
      priority: "high",
      state: "idle",
    });
    check.equal(client.waiting, 3);
    const context = await watcher.next(({ event }) => event === "add_context");
    check.equal([context.message, context.reply_if_not_busy], [
      "The jukebox is on.",
      true,
    ]);
    const { payload } = await watcher.next(({ event, payload }) => event === "integration_message" && payload.event);
    check.equal(payload, {
      event: "song_ended",
      payload: { title: "Daisy Bell" },
    });
    const force = await watcher.next(({ event }) => event === "force_opened");
    check.equal([force.query, force.priority, force.actions], [
      "Wave?",
      "high",
      ["wave"],
    ]);
    client.choose("wave");
    check.equal(
      (await watcher.next(({ event }) => event === "action_result")).message,
      "waved",
    );
    watcher.close();
  }));

test("CL11b what waits is limited, and the error names the limit", () => {
  const { openSocket } = scripted();
  using client = new IntegrationClient("ws://relay", {
    ...OPTIONS,
    openSocket,
    waitingMessagesMax: 2,
    waitingCharactersMax: 200,
  });
  const refusalOf = (run: () => void): string => {
    try {
      run();
    } catch (error) {
      check.that(error instanceof RelayError && error.code === "Busy");
      return error.message;
    }
    return "";
  };
  check.match(
    refusalOf(() => client.context("x".repeat(200))),
    /waitingCharactersMax` is 200/,
  );
  client.context("1");
  client.context("2");
  check.match(
    refusalOf(() => client.context("3")),
    /2 messages wait.*waitingMessagesMax` is 2/,
  );
});

test("CL12 a command is acknowledged after its handler has ended, and comes again if it threw", () =>
  withIntermediary(async ({ urls }) => {
    const commands: unknown[] = [];
    const events: IntegrationEvent[] = [];
    using client = new IntegrationClient(urls.intermediary, {
      ...OPTIONS,
      command: ({ from, cmd, redelivered }) => {
        commands.push([from, cmd, redelivered]);
        if (!redelivered) throw new Error("not now");
      },
    });
    client.onEvent((event) => events.push(event));
    await client.ready();
    const watcher = await openWatcher(urls.intermediary);
    watcher.send({ target: "jukebox", cmd: { skip: 1 } });
    const { confirmed } = await watcher.next(({ event }) => event === "message_delivered");
    check.equal([confirmed, commands], [true, [["person", { skip: 1 }, false], [
      "person",
      { skip: 1 },
      true,
    ]]]);
    check.that(
      events.some((event) => event.is === "commandFailed" && String(event.error) === "Error: not now"),
    );
    watcher.close();
  }));

test("CL12b without a handler a command becomes a dead letter", () =>
  withIntermediary(async ({ urls }) => {
    using client = new IntegrationClient(urls.intermediary, OPTIONS);
    await client.ready();
    const watcher = await openWatcher(urls.intermediary);
    watcher.send({ target: "jukebox", cmd: { skip: 1 } });
    check.equal(
      (await watcher.next(({ event }) => event === "message_dead")).to,
      "jukebox",
    );
    watcher.close();
  }));

type Step = "command" | "action" | "cut" | "pause";

test(
  "CL13 over lost connections no command is lost or handled twice, and each action gets one result of its handler",
  () =>
    withIntermediary(async ({ urls }) => {
      const watcher = await openWatcher(urls.intermediary);
      let count = 0;
      const steps = fc.array(
        fc.constantFrom<Step>("command", "command", "action", "cut", "pause"),
        { maxLength: 25 },
      );
      await fc.assert(
        fc.asyncProperty(steps, async (list) => {
          const { openSocket, cut } = cuttable();
          const handled: number[] = [];
          const acted: number[] = [];
          using client = new IntegrationClient(urls.intermediary, {
            ...OPTIONS,
            openSocket,
            command: async ({ cmd }) => {
              await Bun.sleep(1);
              handled.push(Number(cmd));
            },
          });
          client.action("count", {
            description: "Counts.",
            schema: {
              type: "object",
              properties: { n: { type: "integer" } },
              required: ["n"],
            },
            handler: async ({ n }) => {
              await Bun.sleep(1);
              acted.push(n);
              return String(n);
            },
          });
          await client.ready();
          watcher.take();
          const sent: number[] = [];
          const chosen: number[] = [];
          for (const step of list) {
            if (step === "cut") cut();
            if (step === "pause") await Bun.sleep(3);
            if (step === "command") {
              sent.push(++count);
              watcher.send({
                target: "jukebox",
                cmd: count,
                request_id: count,
              });
            }
            if (step !== "action") continue;
            watcher.send({
              choice: { selected: "count", data: { n: ++count } },
              request_id: count,
            });
            const { status } = await watcher.next((message) => message.request_id === count);
            if (status === "chosen") chosen.push(count);
          }
          while (handled.length < sent.length) await Bun.sleep(1);
          await client.ready();
          await Bun.sleep(20);
          // An action that was on its way when the connection broke never arrives. The relay answers it at its deadline.
          for (const n of acted) {
            const result = await watcher.next(({ event, message }) => event === "action_result" && message === String(n));
            check.equal([result.success, chosen.includes(n)], [true, true]);
          }
          const repeated = watcher.take().filter(({ event, message }) =>
            event === "action_result" && acted.includes(Number(message))
          );
          check.equal([handled, acted.length, repeated], [
            sent,
            new Set(acted).size,
            [],
          ]);
        }),
        { numRuns: 40 },
      );
      watcher.close();
    }),
  { timeoutMs: 60_000 },
);

test("CL13b a command that arrives again while it is handled, or afterwards, is not handled again", async () => {
  const { openSocket, sent, open, say } = scripted();
  const { promise, resolve } = Promise.withResolvers<void>();
  let runs = 0;
  using client = new IntegrationClient("ws://relay", {
    ...OPTIONS,
    openSocket,
    command: () => {
      runs++;
      return promise;
    },
  });
  open();
  say({ event: "registered", session: "s" });
  const command = { id: "7", from_watcher: "w", cmd: 1 };
  say(command);
  say({ ...command, redelivered: true });
  resolve();
  await until(() => sent.length > 1);
  say({ ...command, redelivered: true });
  check.equal([runs, sent.slice(1)], [1, ['{"ack":"7"}', '{"ack":"7"}']]);
  client.close();
});

test(
  "CL13c after a restart of the relay the client is registered with its actions, and gets what was queued meanwhile",
  () =>
    inFolder(async (folder) => {
      const port = await freePort();
      const sets = [
        `intermediary.port=${port}`,
        `intermediary.auth_token=${TOKEN}`,
      ];
      let relay = await RelayProcess.start(folder, sets);
      const commands: unknown[] = [];
      using client = new IntegrationClient(relay.urls.intermediary, {
        ...OPTIONS,
        command: ({ cmd }) => void commands.push(cmd),
      });
      const remove = client.action("old", {
        description: "Old.",
        handler: () => {},
      });
      client.action("wave", { description: "Wave.", handler: () => "waved" });
      try {
        await client.ready();
        await relay.stop("SIGKILL");
        await until(() => client.phase === "connecting");
        remove();
        client.context("said while the relay was away");
        relay = await RelayProcess.start(folder, sets);
        const watcher = await openWatcher(relay.urls.intermediary);
        watcher.send({ target: "jukebox", cmd: "skip", request_id: 1 });
        check.match(
          (await watcher.next(({ request_id }) => request_id === 1)).status,
          /sent|queued/,
        );
        await client.ready();
        await until(() => commands.length === 1);
        watcher.send({ query: "get_registered_actions", request_id: 2 });
        check.equal(
          (await watcher.next(({ request_id }) => request_id === 2)).actions,
          { "jukebox.wave": {} },
        );
        check.equal((await act(watcher, "wave")).message, "waved");
        check.equal(commands, ["skip"]);
        watcher.close();
      } finally {
        await relay.stop();
      }
    }),
  { timeoutMs: 30_000 },
);

test("CL13d a closed client handles none of the commands that wait, because the relay sends them to its next run", async () => {
  const { openSocket, open, say } = scripted();
  const { promise, resolve } = Promise.withResolvers<void>();
  let runs = 0;
  const client = new IntegrationClient("ws://relay", {
    ...OPTIONS,
    openSocket,
    command: () => {
      runs++;
      return promise;
    },
  });
  open();
  say({ event: "registered", session: "s" });
  for (const id of ["1", "2", "3"]) say({ id, from_watcher: "w", cmd: id });
  await until(() => runs === 1);
  client.close();
  resolve();
  await Bun.sleep(5);
  check.equal(runs, 1);
});

test(
  "CL14 after a takeover the client does not reconnect until it is restarted",
  () =>
    withIntermediary(async ({ urls }) => {
      const { openSocket, dials } = cuttable();
      using first = new IntegrationClient(urls.intermediary, {
        ...OPTIONS,
        openSocket,
      });
      await first.ready();
      const events = first.events();
      using second = new IntegrationClient(urls.intermediary, OPTIONS);
      await second.ready();
      const { value } = await events.next();
      check.that(value?.is === "takenOver" && value.error.code === "nameTaken");
      check.equal([first.phase, dials()], ["stopped", 1]);
      await Bun.sleep(50);
      check.equal([first.phase, second.phase, dials()], [
        "stopped",
        "registered",
        1,
      ]);
      const refusal = await first.ready().catch((error: unknown) => error);
      check.that(refusal instanceof RelayError && refusal.code === "nameTaken");
      second.close();
      first.restart();
      await first.ready();
    }),
  { timeoutMs: 20_000 },
);

test("CL14b a refused registration is an error with the relay's code, and is not repeated", () =>
  withIntermediary(async ({ urls }) => {
    for (
      const [options, code] of [[{ token: "wrong" }, "badToken"], [{
        name: "*",
      }, "badGreeting"]] as const
    ) {
      const { openSocket, dials } = cuttable();
      using client = new IntegrationClient(urls.intermediary, {
        ...OPTIONS,
        ...options,
        openSocket,
      });
      const error = await client.ready().catch((reason: unknown) => reason);
      check.that(
        error instanceof RelayError && error.code === code &&
          error.message !== "",
        String(error),
      );
      await Bun.sleep(30);
      check.equal(dials(), 1);
    }
  }));

test("CL14c each close code of a refusal stops the client, every other one does not", () => {
  for (
    const [code, phase] of [
      [4400, "stopped"],
      [4401, "stopped"],
      [4403, "stopped"],
      [4409, "stopped"],
      [4408, "connecting"],
      [1006, "connecting"],
      [1000, "connecting"],
      [1012, "connecting"],
    ] as const
  ) {
    const { openSocket, open, say, drop } = scripted();
    using client = new IntegrationClient("ws://relay", {
      ...OPTIONS,
      openSocket,
      backoff: { baseMs: 1e6, capMs: 1e6 },
    });
    open();
    say({ event: "registered", session: "s" });
    say({ error: "not allowed", code: "notAllowed", id: "1" });
    drop(code);
    check.equal([code, client.phase], [code, phase]);
  }
});

test("CL14e a URL that can never be dialed stops the client", async () => {
  using client = new IntegrationClient("ftp://relay", OPTIONS);
  const error = await client.ready().catch((reason: unknown) => reason);
  check.that(error instanceof RelayError && error.code === "Invalid", String(error));
  check.equal(client.phase, "stopped");
});

test("CL14d messages of a closed client are refused, and so is waiting for it", async () => {
  const { openSocket } = scripted();
  const client = new IntegrationClient("ws://relay", {
    ...OPTIONS,
    openSocket,
  });
  const waiting = client.ready().catch((error: RelayError) => error.code);
  client.close();
  check.equal(await waiting, "Closed");
  check.throws(() => client.context("x"), /closed/);
  check.throws(() => client.restart(), /closed/);
});

test("CL24b a result because of which the relay closes is not sent again, and a context neither", async () => {
  const { openSocket, sent, say, open, drop, dials } = scripted();
  using client = new IntegrationClient("ws://relay", { ...OPTIONS, openSocket });
  client.action("long", { description: "Answers at length.", handler: () => "r".repeat(5_000) });
  const register = async (): Promise<void> => {
    open();
    say({ event: "registered", session: "1" });
    await client.ready();
  };
  await register();
  client.context("c".repeat(9_000));
  drop(1009);
  sent.length = 0;
  await until(() => dials() === 2);
  await register();
  check.that(!sent.some((text) => text.length > 1_000), "the context was sent once");
  say({ event: "action", payload: { id: "1", name: "long" } });
  await until(() => sent.some((text) => text.includes("action_result")));
  drop(1009);
  const error: unknown = await client.ready().catch((reason: unknown) => reason);
  check.that(error instanceof RelayError && error.code === "tooBig", String(error));
  check.equal(client.phase, "stopped");
});
