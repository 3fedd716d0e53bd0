/** Several relays at one origin. */
import { check } from "../../harness/check.ts";
import type { Case } from "../case.ts";
import { Game, integrate, watch } from "../clients.ts";
import { JsonSocket } from "../json-socket.ts";
import { type Relay, TOKENS } from "../platform.ts";

const NAMES = { "relays.names": "[default, test-*]" };

const apiOf = async (relay: Pick<Relay, "web">, path: string): Promise<unknown> =>
  await (await fetch(`${relay.web}${path}`, { headers: { authorization: `Bearer ${TOKENS.web}` } })).json();

const namesIn = async (relay: Pick<Relay, "web">): Promise<readonly string[]> => {
  const { items } = await apiOf(relay, "/api/peers") as { items: readonly { name: string }[] };
  return items.map(({ name }) => name).sort();
};

export const relays: readonly Case[] = [
  {
    name: "RT83 two relays at one origin have their own integrations, watchers, games, queues, sessions and API",
    setup: NAMES,
    async run(relay) {
      const [left, right] = [relay.named("test-8"), relay.named("test-9")];
      const [jukebox, client, chess] = [
        await integrate(left, "jukebox"),
        await watch(left, "desk"),
        await Game.join(left, "Chess"),
      ];
      const other = await watch(right, "desk");
      chess.register("move");
      other.send({ target: "jukebox", cmd: {}, request_id: "a" });
      check.equal((await other.next(({ request_id }) => request_id === "a")).error, "invalid target/cmd");
      client.send({ target: "jukebox", cmd: { n: 1 }, request_id: "b" });
      check.equal((await client.next(({ request_id }) => request_id === "b")).status, "sent");
      check.equal((await jukebox.next(({ cmd }) => cmd !== undefined, "the command")).cmd, { n: 1 });
      check.equal(await namesIn(left), ["Chess", "desk", "jukebox"]);
      check.equal(await namesIn(right), ["desk"]);
      check.equal(await namesIn(relay), []);
      const brain = async ({ urls }: Pick<Relay, "urls">) => await JsonSocket.open(`${urls.brain}/?token=${TOKENS.brain}`);
      const [near, far] = [await brain(left), await brain(right)];
      near.send({ cmd: "CreateSession", initial_state: {} });
      const { session_id } = await near.next();
      far.send({ cmd: "GetState", session_id });
      check.match(JSON.stringify(await far.next()), /unknown session/);
      check.equal(other.messages.filter(({ event }) => event === "integration_connected"), []);
    },
  },
  {
    name: "RT83b a command for an offline integration of a named relay waits in that relay, over a restart",
    setup: NAMES,
    async run(relay) {
      const at = () => relay.named("test-8");
      const jukebox = await integrate(at(), "jukebox");
      await jukebox.close();
      const client = await watch(at(), "desk");
      client.send({ target: "jukebox", cmd: { n: 1 }, request_id: "a" });
      check.equal((await client.next(({ request_id }) => request_id === "a")).status, "queued");
      await relay.restart();
      const stranger = await integrate(relay.named("test-9"), "jukebox");
      const again = await integrate(at(), "jukebox");
      const { cmd, id } = await again.next(({ cmd }) => cmd !== undefined, "the command");
      check.equal(cmd, { n: 1 });
      again.send({ ack: id });
      check.equal(stranger.messages.filter(({ cmd }) => cmd !== undefined), []);
    },
  },
  {
    name: "RT84 the name of a relay that is malformed or not listed is answered with 404, which says why",
    setup: NAMES,
    async run(relay) {
      const origin = new URL(relay.web).origin;
      const answerOf = async (path: string) => {
        const response = await fetch(origin + path);
        const { detail } = await response.json() as { detail?: string };
        return `${response.status} ${detail}`;
      };
      check.match(await answerOf("/r/other/health"), /^404 there is no relay other; (relays\.names|RELAY_NAMES) lists/);
      for (const name of ["", "a%20b", "a%2fb", "caf%C3%A9", "x".repeat(65), "a.b"]) {
        check.match(await answerOf(`/r/${name}/health`), /^404 the name of a relay, in \/r\/<name>\/, has 1 to 64 letters/);
      }
    },
  },
  {
    name: "RT83c the dashboard, the API's document, the metrics and a game's URL of a named relay are below its path",
    setup: NAMES,
    async run(relay) {
      const { web, urls } = relay.named("test-8");
      check.match(await (await fetch(`${web}/`)).text(), /^<!doctype html>/i);
      const { servers } = await apiOf({ web }, "/api/openapi.json") as { servers: readonly { url: string }[] };
      check.that(servers.some(({ url }) => url.endsWith("/r/test-8")), JSON.stringify(servers));
      await integrate({ urls }, "jukebox");
      const metricsOf = async (at: string) =>
        await (await fetch(`${at}/metrics`, { headers: { authorization: `Bearer ${TOKENS.web}` } })).text();
      check.match(await metricsOf(web), /neuro_relay_integrations\{listener="intermediary"\} 1/);
      check.match(await metricsOf(relay.web), /neuro_relay_integrations\{listener="intermediary"\} 0/);
      const game = await fetch(`${urls.neuro.replace(/^ws/, "http")}/t/${TOKENS.neuro}/$env/NEURO_SDK_WS_URL`);
      check.equal(await game.text(), `${urls.neuro}/t/${TOKENS.neuro}/`);
    },
  },
];
