/** Events over HTTP: as pages, and as a stream. */
import { test } from "#runner";
import { isObject, type JsonObject } from "../../../src/core/json.ts";
import { Game, integrate } from "../../conformance/clients.ts";
import { check } from "../../harness/check.ts";
import { ApiFixture, settingsOf, TOKENS } from "./api-fixture.ts";

/** A client of the stream. */
class EventStream {
  readonly response: Response;
  readonly #reader: Pick<ReadableStreamDefaultReader<Uint8Array>, "read" | "cancel">;
  #text = "";

  private constructor(response: Response) {
    this.response = response;
    if (response.body === null) throw new Error("no body");
    this.#reader = response.body.getReader();
  }

  static async open(
    { web }: ApiFixture,
    { query = "", token = TOKENS.watch, headers = {} }: {
      query?: string;
      token?: string;
      headers?: Readonly<Record<string, string>>;
    } = {},
  ): Promise<EventStream> {
    const all = { accept: "text/event-stream", authorization: `Bearer ${token}`, ...headers };
    return new EventStream(await fetch(`${web}/api/events${query}`, { headers: all }));
  }

  /** The next event: its id, and its data. */
  async next(): Promise<{ readonly id: string | undefined; readonly data: JsonObject }> {
    for (;;) {
      const end = this.#text.indexOf("\n\n");
      if (end >= 0) {
        const lines = this.#text.slice(0, end).split("\n");
        this.#text = this.#text.slice(end + 2);
        const field = (name: string) => lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
        const data = field("data");
        if (data === undefined) continue;
        const parsed: unknown = JSON.parse(data);
        check.that(isObject(parsed));
        return { id: field("id"), data: parsed };
      }
      const { done, value } = await this.#reader.read();
      if (done) throw new Error("the stream has ended");
      this.#text += new TextDecoder().decode(value);
    }
  }

  async ended(): Promise<void> {
    for (let done = false; !done;) ({ done } = await this.#reader.read());
  }

  leave(): Promise<void> {
    return this.#reader.cancel();
  }
}

test("AP70 events are sent as they come, and a client that returns gets those that it missed", () =>
  ApiFixture.with(async (fixture) => {
    const stream = await EventStream.open(fixture, { query: "?event=integration_connected" });
    check.equal(stream.response.headers.get("content-type"), "text/event-stream");
    const lamp = await integrate(fixture, "lamp");
    const first = await stream.next();
    check.equal([first.data.event, first.data.name, first.data.id], ["integration_connected", "lamp", first.id ?? ""]);
    await stream.leave();
    await integrate(fixture, "fan");
    const again = await EventStream.open(fixture, {
      query: "?event=integration_connected",
      headers: { "last-event-id": first.id ?? "" },
    });
    check.equal((await again.next()).data.name, "fan");
    await again.leave();
    const { items, missed } = await fixture.call("listEvents", {
      query: { after: first.id ?? "", event: "integration_connected", limit: 1 },
    });
    check.equal([missed, Array.isArray(items) && isObject(items[0]) && items[0].name], [0, "fan"]);
    const late = await EventStream.open(fixture, { headers: { "last-event-id": "1-1" } });
    check.equal((await late.next()).data, { event: "gap", missed: null });
    await late.leave();
    await lamp.close();
  }));

test("AP71 a stream is listed, limited, and ends with its token", () =>
  ApiFixture.with(async (fixture) => {
    const stream = await EventStream.open(fixture);
    const [listed] = await fixture.items("listWatchers");
    check.equal([listed?.name, listed?.via, listed?.token], ["eye", "stream", "eye"]);
    const refused = await fetch(`${fixture.web}/api/events`, {
      headers: { accept: "text/event-stream", authorization: `Bearer ${TOKENS.watch}` },
    });
    check.equal(refused.status, 503);
    const bad = await fetch(`${fixture.web}/api/events?after=x`, {
      headers: { accept: "text/event-stream", authorization: `Bearer ${TOKENS.watch}` },
    });
    check.equal(bad.status, 400);
    const nothing = await fetch(`${fixture.web}/api/events`, { headers: { accept: "text/event-stream" } });
    check.equal(nothing.status, 401);
    fixture.configure(settingsOf([`nakurity-client.url=${fixture.neuro.url}`, "intermediary.tokens=[]"]));
    await integrate(fixture, "lamp");
    await stream.ended();
    check.equal(await fixture.items("listWatchers"), []);
  }, ["limits.event_streams=1"]));

test("AP72 forces and actions without a result are listed", () =>
  ApiFixture.with(async (fixture) => {
    const chess = await Game.join(fixture, "Chess");
    chess.register("play");
    await fixture.neuro.knows("play");
    chess.force("Which move?", ["play"]);
    const force = await fixture.until("listForces", ({ items }) => Array.isArray(items) ? items[0] : undefined);
    check.that(isObject(force));
    check.equal([force.integration, force.query], ["chess", "Which move?"]);
    check.equal(await fixture.items("listForces", { query: { integration: "lamp" } }), []);
    fixture.neuro.act("play");
    const pending = await fixture.until("listPendingActions", ({ items }) => Array.isArray(items) ? items[0] : undefined);
    check.that(isObject(pending));
    check.equal([pending.action, pending.to, pending.is], ["play", ["chess"], "sent"]);
    check.equal(await fixture.items("listPendingActions", { query: { integration: "lamp" } }), []);
  }));

test("NB255 over sockets: Neuro asks a game to shut down with an action", () =>
  ApiFixture.with(async (fixture) => {
    const chess = await Game.join(fixture, "Chess");
    await fixture.neuro.knows("shut_down_chess");
    const id = fixture.neuro.act("shut_down_chess", '{"how":"graceful"}');
    check.equal(await chess.line.next(({ command }) => command === "shutdown/graceful"), {
      command: "shutdown/graceful",
      data: { wants_shutdown: true },
    });
    check.equal((await fixture.neuro.resultOf(id)).success, true);
  }, ["integrations=[{match: Chess, shutdown_action: true}]"]));
