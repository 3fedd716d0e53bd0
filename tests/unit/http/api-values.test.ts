/** Values in the requests and replies of the API keep their text. */
import { test } from "#runner";
import fc from "fast-check";
import { isObject, type Json } from "../../../src/core/json.ts";
import { ApiClient } from "../../../src/clients/api-client.ts";
import { check } from "../../harness/check.ts";
import { spelledJson, SPELLINGS } from "../../harness/spelled-json.ts";
import { ApiFixture, TOKENS } from "./api-fixture.ts";

/** A peer over a real socket, with the texts that it received. */
class Line {
  readonly received: string[] = [];
  readonly #socket: WebSocket;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.onmessage = ({ data }) => void this.received.push(String(data));
  }

  static async open(url: string, ...texts: readonly string[]): Promise<Line> {
    const line = new Line(new WebSocket(url));
    await new Promise((resolve) => (line.#socket.onopen = resolve));
    for (const text of texts) line.#socket.send(text);
    return line;
  }

  send(text: string): void {
    this.#socket.send(text);
  }

  async next(part: string): Promise<string> {
    for (const end = performance.now() + 8_000; performance.now() < end; await Bun.sleep(2)) {
      const at = this.received.findIndex((text) => text.includes(part));
      const [found] = this.received.splice(0, at + 1).slice(-1);
      if (found !== undefined) return found;
    }
    throw new Error(`waited for ${part}`);
  }
}

/** Waits until the game has its action. */
const registered = (fixture: ApiFixture): Promise<boolean> =>
  fixture.until(
    "listIntegrations",
    ({ items }) => Array.isArray(items) && items.some((item) => isObject(item) && item.actions === 1) ? true : undefined,
  );

test("EX10 a command, an action and a raw message of the API reach their peer with the text of each value", () =>
  ApiFixture.with(async (fixture) => {
    const lamp = await Line.open(
      fixture.urls.intermediary,
      JSON.stringify({ type: "integration", name: "lamp", auth_token: TOKENS.all }),
    );
    const game = await Line.open(
      fixture.urls.neuro,
      '{"command":"startup","game":"Chess"}',
      '{"command":"actions/register","game":"Chess","data":{"actions":[{"name":"play","description":"Plays.","schema":{"type":"object"}}]}}',
    );
    await registered(fixture);
    const sent = async (id: string, body: string): Promise<Json> =>
      (await fixture.request(id, { path: { id: "chess" }, body })).body;
    const holds = async (text: string): Promise<void> => {
      await sent("sendCommand", `{"to":"lamp","cmd":{"v":${text}}}`);
      check.that((await lamp.next("from_watcher")).includes(`"cmd":{"v":${text}}`), text);
      const outcome = sent("sendAction", `{"name":"play","data":{"v":${text}}}`);
      const { data: { id, data } } = JSON.parse(await game.next('"action"'));
      check.equal(data, `{"v":${text}}`);
      game.send(JSON.stringify({ command: "action/result", game: "Chess", data: { id, success: true } }));
      await outcome;
      await sent("injectIntegrationMessage", `{"message":{"command":"x","v":${text},"__proto__":1.0}}`);
      check.equal(await game.next('"command":"x"'), `{"command":"x","v":${text},"__proto__":1.0}`);
    };
    await holds(`[${SPELLINGS.join(",")}]`);
    await fc.assert(fc.asyncProperty(spelledJson, holds), { numRuns: 25 });
  }, ["limits.messages_per_second=0"]));

test("EX10b the API client shows schemas with the text of each value", () =>
  ApiFixture.with(async (fixture) => {
    const client = new ApiClient({ url: fixture.web, token: TOKENS.web });
    const values = `[${SPELLINGS.join(",")}]`;
    const schema = `{"type":"object","properties":{"id":{"enum":${values}}}}`;
    await Line.open(
      fixture.urls.neuro,
      '{"command":"startup","game":"Chess"}',
      `{"command":"actions/register","game":"Chess","data":{"actions":[{"name":"play","description":"Plays.","schema":${schema}}]}}`,
    );
    await registered(fixture);
    check.that(JSON.stringify(await client.request<Json>("GET", "integrations/chess")).includes(`"schema":${schema}`));
  }));
