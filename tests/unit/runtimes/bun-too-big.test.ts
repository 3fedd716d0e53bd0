/** Messages that are too large for a real socket: of a peer for the relay, and of the relay for a backend. */
import { test } from "#runner";
import { DEFAULTS } from "../../../src/core/defaults.ts";
import { services } from "../../../src/relay/services.ts";
import { check } from "../../harness/check.ts";
import { testSettings, until, upstreamAt, withRelay } from "./bun-relay.ts";

const MIB = 1_048_576;

test("RT4b a force with an image of 1.5 MB is closed with a reason that has its size, the limit and the setting", () => {
  const settings = testSettings();
  return withRelay(settings, async ({ connect, log }) => {
    for (const bytes of [1.5 * MIB, 3 * MIB]) {
      const game = await connect("neuro");
      game.send(JSON.stringify({ command: "startup", game: "Chess" }));
      game.send(
        JSON.stringify({
          command: "actions/force",
          game: "Chess",
          data: { query: "x".repeat(bytes), action_names: ["a"] },
        }),
      );
      const { code, reason } = await game.closed;
      check.equal(code, 1009);
      if (bytes < 2 * MIB) {
        check.match(reason, /^message too big: 15\d{5} characters or bytes; `limits.message_bytes` allows 1048576$/);
      }
      const line = () => log.findLast((each) => each.includes("tooBig"));
      await until(() => line() !== undefined);
      check.match(line() ?? "", /closed "Chess": tooBig: .*`limits.message_bytes` allows 1048576/);
      log.length = 0;
    }
  }, { services: services(settings) });
});

test("NC50c a backend with a real limit of 64 KiB closes only a few times, keeps everything else, and is not reconnected in a loop", async () => {
  const names = new Set<string>();
  let connections = 0;
  const server = Bun.serve<undefined>({
    hostname: "127.0.0.1",
    port: 0,
    fetch: (request, self) => self.upgrade(request) ? undefined : new Response("no", { status: 400 }),
    websocket: {
      maxPayloadLength: 65_536,
      open() {
        connections++;
        names.clear();
      },
      message(_socket, frame) {
        const { command, data } = JSON.parse(String(frame));
        if (command === "actions/register") { for (const { name } of data.actions) names.add(name); }
      },
    },
  });
  const settings = testSettings((change) =>
    void (change["nakurity-clients"] = [upstreamAt(`ws://127.0.0.1:${server.port}`)])
  );
  try {
    await withRelay(settings, async ({ connect, log }) => {
      const [chess, poker] = [await connect("neuro"), await connect("neuro")];
      const say = (to: typeof chess, game: string, command: string, data?: object) =>
        to.send(JSON.stringify({ command, game, data }));
      say(chess, "Chess", "startup");
      say(poker, "Poker", "startup");
      const action = (name: string, length: number) => ({
        name,
        description: "d",
        schema: { type: "object", title: "x".repeat(length) },
      });
      say(poker, "Poker", "actions/register", { actions: Array.from({ length: 60 }, (_, at) => action(`p${at}`, 2_000)) });
      say(chess, "Chess", "actions/register", {
        actions: [action("large", DEFAULTS.limits.schema_bytes - 40), action("small", 10)],
      });
      await until(() => names.size === 61 && log.some((line) => line.includes('refused a message from "Chess"')));
      check.that(!names.has("large"));
      check.that(connections <= 8, `${connections} connections`);
      const before = connections;
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      check.equal(connections, before);
      check.match(log.find((line) => line.includes("refused a message")) ?? "", /tooBig.*1009.*registration of large/);
    }, { services: services(settings) });
  } finally {
    await server.stop(true);
  }
});
