/** `neuro-relay link`: a Neuro that the relay cannot reach, and games that cannot reach the relay. */
import { check } from "../../harness/check.ts";
import type { Case } from "../case.ts";
import { Game, type Neuro } from "../clients.ts";
import { JsonSocket, until } from "../json-socket.ts";
import { LINK_RUNNERS, LinkProcess } from "../link-process.ts";
import { type Relay, TOKENS } from "../platform.ts";

const TOKEN = "link-token-of-the-tests";
const LINKED = {
  "nakurity-client.url": "link:neuro",
  "nakurity-client.backoff.base": "50ms",
  "intermediary.tokens":
    `[{name: pc, token: ${TOKEN}, scopes: [link]}, {name: other, token: other-token, scopes: [watch]}]`,
  "relays.names": "[default, test-*]",
};

const linkTo = ({ web }: Pick<Relay, "web">, neuro: Neuro, runner = LINK_RUNNERS.bun()): LinkProcess =>
  new LinkProcess(["--relay", web, "--neuro", neuro.url, "--token", TOKEN], runner);

async function statusOf(url: string): Promise<number> {
  const response = await fetch(url.replace(/^ws/, "http"), {
    headers: {
      ...{ upgrade: "websocket", connection: "Upgrade", "sec-websocket-version": "13" },
      "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    },
  });
  await response.body?.cancel();
  return response.status;
}

const listOf = async ({ web }: Pick<Relay, "web">): Promise<readonly string[]> => {
  const response = await fetch(`${web}/api/links`, { headers: { authorization: `Bearer ${TOKENS.web}` } });
  const { items } = await response.json() as { items: readonly { name: string; state: string }[] };
  return items.map(({ name, state }) => `${name} ${state}`);
};

export const link: readonly Case[] = [
  {
    name:
      "LK1 a link connects its Neuro to the relay: actions, forces and contexts pass as from a Neuro that the relay dials",
    setup: LINKED,
    async run(relay, neuro) {
      const pc = linkTo(relay, neuro);
      try {
        await neuro.hear(({ command }) => command === "startup", "the relay");
        const chess = await Game.join(relay, "Chess");
        chess.register("move");
        await neuro.knows("move");
        const id = neuro.act("move", '{"to":"e4"}');
        const action = await chess.action("move");
        check.equal(action.data, '{"to":"e4"}');
        chess.result(action.id, true, "done");
        check.equal((await neuro.resultOf(id)).success, true);
        chess.force("your move", ["move"]);
        await neuro.forced("your move");
        check.equal(await listOf(relay), ["neuro open"]);
      } finally {
        await pc.stop();
      }
    },
  },
  {
    name:
      "LK2 a link that ends, or is replaced, is a lost connection to Neuro; the next one connects her again, and the replaced one ends",
    setup: LINKED,
    async run(relay, neuro) {
      const chess = await Game.join(relay, "Chess");
      chess.register("move");
      const first = linkTo(relay, neuro);
      await neuro.knows("move");
      await first.stop("SIGKILL");
      await until(() => !neuro.isConnected, "the end");
      neuro.heard.length = 0;
      const second = linkTo(relay, neuro, LINK_RUNNERS.deno());
      await neuro.knows("move");
      second.signal("SIGSTOP"); // A computer that sleeps keeps its connections open.
      await Bun.sleep(5_100); // Why: a link replaces another one at most once in 5 s.
      neuro.heard.length = 0;
      const third = linkTo(relay, neuro);
      await neuro.knows("move");
      second.signal("SIGCONT");
      await second.prints("another program has taken over the link neuro");
      check.equal(await second.exited, 1);
      check.equal(chess.line.isOpen, true);
      await third.stop("SIGKILL");
    },
  },
  {
    name:
      "LK3 when Neuro ends the connection, the relay reconnects through the same link; a Neuro that cannot be reached is reported",
    setup: LINKED,
    async run(relay, neuro) {
      const pc = linkTo(relay, neuro);
      try {
        await neuro.hear(({ command }) => command === "startup", "the relay");
        neuro.heard.length = 0;
        neuro.drop();
        await neuro.hear(({ command }) => command === "startup", "the relay again");
        neuro.stop();
        await pc.prints("no connection to Neuro at");
        await until(() => /link neuro: /.test(relay.log()), "the reason in the relay's log");
        check.equal(await listOf(relay), ["neuro ready"]);
      } finally {
        await pc.stop();
      }
    },
  },
  {
    name:
      "LK4 a link needs a token with the scope link: none and a wrong one are 401, one without it is 403, an unknown name is 404",
    setup: LINKED,
    async run(relay) {
      const url = `${relay.web.replace(/^http/, "ws")}/link/neuro`;
      const statuses = [];
      for (const path of [url, `${url}?token=wrong`, `${url}?token=other-token`, `${url}x?token=${TOKEN}`]) {
        statuses.push(await statusOf(path));
      }
      check.equal(statuses, [401, 401, 403, 404]);
      const accepted = await JsonSocket.open(`${url}/`, { headers: { authorization: `Bearer ${TOKEN}` } });
      check.equal(accepted.isOpen, true);
      check.that(!relay.log().includes(TOKEN));
      const neuro = `${relay.urls.neuro}/?token=${TOKEN}`;
      check.equal(await statusOf(neuro), 401);
    },
  },
  {
    name: "LK5 a program that sends anything before it is asked is closed with 4400",
    setup: LINKED,
    async run(relay) {
      const stranger = await JsonSocket.open(`${relay.web.replace(/^http/, "ws")}/link/neuro?token=${TOKEN}`);
      await stranger.next(({ link }) => link === "dial", "the request");
      stranger.send({ command: "action", data: { id: "1", name: "move" } });
      check.equal((await stranger.closed).code, 4400);
    },
  },
  {
    name:
      "LK6 a game that connects to a link plays at the relay, under the token of the link, and keeps its socket when the connection to the relay ends",
    setup: { ...LINKED, "nakurity-backend.decider": "none" },
    async run(relay, neuro) {
      const pc = linkTo(relay, neuro);
      const games = new LinkProcess([
        ...["--relay", relay.web, "--listen", "127.0.0.1:0", "--game-token", TOKENS.neuro],
      ]);
      try {
        await games.prints("games can connect to ");
        const [, url = ""] = /connect to (\S+)/.exec(games.output) ?? [];
        const line = await JsonSocket.open(`${url}/`);
        const say = (command: string, data: object = {}) => line.send({ command, game: "Chess", data });
        say("startup");
        say("actions/register", { actions: [{ name: "move", description: "Moves." }] });
        await neuro.knows("move");
        const id = neuro.act("move");
        const action = await line.next(({ command }) => command === "action", "the action");
        say("action/result", { id: action.data.id, success: true });
        check.equal((await neuro.resultOf(id)).success, true);
        neuro.heard.length = 0;
        await fetch(`${relay.web}/api/integrations/chess/connection`, {
          method: "DELETE",
          headers: { authorization: `Bearer ${TOKENS.web}` },
        });
        await line.next(({ command }) => command === "actions/reregister_all", "the request for its actions");
        say("actions/register", { actions: [{ name: "move", description: "Moves." }] });
        await neuro.knows("move");
        check.equal(line.isOpen, true);
      } finally {
        await Promise.all([pc.stop("SIGKILL"), games.stop("SIGKILL")]);
      }
    },
  },
];
