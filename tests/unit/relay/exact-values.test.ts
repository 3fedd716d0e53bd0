/**
 * What one peer says to another arrives with the same text for every value: one property for each channel, in a whole relay on virtual
 * time.
 */
import { test } from "#runner";
import fc from "fast-check";
import { DEFAULTS, PUBLISHED_TOKEN, UPSTREAM_DEFAULTS } from "../../../src/core/defaults.ts";
import type { ListenerName } from "../../../src/core/event.ts";
import type { ServiceRequest } from "../../../src/core/request.ts";
import type { Settings } from "../../../src/core/settings.ts";
import { parseJson } from "../../../src/core/json.ts";
import { services } from "../../../src/relay/services.ts";
import type { TestSocket } from "../../../src/testing/network.ts";
import { SimulatedRelay } from "../../../src/testing/simulated-relay.ts";
import { check } from "../../harness/check.ts";
import { spelledJson, spelledNumber, SPELLINGS } from "../../harness/spelled-json.ts";

const ENHANCED = "enhanced-token";
const SETTINGS: Settings = {
  ...DEFAULTS,
  "dependency-authentication": { "neuro-os": { auth_token: ENHANCED } },
  "nakurity-clients": [{ ...UPSTREAM_DEFAULTS, url: "ws://neuro" }],
  limits: { ...DEFAULTS.limits, messages_per_second: 0, bytes_per_second: 0 },
};
const STANDALONE: Settings = {
  ...SETTINGS,
  "nakurity-clients": [],
  "nakurity-backend": { ...DEFAULTS["nakurity-backend"], enabled: true },
};

/** One end of a connection, with the texts that it received. */
class Line {
  readonly received: string[] = [];
  readonly #socket: TestSocket;
  readonly #simulation: SimulatedRelay;

  constructor(socket: TestSocket, simulation: SimulatedRelay) {
    this.#socket = socket;
    this.#simulation = simulation;
    socket.onFrame = (frame) => void this.received.push(String(frame));
  }

  /** Sends a text as it is. */
  async send(text: string): Promise<void> {
    this.#socket.send(text);
    await this.#simulation.advance(10);
  }

  async leave(): Promise<void> {
    this.#socket.close();
    await this.#simulation.advance(10);
  }

  /** The oldest text that contains the part; it and all before it are removed. */
  next(part: string): string {
    const at = this.received.findIndex((text) => text.includes(part));
    const [found] = this.received.splice(0, at + 1).slice(-1);
    if (at < 0 || found === undefined) throw new Error(`no ${part} in ${this.received.join("\n").slice(0, 2_000)}`);
    return found;
  }
}

class Setup {
  readonly simulation: SimulatedRelay;
  readonly neuro: { line: Line | undefined } = { line: undefined };

  private constructor(settings: Settings) {
    this.simulation = new SimulatedRelay({ settings, services });
    this.simulation.network.accept = () => (socket) => {
      this.neuro.line = new Line(socket, this.simulation);
    };
  }

  static async start(settings: Settings = SETTINGS): Promise<Setup> {
    const setup = new Setup(settings);
    await setup.simulation.started();
    await setup.simulation.advance(30_000); // Why: the simulated network loses a dial during the start.
    return setup;
  }

  /** Kills the relay after its writes, and starts it again. */
  async restart(): Promise<void> {
    await this.simulation.advance(10_000);
    this.simulation.crash();
    await this.simulation.started();
    await this.simulation.advance(30_000);
  }

  async connect(listener: ListenerName, ...texts: readonly string[]): Promise<Line> {
    const line = new Line(this.simulation.network.connect(listener), this.simulation);
    await this.simulation.advance(10);
    for (const text of texts) await line.send(text);
    return line;
  }

  watcher = (): Promise<Line> => this.connect("intermediary", greeting("neuro-os", "desk", ENHANCED));
  integration = (name: string): Promise<Line> => this.connect("intermediary", greeting("integration", name));
  game = (name: string, actions: string): Promise<Line> =>
    this.connect(
      "neuro",
      `{"command":"startup","game":"${name}"}`,
      `{"command":"actions/register","game":"${name}","data":{"actions":${actions}}}`,
    );

  get upstream(): Line {
    if (this.neuro.line === undefined) throw new Error("the relay has not connected to Neuro");
    return this.neuro.line;
  }

  async request(request: ServiceRequest): Promise<string> {
    const pending = this.simulation.engine?.request(request, { by: "test", scopes: ["watch", "command", "admin"] });
    await this.simulation.advance(10);
    return JSON.stringify(await pending);
  }
}

const greeting = (type: string, name: string, token: string = PUBLISHED_TOKEN): string =>
  JSON.stringify({ type, name, auth_token: token });

/** A property of all JSON texts. The spellings that programs change most often are always among them. */
async function forEachValue(holds: (text: string) => Promise<void>): Promise<void> {
  await holds(`{"channel_id":[${SPELLINGS.join(",")}]}`);
  await fc.assert(fc.asyncProperty(spelledJson, holds), { numRuns: 40 });
}

/** A property of all texts of numbers. */
async function forEachNumber(holds: (text: string) => Promise<void>): Promise<void> {
  for (const text of SPELLINGS) await holds(text);
  await fc.assert(fc.asyncProperty(spelledNumber, holds), { numRuns: 40 });
}

const ANY = '[{"name":"move","description":"Moves.","schema":{"type":"object"}}]';

test("EX2 a command reaches a connected integration with the text of each value", async () => {
  const setup = await Setup.start();
  const [integration, watcher] = [await setup.integration("discord"), await setup.watcher()];
  await forEachValue(async (text) => {
    await watcher.send(`{"target":"discord","cmd":{"v":${text}}}`);
    check.equal(integration.next("from_watcher"), `{"from_watcher":"desk","cmd":{"v":${text}}}`);
  });
});

test("EX2b a command reaches all integrations at once with the text of each value", async () => {
  const setup = await Setup.start();
  const [integration, watcher] = [await setup.integration("discord"), await setup.watcher()];
  await forEachValue(async (text) => {
    await watcher.send(`{"target":"*","cmd":[${text}]}`);
    check.equal(integration.next("from_watcher"), `{"from_watcher":"desk","cmd":[${text}]}`);
  });
});

test("EX3 a queued command keeps the text of each value, also over a restart", async () => {
  const setup = await Setup.start();
  const watcher = await setup.watcher();
  const texts = [`{"channel_id":[${SPELLINGS.join(",")}]}`, ...fc.sample(spelledJson, 30)];
  for (const name of ["waits", "restarts"]) {
    await (await setup.integration(name)).leave();
    for (const text of texts) await watcher.send(`{"target":"${name}","cmd":{"v":${text}}}`);
  }
  const arrive = async (name: string) => {
    const integration = await setup.integration(name);
    await setup.simulation.advance(60_000);
    for (const text of texts) check.that(integration.next("from_watcher").includes(`"cmd":{"v":${text}}`), text);
  };
  await arrive("waits");
  await setup.restart();
  await arrive("restarts");
});

test("EX4 an event of an integration reaches watchers, and Neuro as context, with the text of each value", async () => {
  const setup = await Setup.start();
  const [integration, watcher] = [await setup.integration("discord"), await setup.watcher()];
  await forEachValue(async (text) => {
    await integration.send(`{"event":"changed","payload":{"v":${text}}}`);
    check.that(watcher.next("integration_message").includes(`"payload":{"event":"changed","payload":{"v":${text}}}`), text);
    await setup.simulation.advance(2_000);
    const context: { data: { message: string } } = JSON.parse(setup.upstream.next('"context"'));
    check.that(context.data.message.includes(`{"v":${text}}`), context.data.message);
  });
});

test("EX4b an event keeps its text where a credential is removed from it", async () => {
  const setup = await Setup.start();
  const [integration, watcher] = [await setup.integration("discord"), await setup.watcher()];
  await forEachValue(async (text) => {
    await integration.send(`{"event":"changed","auth_token":"${PUBLISHED_TOKEN}","payload":{"v":${text}}}`);
    check.that(watcher.next("integration_message").includes(`"payload":{"event":"changed","payload":{"v":${text}}}`), text);
  });
});

test("EX5 a request id comes back with its text", async () => {
  const setup = await Setup.start();
  const watcher = await setup.watcher();
  await forEachNumber(async (text) => {
    await watcher.send(`{"query":"peers","request_id":${text}}`);
    check.that(watcher.next('"peers"').includes(`"request_id":${text}}`), text);
  });
});

test("EX6 the data of a choice of a watcher or an integration reaches its game with the text of each value", async () => {
  const setup = await Setup.start(STANDALONE);
  const game = await setup.game("Chess", ANY);
  const [integration, watcher] = [await setup.integration("discord"), await setup.watcher()];
  await forEachValue(async (text) => {
    for (const chooser of [watcher, integration]) {
      await chooser.send(`{"choice":{"selected":"move","data":{"v":${text}}}}`);
      check.equal(dataOf(game.next('"action"')), `{"v":${text}}`);
    }
  });
});

test("EX7 the data of Neuro's action, as text or as an object, reaches a game and an integration with the text of each value", async () => {
  const setup = await Setup.start();
  const game = await setup.game("Chess", ANY);
  const integration = await setup.integration("discord");
  await integration.send(
    '{"event":"register_actions","actions":[{"name":"post","description":"Posts.","schema":{"type":"object"}}]}',
  );
  let count = 0;
  await forEachValue(async (text) => {
    for (const data of [`{"v":${text}}`, JSON.stringify(`{"v":${text}}`)]) {
      for (const [name, peer] of [["move", game], ["post", integration]] as const) {
        await setup.upstream.send(`{"command":"action","data":{"id":${++count}.0,"name":"${name}","data":${data}}}`);
        const action = peer.next('"action"');
        check.equal(dataOf(action), `{"v":${text}}`);
        const { id } = JSON.parse(action).data ?? JSON.parse(action).payload;
        const result = JSON.stringify({ command: "action/result", game: "Chess", data: { id, success: true } });
        await peer.send(peer === game ? result : result.replace('"game":"Chess",', ""));
        check.that(setup.upstream.next('"action/result"').includes(`"id":"${count}.0"`));
      }
    }
  });
});

test("EX8 a schema reaches Neuro with the text of each value, also after a restart and with a repair in it", async () => {
  const setup = await Setup.start();
  const lists = [SPELLINGS, ...fc.sample(fc.uniqueArray(spelledNumber, { minLength: 1, maxLength: 4 }), 15)];
  const schemas = lists.flatMap((values, at) =>
    ["integer", "int"].map((type) => {
      const schema = (spelled: string): string =>
        `{"type":"object","properties":{"id":{"type":"${spelled}","enum":[${values.join(",")}],"default":${values[0]}}}}`;
      return { game: `${type} ${at}`, name: `"${type}_${at}"`, given: schema(type), expected: schema("integer") };
    })
  );
  for (const { game, name, given, expected } of schemas) {
    await setup.game(game, `[{"name":${name},"description":"Acts.","schema":${given}}]`);
    check.that(setup.upstream.next(name).includes(`"schema":${expected}`), expected);
  }
  await setup.restart();
  for (const { game } of schemas) {
    await setup.connect("neuro", `{"command":"context","game":"${game}","data":{"message":"back","silent":true}}`);
  }
  await setup.simulation.advance(30_000);
  const { received } = setup.upstream;
  for (const { name, expected } of schemas) {
    check.that(received.some((frame) => frame.includes(name) && frame.includes(expected)), `${name} ${expected}`);
  }
});

test("EX8b the numbers of keywords keep their text in a schema, and a number as text becomes the number that is written there", async () => {
  const setup = await Setup.start();
  await setup.game(
    "Chess",
    '[{"name":"a","description":"A.","schema":{"type":"object","properties":{"x":{"type":"number","minimum":0.0,' +
      '"maximum":1E400,"multipleOf":1e-2,"exclusiveMinimum":"18446744073709551615"},"y":{"type":"string","minLength":1.0}}}}]',
  );
  check.that(
    setup.upstream.next('"a"').includes(
      '"minimum":0.0,"maximum":1E400,"multipleOf":1e-2,"exclusiveMinimum":18446744073709551615},' +
        '"y":{"type":"string","minLength":1.0}',
    ),
  );
});

test("EX8c a schema of an integration reaches Neuro and other peers with the text of each value", async () => {
  const setup = await Setup.start();
  const [integration, watcher] = [await setup.integration("discord"), await setup.watcher()];
  let count = 0;
  await forEachNumber(async (text) => {
    const schema = `{"type":"object","properties":{"id":{"enum":[${text}]}}}`;
    const name = `post_${++count % 50}`;
    const actions = count % 2 === 0
      ? `{"${name}":{"description":"Posts.","schema":${schema}}}`
      : `[{"name":"${name}","description":"Posts.","schema":${schema}}]`;
    await integration.send(`{"event":"register_actions","actions":${actions}}`);
    await setup.simulation.advance(1_000);
    check.that(setup.upstream.received.some((frame) => frame.includes(name) && frame.includes(schema)), schema);
    await watcher.send('{"query":"get_registered_actions"}');
    check.that(watcher.next('{"actions":{').includes(schema), schema);
  });
});

test("EX9 in a context, a state or a result message given as an object each value keeps its text", async () => {
  const setup = await Setup.start();
  const game = await setup.game("Chess", ANY);
  const integration = await setup.integration("discord");
  await forEachValue(async (text) => {
    for (const sender of [game, integration]) {
      await sender.send(`{"command":"context","game":"Chess","data":{"message":{"v":${text}},"silent":true}}`);
      await setup.simulation.advance(1_000);
      const { data: { message } } = JSON.parse(setup.upstream.next('"context"'));
      check.that(message.endsWith(`{"v":${text}}`), message);
    }
    await setup.upstream.send('{"command":"action","data":{"id":"1","name":"move"}}');
    const { data: { id } } = JSON.parse(game.next('"action"'));
    await game.send(
      `{"command":"action/result","game":"Chess","data":{"id":"${id}","success":true,"message":{"v":${text}}}}`,
    );
    check.equal(JSON.parse(setup.upstream.next('"action/result"')).data.message, `{"v":${text}}`);
  });
  await forEachValue(async (text) => {
    await game.send(
      `{"command":"actions/force","game":"Chess","data":{"state":{"v":${text}},"query":"?","action_names":["move"]}}`,
    );
    check.equal(JSON.parse(setup.upstream.next('"actions/force"')).data.state, `{"v":${text}}`);
    await setup.upstream.send('{"command":"action","data":{"id":"1","name":"move"}}');
    const { data: { id } } = JSON.parse(game.next('"action"'));
    await game.send(`{"command":"action/result","game":"Chess","data":{"id":"${id}","success":true}}`);
    await setup.simulation.advance(30_000);
    setup.upstream.next('"action/result"');
  });
});

test("EX10 messages that the API sends keep the text of each value: commands, actions, raw messages", async () => {
  const setup = await Setup.start();
  const game = await setup.game("Chess", ANY);
  const integration = await setup.integration("discord");
  await forEachValue(async (text) => {
    const body = parseJson(`{"v":${text}}`, 64) ?? null;
    await setup.request({ of: "intermediary", do: "sendCommand", from: "web", to: "discord", cmd: body });
    check.equal(integration.next("from_watcher"), `{"from_watcher":"web","cmd":{"v":${text}}}`);
    await setup.request({ of: "neuro", do: "injectMessage", integration: "chess", message: body });
    check.equal(game.next('"v"'), `{"v":${text}}`);
    await setup.request({ of: "neuro", do: "injectMessage", message: body });
    check.equal(setup.upstream.next('"v"'), `{"v":${text}}`);
  });
});

test("EX11 a message of Neuro that the relay does not know reaches watchers with its text", async () => {
  const setup = await Setup.start();
  const watcher = await setup.watcher();
  await forEachValue(async (text) => {
    const message = `{"command":"from/tomorrow","data":{"v":${text}}}`;
    await setup.upstream.send(message);
    check.equal(JSON.parse(watcher.next("backend_message")).payload, message);
  });
});

test("EX11b a message of a watcher for Neuro keeps the text of each value", async () => {
  const setup = await Setup.start();
  const watcher = await setup.watcher();
  await forEachValue(async (text) => {
    await watcher.send(`{"direct_to_neuro":true,"payload":{"v":${text}}}`);
    await setup.simulation.advance(1_000);
    check.that(JSON.parse(setup.upstream.next('"context"')).data.message.endsWith(`{"v":${text}}`), text);
  });
});

test("EX12 the state of a Brain session keeps the text of each value, also after a restart", async () => {
  const setup = await Setup.start();
  const isFinite = spelledNumber.filter((text) => Number.isFinite(Number(text)));
  const client = await setup.connect("brain", '{"cmd":"CreateSession"}');
  const { session_id: id } = JSON.parse(client.next("SessionCreated"));
  let state = "";
  let count = 0;
  await fc.assert(
    fc.asyncProperty(isFinite, async (text) => {
      await client.send(
        `{"cmd":"ApplyOperator","session_id":"${id}","operator":"ST","params":{"changes":{"v${++count}":[${text}]}},"request_id":${text}}`,
      );
      await setup.simulation.advance(1_000);
      const frame = client.next("State.Snapshot");
      check.that(frame.includes(`"v${count}":[${text}]`) && frame.includes(`"request_id":${text}`), frame);
      state = frame.slice(frame.indexOf('"state"'), frame.indexOf(',"request_id"'));
    }),
    { numRuns: 40 },
  );
  await setup.restart();
  const again = await setup.connect(
    "brain",
    `{"cmd":"GetState","session_id":"${id}"}`,
    `{"cmd":"ReplaySession","session_id":"${id}"}`,
  );
  await setup.simulation.advance(5_000);
  check.that(again.next("State.Snapshot").includes(state));
  check.that(again.next("Replay.Report").includes('"ok":true'));
});

test("EX12b forks, audits, followers and predictions of the Brain keep the text of each number", async () => {
  const setup = await Setup.start();
  const values = `[${SPELLINGS.filter((text) => Number.isFinite(Number(text))).join(",")}]`;
  const client = await setup.connect("brain", `{"cmd":"CreateSession","owner":${values},"initial_state":{"v":${values}}}`);
  const { session_id: id } = JSON.parse(client.next("SessionCreated"));
  const follower = await setup.connect("brain", `{"cmd":"Subscribe","session_id":"${id}"}`);
  const params = `{"changes":{"long":"${"x".repeat(2_000)}","w":${values}}}`;
  for (const operator of ["ST", "CH"]) {
    await client.send(`{"cmd":"ApplyOperator","session_id":"${id}","operator":"${operator}","params":${params}}`);
    check.that(client.next("State.Snapshot").includes(`"v":${values},"long"`), operator);
    check.that(follower.next("State.Delta").includes(`"w":${values}`) || operator === "CH", operator);
  }
  await client.send(`{"cmd":"ForkSession","session_id":"${id}","at_seq":0}`);
  const { child } = JSON.parse(client.next("SessionForked"));
  await setup.restart();
  const again = await setup.connect(
    "brain",
    `{"cmd":"GetAudit","session_id":"${id}"}`,
    `{"cmd":"GetState","session_id":"${child}"}`,
  );
  const audit = again.next("Audit.Page");
  check.that(
    audit.includes(`"owner":${values},"initial_state":{"v":${values}}`) && audit.includes(`"params":${params}`),
    audit,
  );
  check.that(again.next("State.Snapshot").includes(`"state":{"v":${values}}`));
  await again.send('{"cmd":"Infer","trace_id":1183749237498237443,"payload":{},"args":[1.0,1e-1]}');
  check.that(again.next("infer_result").includes('"trace_id":1183749237498237443'));
  await again.send('{"cmd":"GetPrediction","trace_id":1183749237498237443}');
  check.that((again.received.pop() ?? "").includes('"trace_id":1183749237498237443'));
});

test("EX13 a number that JavaScript would change is read as a number where the protocol asks for one", async () => {
  const setup = await Setup.start();
  const client = await setup.connect("brain", '{"cmd":"CreateSession","ttl_ms":1e6,"covenant":{"max_risk":0.50}}');
  const { session_id: id } = JSON.parse(client.next("SessionCreated"));
  for (const request of ['"cmd":"GetState","at_seq":0.0', '"cmd":"GetAudit","after_seq":-1.0,"limit":1e1']) {
    await client.send(`{${request},"session_id":"${id}"}`);
    check.that(client.received.pop()?.includes('"type"'), request);
  }
  const game = await setup.connect("neuro", '{"command":"startup","game":1.0}');
  await game.send('{"command":"context","game":1.0,"data":{"message":"x","silent":1.0}}');
  check.equal(JSON.parse(setup.upstream.next('"context"')).data.silent, true);
});

/** The data of an action as its receiver gets it: JSON text. */
function dataOf(frame: string): string {
  const { data, payload } = JSON.parse(frame);
  return (data ?? payload).data;
}
