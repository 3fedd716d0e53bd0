/** A backend that closes the connection because of a frame, and frames that are too large for it. */
import { test } from "#runner";
import fc from "fast-check";
import { isObject, type Json, type JsonObject } from "../../../../../src/core/json.ts";
import { check } from "../../../../harness/check.ts";
import { action, Scenario, type ScenarioOptions, started } from "../fixture.ts";

/** A backend that closes with `code` at the first frame that it does not take. */
class StrictBackend {
  readonly scenario: Scenario;
  readonly registered = new Set<string>();
  readonly rejected: string[] = [];
  readonly taken: JsonObject[] = [];
  connections = 0;
  readonly #code: number;
  readonly #takes: (text: string) => boolean;
  #link = "";
  #isOpen = false;

  constructor(options: ScenarioOptions, code: number, takes: (text: string) => boolean) {
    this.scenario = new Scenario(options);
    this.#code = code;
    this.#takes = takes;
  }

  /** Lets time pass. The backend accepts each dial and reads each frame. */
  pass(ms: number): void {
    for (let passed = 0; passed < ms; passed += 50) {
      this.scenario.pass(50);
      this.#accept();
      this.#read();
    }
  }

  #accept(): void {
    const dialled = this.scenario.dials.at(-1);
    if (dialled === undefined || dialled.link === this.#link) return;
    this.#link = dialled.link;
    this.#isOpen = true;
    this.connections++;
    this.registered.clear();
    this.scenario.step({ is: "dialed", link: dialled.link });
  }

  #read(): void {
    for (let frames = this.scenario.framesTo(this.#link); frames.length > 0; frames = this.scenario.framesTo(this.#link)) {
      for (const frame of frames) if (this.#isOpen) this.#receive(frame);
    }
  }

  #receive(frame: JsonObject): void {
    const text = JSON.stringify(frame);
    if (!this.#takes(text)) {
      this.rejected.push(text);
      this.#isOpen = false;
      const link = this.scenario.dials.at(-1)?.link;
      if (link !== undefined) this.scenario.step({ is: "dropped", link, code: this.#code, reason: "no" });
      return;
    }
    this.taken.push(frame);
    const { command, data } = frame;
    if (!isObject(data)) return;
    if (command === "actions/register") {
      for (const each of listOf(data["actions"])) this.registered.add(String(isObject(each) && each["name"]));
    }
    if (command === "actions/unregister") {
      for (const name of listOf(data["action_names"])) this.registered.delete(String(name));
    }
  }

  /** What it took of one command. */
  of(command: string): readonly JsonObject[] {
    return this.taken.filter((frame) => frame["command"] === command).map(({ data }) => (isObject(data) ? data : {}));
  }

  get refusals(): readonly string[] {
    return this.scenario.observed("input_refused").map(({ from, fault, reason }) => `${from}: ${fault}: ${reason}`);
  }
}

const listOf = (value: Json | undefined): readonly Json[] => (Array.isArray(value) ? value : []);
const withoutRate: ScenarioOptions = { neuros: [{ context_rate: 0 }] };
const big = (name: string, length: number) => ({ ...action(name), schema: { type: "object", title: "x".repeat(length) } });

test("NC50 an action that is too large for the backend is found and withheld, and everything else is registered", () => {
  for (const limit of [8_000, 20_000, 60_000]) {
    const backend = new StrictBackend(withoutRate, 1009, (text) => text.length <= limit);
    started(backend.scenario, "Chess", "a", "b", big("large", limit), ...Array.from({ length: 150 }, (_, at) => `c${at}`));
    started(backend.scenario, "Poker", ...Array.from({ length: 20 }, (_, at) => big(`p${at}`, 3_000)));
    backend.pass(120_000);
    const { connections } = backend;
    check.equal(backend.registered.size, 172, `${limit}`);
    check.that(!backend.registered.has("large"));
    check.equal(new Set(backend.rejected).size, backend.rejected.length, "no frame was sent twice");
    check.that(backend.rejected.length <= 8, `${backend.rejected.length} frames were rejected`);
    check.equal(backend.refusals.length, 1);
    check.match(
      backend.refusals[0] ?? "",
      /^Chess: tooBig: upstream neuro closed the connection \(1009: no\) because of the registration of large with \d+ characters; it is not sent again; `frame_bytes`/,
    );
    backend.pass(600_000);
    check.equal(backend.connections, connections, "it does not reconnect again");
  }
});

test("NC50b a withheld action is registered once its definition changes, and not before", () => {
  const backend = new StrictBackend(withoutRate, 1009, (text) => text.length <= 8_000);
  const chess = started(backend.scenario, "Chess", "a", big("large", 9_000));
  backend.pass(60_000);
  const { connections } = backend;
  chess.register(big("large", 9_000));
  chess.unregister("large").register(big("large", 9_000));
  backend.pass(10_000);
  check.equal([backend.connections, [...backend.registered]], [connections, ["a"]]);
  chess.register(big("large", 100));
  backend.pass(10_000);
  check.equal([backend.connections, [...backend.registered]], [connections, ["a", "large"]]);
});

test("NC51 an action whose content the backend rejects is found and withheld, whatever was sent at the same time", () => {
  const names = fc.uniqueArray(fc.integer({ min: 0, max: 199 }), { minLength: 1, maxLength: 3 });
  fc.assert(
    fc.property(names, (bad) => {
      const backend = new StrictBackend(withoutRate, 1007, (text) => !text.includes("BAD"));
      const all = Array.from(
        { length: 200 },
        (_, at) => ({ ...action(`a${at}`), description: bad.includes(at) ? "BAD" : "d" }),
      );
      const chess = started(backend.scenario, "Chess", ...all.slice(0, 100));
      started(backend.scenario, "Poker", ...all.slice(100));
      chess.force(["a0", "a1", "a2", "a3"]);
      backend.pass(300_000);
      check.equal(backend.registered.size, 200 - bad.length);
      check.equal(backend.refusals.length, bad.length, backend.refusals.join("\n"));
      for (const at of bad) {
        check.that(
          backend.refusals.some((text) => text.startsWith(at < 100 ? "Chess: " : "Poker: ") && text.includes(`of a${at} `)),
        );
      }
      const { connections } = backend;
      check.that(connections <= 2 + 9 * bad.length, `${connections} connections for ${bad.length}`);
      check.equal(new Set(backend.rejected).size, backend.rejected.length, "no frame was sent twice");
      check.that(backend.of("actions/force").length >= 1, "the force was sent");
      chess.context("hello");
      backend.pass(1_000);
      check.equal(backend.of("context").at(-1)?.["message"], "[Chess] hello");
      backend.pass(300_000);
      check.equal(backend.connections, connections);
    }),
    { numRuns: 15 },
  );
});

test("NC52 a force, a context or a result that the backend rejects is not sent again, and its sender is told", () => {
  for (const code of [1007, 1009]) {
    const takes = (text: string) => !text.includes("BAD");
    const bad = "BAD".padEnd(5_000, "x");
    const chess = (backend: StrictBackend) => {
      const game = started(backend.scenario, "Chess", "a");
      started(backend.scenario, "Poker", "bet");
      backend.pass(30_000);
      return game;
    };
    const cases: [string, (backend: StrictBackend) => void, RegExp][] = [
      ["context", (backend) => void chess(backend).context(bad), /a context with/],
      ["force", (backend) => void chess(backend).force(["a"], { query: bad }), /a force with/],
      ["result", (backend) => {
        const game = chess(backend);
        const link = backend.scenario.dials.at(-1)?.link;
        const frame = JSON.stringify({ command: "action", data: { id: "1", name: "a" } });
        if (link !== undefined) backend.scenario.step({ is: "received", link, frame });
        game.say("action/result", { id: game.lastId(), success: true, message: bad });
      }, /a result with/],
    ];
    for (const [what, send, expected] of cases) {
      const backend = new StrictBackend(withoutRate, code, takes);
      send(backend);
      backend.pass(60_000);
      check.equal([backend.connections, backend.rejected.length], [2, 1], `${what} ${code}`);
      check.equal([...backend.registered], ["a", "bet"]);
      check.equal(backend.refusals.length, 1, backend.refusals.join("\n"));
      check.match(backend.refusals[0] ?? "", expected);
      check.match(backend.refusals[0] ?? "", /^Chess: /);
    }
  }
});

test("NC52b of several frames with content that may be the cause, none is sent more than twice, and the senders are told", () => {
  const backend = new StrictBackend(withoutRate, 1007, (text) => !text.includes("BAD"));
  const chess = started(backend.scenario, "Chess", "a");
  const poker = started(backend.scenario, "Poker", "bet");
  backend.pass(30_000);
  poker.context("BAD");
  chess.force(["a"]).context("fine");
  poker.register("raise");
  backend.pass(60_000);
  check.equal([...backend.registered], ["a", "bet", "raise"]);
  check.equal(backend.rejected.length, 1);
  check.equal(backend.of("actions/force").length, 1);
  check.that(backend.refusals.some((text) => text.startsWith("Poker: ")), backend.refusals.join("\n"));
});

test("NC53 no frame is larger than `frame_bytes`: a text is shortened, any other message is refused, and the sender is told", () => {
  const frameBytes = 20_000;
  const options: ScenarioOptions = { neuros: [{ context_rate: 0, frame_bytes: frameBytes }] };
  const long = [
    "x".repeat(50_000),
    "\u0001".repeat(50_000),
    "語".repeat(50_000),
    "😀".repeat(25_000),
    "\ud800".repeat(50_000),
  ];
  for (const text of long) {
    const title = text.slice(0, 50_000 / (new TextEncoder().encode(JSON.stringify(text)).length / text.length));
    const backend = new StrictBackend(options, 1009, (frame) => new TextEncoder().encode(frame).length <= frameBytes);
    const chess = started(backend.scenario, "Chess", "a", {
      ...action("large"),
      schema: { type: "object", title },
    });
    started(backend.scenario, "Poker", "bet");
    backend.pass(1_000);
    chess.context(text).force(["a"], { query: text, state: text });
    chess.force(["a", ...Array.from({ length: 400 }, (_, at) => `${at}`.padStart(60, "n"))]);
    backend.pass(30_000);
    check.equal([backend.connections, backend.rejected], [1, []]);
    check.equal([...backend.registered].sort(), ["a", "bet"]);
    check.match(
      backend.refusals[0] ?? "",
      /^Chess: tooBig: actions\/register of large is not sent: the frame has \d+ bytes; `frame_bytes` of the upstream neuro allows 20000$/,
    );
    const hints = backend.scenario.observed("input_repaired").filter(({ what }) => what === "text_shortened");
    check.that(hints.every(({ from, hint }) => from === "Chess" && hint.includes("allows 20000")) && hints.length >= 2);
    check.match(String(backend.of("context")[0]?.["message"]), / \[\.\.\.\]$/);
  }
});

test("NC53b an integration of the Intermediary gets `neuro-relay/refused` with the reason", () => {
  const backend = new StrictBackend({ neuros: [{ frame_bytes: 20_000 }] }, 1009, () => true);
  const jukebox = backend.scenario.integration("jukebox");
  backend.pass(1_000);
  const schema = { type: "object", title: "x".repeat(30_000) };
  backend.scenario.post({
    is: "gameMessage",
    peer: jukebox.peer,
    message: { command: "actions/register", actions: [{ name: "large", description: "d", schema }] },
  });
  const refused = backend.scenario.posted().flatMap((message) => (message.is === "neuroMessage" ? [message.message] : []));
  check.equal(refused.map((message) => message.command === "other" && [message.name, message.data?.["code"]]), [
    ["neuro-relay/refused", "tooBig"],
  ]);
});
