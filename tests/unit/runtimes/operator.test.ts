/** Operators of a running relay: by HTTP, over real sockets, and over a kill. */
import { test } from "#runner";
import { globSync } from "node:fs";
import { check } from "../../harness/check.ts";
import { inFolder, RelayProcess } from "../../harness/relay.ts";
import { JsonClient, type Message } from "../../harness/json-client.ts";

const SETS = ["web.enabled=true", "web.port=0", "queue.backend=fs", "nakurity-backend.decider=none"];

/** Calls the API of a relay with the token in its printed URL. */
function api(web: string): (method: string, path: string, body?: object) => Promise<{ status: number; body: Message }> {
  const { origin, hash } = new URL(web);
  const token = hash.replace(/^#(?:token=)?/, "");
  return async (method, path, body) => {
    const headers = { "authorization": `Bearer ${token}`, "content-type": "application/json" };
    const response = await fetch(`${origin}/api${path}`, {
      method,
      headers,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: text === "" ? undefined : JSON.parse(text) };
  };
}

const isAction = ({ command }: Message): boolean => command === "action";

async function game(url: string): Promise<JsonClient> {
  const client = await JsonClient.open(url);
  client.send({ command: "startup", game: "Chess" });
  const actions = [{
    name: "move",
    description: "moves",
    schema: { type: "object", properties: { to: { type: "string" } } },
  }];
  return client.send({ command: "actions/register", game: "Chess", data: { actions } });
}

/** Repeats a request until the condition holds, because games and requests use different sockets. */
async function until<T>(ask: () => Promise<T>, isSo: (answer: T) => boolean): Promise<T> {
  const end = performance.now() + 10_000;
  for (;;) {
    const answer = await ask();
    if (isSo(answer)) return answer;
    if (performance.now() > end) throw new Error(`never so: ${JSON.stringify(answer)}`);
  }
}

test(
  "NB220 NB222 an operator sends an action and answers a force, and receives the game's results",
  () =>
    inFolder(async (folder) => {
      const relay = await RelayProcess.start(folder, SETS);
      try {
        const ask = api(relay.urls.web);
        const chess = await game(relay.urls.neuro);
        await until(() => ask("GET", "/integrations/chess"), ({ status, body }) => status === 200 && body.actions === 1);
        const outcome = ask("POST", "/integrations/chess/actions", { name: "move", data: { to: "e4" } });
        const { data } = await chess.next(isAction);
        check.equal([data.name, JSON.parse(data.data)], ["move", { to: "e4" }]);
        chess.send({ command: "action/result", game: "Chess", data: { id: data.id, success: true, message: "e4" } });
        const { status, body } = await outcome;
        check.equal([status, body.success, body.message], [200, true, "e4"]);
        chess.send({
          command: "actions/force",
          game: "Chess",
          data: { query: "?", action_names: ["move"], ephemeral_context: false },
        });
        const overview = await until(
          () => ask("GET", "/overview"),
          ({ body }) => body.services.neuro.upstreams[0].force !== null,
        );
        const force = overview.body.services.neuro.upstreams[0].force.id;
        const answer = ask("POST", `/forces/${force}/answer`, { name: "move", data: { to: "d4" } });
        const second = await chess.next(isAction);
        chess.send({ command: "action/result", game: "Chess", data: { id: second.data.id, success: true } });
        check.equal((await answer).body.success, true);
        await until(() => ask("GET", "/overview"), ({ body }) => body.services.neuro.upstreams[0].force === null);
        chess.close();
      } finally {
        await relay.stop();
      }
    }),
  { timeoutMs: 60_000 },
);

test("NB205 IM99 an operator's decisions and their audit log survive a kill", () =>
  inFolder(async (folder) => {
    const first = await RelayProcess.start(folder, SETS);
    const before = api(first.urls.web);
    const chess = await game(first.urls.neuro);
    await until(() => before("GET", "/integrations/chess"), ({ status }) => status === 200);
    check.equal((await before("PATCH", "/integrations/chess", { paused: true })).body.paused, true);
    check.equal((await before("PATCH", "/controls", { approval: true })).status, 200);
    await until(() => before("GET", "/audit"), ({ body }) => body.items.length === 2);
    // Why the files, too: an entry of the audit log is listed as soon as it is being written (A2).
    await until(() => Promise.resolve(globSync("**/entries/intermediary/audit/*/*", { cwd: folder })), (files) =>
      files.length === 2);
    chess.close();
    await first.stop("SIGKILL");
    const second = await RelayProcess.start(folder, SETS);
    try {
      const after = api(second.urls.web);
      const { body } = await after("GET", "/integrations/chess");
      check.equal([body.paused, body.connected, body.name], [true, false, "Chess"]);
      check.equal((await after("GET", "/overview")).body.services.neuro.controls, {
        stopped: false,
        approval: true,
        behaviour: null,
      });
      const audit = (await after("GET", "/audit")).body.items.map(({ action, target }: Message) =>
        `${action} ${target}`
      );
      check.equal(audit, ["require_approval all", "pause chess"]);
      await game(second.urls.neuro);
      const back = await until(() => after("GET", "/integrations/chess"), ({ body: { connected, actions } }) =>
        connected && actions === 1);
      check.equal(back.body.visible, false);
    } finally {
      await second.stop();
    }
  }), { timeoutMs: 60_000 });
