/** The AsyncAPI document, its page, and its examples against the services. */
import { test } from "#runner";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv } from "ajv";
import addFormats from "ajv-formats";
import { DEFAULTS } from "../../../src/core/defaults.ts";
import { FAULTS } from "../../../src/core/fault.ts";
import { type LinkId, linkId, type PeerId, peerId } from "../../../src/core/ids.ts";
import { isObject, type Json, type JsonObject } from "../../../src/core/json.ts";
import type { NeuroMessage } from "../../../src/core/neuro-messages.ts";
import { CHANNELS, payloadSchema } from "../../../src/http/api/protocols/asyncapi.ts";
import { BRAIN_CHANNEL, EXAMPLE_SESSION } from "../../../src/http/api/protocols/brain-channel.ts";
import { GAME_CHANNEL } from "../../../src/http/api/protocols/game-channel.ts";
import { INTEGRATION_CHANNEL } from "../../../src/http/api/protocols/integration-channel.ts";
import { NALLELY_BUS_CHANNEL, NALLELY_TREVOR_CHANNEL } from "../../../src/http/api/protocols/nallely-channels.ts";
import type { ProtocolMessage } from "../../../src/http/api/protocols/protocol.ts";
import { LINK_CHANNEL } from "../../../src/http/api/protocols/link-channel.ts";
import { decodeDial, decodeReply } from "../../../src/runtimes/link/control.ts";
import { PROXY_CHANNEL } from "../../../src/http/api/protocols/proxy-channel.ts";
import { traceExample } from "../../../src/http/api/trace-schemas.ts";
import { repairExamples } from "../../../src/http/api/protocols/repairs.ts";
import { WATCHER_CHANNEL } from "../../../src/http/api/protocols/watcher-channel.ts";
import { WATCHER_EVENTS } from "../../../src/http/api/protocols/watcher-events.ts";
import { decodeGame } from "../../../src/neuro-api/decode-game.ts";
import { encodeGame } from "../../../src/services/neuro/codec/encode-game.ts";
import { decodeText, encodeAddition, encodeRegistration } from "../../../src/services/nallely/bus-json.ts";
import { decodeFrame, encodeFrame, frameHead, nallely } from "../../../src/services/nallely/mod.ts";
import { proxy } from "../../../src/services/proxy/mod.ts";
import type { StepOutput } from "../../../src/testing/mod.ts";
import { ServiceHarness, TEST_CONNECTION } from "../../../src/testing/service-harness.ts";
import { check } from "../../harness/check.ts";
import { withoutNote } from "../../harness/without-note.ts";
import { ROOT } from "../../harness/machine.ts";
import { BrainFixture } from "../services/brain/fixture.ts";
import { isMessage, messageFrom } from "../services/intermediary/documented.ts";
import { ENHANCED, IntermediaryFixture, SETTINGS } from "../services/intermediary/fixture.ts";
import { AppFixture } from "./app-fixture.ts";

const ALL = CHANNELS.flatMap(({ toRelay, fromRelay }) => [...toRelay, ...fromRelay]);

async function documentOf(app: AppFixture): Promise<JsonObject> {
  const response = await app.fetch("web", "/api/asyncapi.json");
  check.equal([response.status, response.headers.get("content-type")], [200, "application/json"]);
  const document: unknown = await response.json();
  check.that(isObject(document));
  return document;
}

function metaSchema(): JsonObject {
  const file = join(ROOT, "tests/node_modules/@asyncapi/specs/schemas/3.0.0.json");
  const schema: unknown = JSON.parse(readFileSync(file, "utf8"));
  check.that(isObject(schema));
  return schema;
}

test("AP50 the document is valid AsyncAPI 3.0, every reference resolves, and no name is used twice", async () => {
  const document = await documentOf(new AppFixture());
  // Why without the meta schema: the schema of AsyncAPI contains it.
  const ajv = new Ajv({ strict: false, logger: false, meta: false, validateSchema: false });
  addFormats.default(ajv, { mode: "fast" });
  const validate = ajv.compile(metaSchema());
  check.that(validate(document), JSON.stringify(validate.errors));
  check.that(!validate({ ...document, channels: { integration: { address: 5 } } }));
  for (const [, reference = ""] of JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)) {
    let target: Json | undefined = document;
    for (const part of reference.split("/")) target = isObject(target) ? target[part] : undefined;
    check.that(target !== undefined, reference);
  }
  const names = ALL.map(({ name }) => name);
  check.equal([...new Set(names)], names);
  check.that(isObject(document.components) && isObject(document.components.messages) && isObject(document["x-faults"]));
  check.equal(Object.keys(document.components.messages), names);
  check.equal(Object.keys(document["x-faults"]), Object.keys(FAULTS));
  const codes = CHANNELS.map(({ closes }) => closes.map((fault) => FAULTS[fault].close));
  const channels: JsonObject[] = Object.values(isObject(document.channels) ? document.channels : {}).filter(isObject);
  check.equal(
    channels.map((channel) => {
      const listed: Json | undefined = channel["x-close-codes"];
      return Array.isArray(listed) ? listed.map((close: Json) => isObject(close) && close.code) : [];
    }),
    codes,
  );
});

test("AP51 the page shows every message with its examples; it loads nothing and runs no script, and both references link to each other", async () => {
  const app = new AppFixture();
  const response = await app.fetch("web", "/api/protocols");
  check.equal([response.status, response.headers.get("content-type")], [200, "text/html; charset=utf-8"]);
  const text = await response.text();
  for (const { name } of ALL) check.that(text.includes(`<article id="${name}">`), name);
  for (const { what } of repairExamples()) check.that(text.includes(`id="repair-${what}"`), what);
  for (const [, name = ""] of text.matchAll(/href="#([^"]+)"/g)) check.that(text.includes(`id="${name}"`), name);
  check.equal([...text.matchAll(/<script|\son\w+=|<img|<link|javascript:|https?:\/\//g)].map(String), []);
  const policy = response.headers.get("content-security-policy") ?? "";
  check.match(policy, /^default-src 'none'; style-src 'sha256-[^']{44}'; base-uri 'none'/);
  check.that(text.includes('href="/api"') && text.includes('href="/api/asyncapi.json"'));
  check.that((await (await app.fetch("web", "/api")).text()).includes('href="/api/protocols"'));
  for (const path of ["/api/protocols", "/api/asyncapi.json"]) {
    check.that((await app.fetch("intermediary", path)).status === 426);
    check.equal((await app.fetch("web", path, { headers: { host: "evil.example" } })).status, 421);
    check.equal((await app.fetch("web", path, { method: "POST" })).status, 405);
  }
});

test("AP52 every example fits the JSON Schema of its message and has no other field", () => {
  const ajv = new Ajv({ strict: false, logger: false });
  for (const message of ALL) {
    const validate = ajv.compile(payloadSchema(message));
    check.that(message.examples.length > 0 || message.name === "Upload", message.name);
    for (const example of message.examples) {
      check.that(validate(example) && isMessage(message, example), `${message.name}: ${JSON.stringify(example)}`);
    }
  }
});

const isGreeting = ({ name }: ProtocolMessage): boolean => name.startsWith("Register") && !name.endsWith("Actions");
const frameOf = (example: Json): string => typeof example === "string" ? example : JSON.stringify(example);

test("AP53 the Intermediary accepts every example of a message to it, and refuses the others with the documented error", () => {
  for (const channel of [INTEGRATION_CHANNEL, WATCHER_CHANNEL]) {
    for (const message of channel.toRelay) {
      const receives = (frame: string): Json[] => {
        const settings = { ...SETTINGS, intermediary: { ...SETTINGS.intermediary, auth_token: "super-secret-token" } };
        const fixture = new IntermediaryFixture(isGreeting(message) ? { settings } : {});
        const isAck = ["Ack", "Nak", "Term"].includes(message.name);
        const peer = isGreeting(message)
          ? fixture.open("new")
          : channel === WATCHER_CHANNEL
          ? fixture.watcher("os", ENHANCED)
          : fixture.integration("a", isAck ? { ack: true } : {});
        if (!isGreeting(message)) fixture.integration("spotify");
        fixture.received(peer);
        fixture.frame(peer, frame);
        const events = fixture.observations.filter(({ is }) => is === "input_refused" || is === "input_repaired");
        const errors = fixture.received(peer).filter((reply) => isObject(reply) && reply.error !== undefined);
        return errors.length > 0 ? errors : events.map(({ is }) => is);
      };
      for (const example of message.examples) check.equal([message.name, receives(frameOf(example))], [message.name, []]);
      for (const { given, error } of message.refused ?? []) {
        const [refusal] = receives(frameOf(given));
        check.that(isObject(refusal));
        const { id: _, ...shown } = refusal;
        check.equal(shown, error);
      }
    }
  }
});

test("AP54 every message of the reference to integrations and watchers is sent in a scenario, and nothing else", () => {
  const fixture = new IntermediaryFixture();
  const plain = fixture.integration("plain");
  const acking = fixture.integration("acking", { ack: true });
  const tracing = fixture.integration("tracing", { trace: true });
  const boss = fixture.watcher("boss", ENHANCED);
  const neuro = (message: NeuroMessage) => fixture.receive({ is: "neuroMessage", peer: plain, message });
  const messages: readonly NeuroMessage[] = [
    { command: "action", id: "a1", name: "play", data: "{}" },
    { command: "startup", session: { sessionId: "s", characterId: "c", displayName: "Neuro" } },
    { command: "actions/reregister_all" },
    { command: "shutdown/graceful", wanted: true },
    { command: "shutdown/immediate" },
    { command: "speech_finished", data: {} },
    { command: "other", name: "neuro-relay/refused", data: { code: "tooBig", error: "too big" } },
    { command: "other", name: "mood", data: { mood: "good" } },
  ];
  for (const message of messages) neuro(message);
  const shared = { is: "contextShared", from: "chess", peer: undefined, message: "Check.", silent: true } as const;
  fixture.receive(shared);
  fixture.step({ is: "backpressure", peer: plain });
  fixture.receive(shared);
  fixture.step({ is: "relieved", peer: plain });
  const choice = { id: "1", game: "plain", query: "?", ephemeral: false, actions: [{ name: "play", description: "" }] };
  fixture.receive({ is: "choiceRequested", choice });
  fixture.frame(plain, { query: "get_registered_actions" });
  fixture.frame(plain, { command: "context" });
  const requests = [
    { target: "plain", cmd: 1 },
    { target: "tracing", cmd: 1 },
    { direct_to_neuro: true, payload: 1 },
    { choice: { selected: "play" } },
    { query: "peers", request_id: 1 },
    { query: "get_registered_actions" },
    { subscribe: { rate: 1, snapshot: true, changes: true } },
    { target: "nobody", cmd: 1 },
  ];
  for (const request of requests) fixture.frame(boss, request);
  const chosen = fixture.posted.findLast(({ is }) => is === "actionChosen");
  check.that(chosen?.is === "actionChosen" && chosen.id !== undefined);
  fixture.receive({ is: "choiceSettled", id: chosen.id, refusal: undefined });
  for (let n = 0; n < 3; n++) fixture.receive(shared);
  for (let n = 0; n < 3; n++) fixture.frame(plain, { event: "tick", payload: n });
  fixture.receive({ is: "serviceChanged", service: "neuro" });
  fixture.advance(2_000);
  const events = new Set(WATCHER_EVENTS.map(({ name }) => name));
  const sentTo = (peers: readonly typeof plain[], channel: typeof INTEGRATION_CHANNEL) => {
    const names = peers.flatMap((peer) => fixture.received(peer)).map((frame) => messageFrom([channel], frame));
    return [...new Set(names)].filter((name) => !events.has(String(name))).map(String).sort();
  };
  const documented = ({ fromRelay }: typeof INTEGRATION_CHANNEL) =>
    fromRelay.map(({ name }) => name).filter((name) => !events.has(name)).sort();
  check.equal(sentTo([plain, acking, tracing], INTEGRATION_CHANNEL), documented(INTEGRATION_CHANNEL));
  check.equal(sentTo([boss], WATCHER_CHANNEL), documented(WATCHER_CHANNEL));
  check.equal(messageFrom([INTEGRATION_CHANNEL, WATCHER_CHANNEL], { status: "sent", surprise: 1 }), undefined);
});

test("AP55 each example of a game is read without a repair or refused with the documented reason, and those of Neuro are what games get", () => {
  for (const { name, examples, refused = [] } of GAME_CHANNEL.toRelay) {
    for (const example of examples) {
      const read = decodeGame(frameOf(example), DEFAULTS.limits);
      check.equal([name, read.ok && read.repairs], [name, []]);
    }
    for (const { given, error } of refused) {
      const read = decodeGame(frameOf(given), DEFAULTS.limits);
      check.equal([name, read.ok || read.reason], [name, String(error.reason)]);
    }
  }
  const messages: readonly NeuroMessage[] = [
    { command: "action", id: "17~a1", name: "move", data: '{"to":"e4"}' },
    { command: "startup", session: { sessionId: "s", characterId: "neuro", displayName: "Neuro" } },
    { command: "actions/reregister_all" },
    { command: "speech_finished", data: {} },
    { command: "shutdown/graceful", wanted: true },
    { command: "shutdown/immediate" },
    { command: "other", name: "nrc-endpoints/error", data: { error: "Missing required field: nr-version" } },
    { command: "other", name: "neuro-relay/trace", data: { trace: traceExample("Chess", "chess", "move") } },
  ];
  check.equal(GAME_CHANNEL.fromRelay.flatMap(({ examples }) => examples.map(frameOf)), messages.map(encodeGame));
});

test("AP56 each repair has an example, and what it is read as is read the same again", () => {
  const withoutAfter = repairExamples().filter(({ after }) => after === undefined).map(({ what }) => what);
  check.equal(withoutAfter, ["registered_twice", "result_id_missing"]);
  for (const { what, hint, before, after } of repairExamples()) {
    check.that(hint.length > 0 && before.length > 0);
    if (after === undefined) continue;
    const [read, again] = [before, after].map((frame) => decodeGame(frame, DEFAULTS.limits));
    check.that(read?.ok && again?.ok, what);
    if (what !== "description_shortened") check.equal(withoutNote(again.message), withoutNote(read.message));
  }
});

test("AP57 the Brain answers each example with a documented reply, and refuses the others with the documented error", () => {
  const replies = new Set<string>();
  for (const { name, examples, refused = [] } of BRAIN_CHANNEL.toRelay) {
    const fixture = new BrainFixture();
    const peer = fixture.peer("client");
    const session = fixture.create(peer);
    fixture.ask(peer, { cmd: "Infer", trace_id: "t1", payload: { text: "Hello" } });
    for (const example of examples) {
      const reply = fixture.ask(peer, frameOf(example).replaceAll(EXAMPLE_SESSION, session));
      const found = BRAIN_CHANNEL.fromRelay.find((message) => isMessage(message, reply));
      check.that(found !== undefined && found.name !== "BrainError", `${name}: ${JSON.stringify(reply)}`);
      replies.add(found.name);
    }
    for (const { given, error } of refused) check.equal(fixture.ask(peer, frameOf(given)), error);
  }
  const notifications = ["State.Delta", "State.Gap", "BrainError"];
  check.equal([...replies, ...notifications].sort(), BRAIN_CHANNEL.fromRelay.map(({ name }) => name).sort());
  const commands = readFileSync(join(ROOT, "src/services/brain/commands.ts"), "utf8").matchAll(/^ {2}\["(\w+)", /gm);
  check.equal([...commands].map(([, cmd]) => String(cmd)).sort(), BRAIN_CHANNEL.toRelay.map(({ name }) => name).sort());
});

/** The frames that a service sends on a link, in order, as the reference shows them. */
const sentFrames = (effects: readonly StepOutput[], to: LinkId | PeerId): string[] =>
  effects.flatMap((effect) => effect.do === "send" && effect.to === to ? [effect.frame] : [])
    .map((frame) => typeof frame === "string" ? frame : frame.toHex());

/** The steps of a service, and the link that it dialed last whose id contains a text. */
function stepping<State>(harness: ServiceHarness<State>) {
  const all: StepOutput[] = [];
  const step = (event: Parameters<typeof harness.step>[0]): readonly StepOutput[] => {
    const effects = harness.step(event);
    all.push(...effects);
    return effects;
  };
  const link = (part: string): LinkId =>
    all.findLast((effect): effect is StepOutput & { do: "dial" } => effect.do === "dial" && effect.link.includes(part))
      ?.link ?? linkId("none");
  return { step, link };
}

const examplesOf = (name: string): readonly Json[] => ALL.find((message) => message.name === name)?.examples ?? [];

test("AP58 the proxy forwards each of its examples unchanged", () => {
  const harness = new ServiceHarness(proxy, { settings: DEFAULTS });
  const { step, link } = stepping(harness);
  const peer = peerId("game");
  step({ is: "opened", peer, listener: "proxy", connection: TEST_CONNECTION });
  step({ is: "dialed", link: link("proxy:") });
  for (const frame of PROXY_CHANNEL.toRelay.flatMap(({ examples }) => examples.map(frameOf))) {
    check.equal(sentFrames(step({ is: "frame", peer, frame }), link("proxy:")), [frame]);
  }
  for (const frame of PROXY_CHANNEL.fromRelay.flatMap(({ examples }) => examples.map(frameOf))) {
    check.equal(sentFrames(step({ is: "received", link: link("proxy:"), frame }), peer), [frame]);
  }
});

test("AP63 the relay reads each control message of a link, and a link each of the relay; frames are neither", () => {
  const { toRelay, fromRelay } = LINK_CHANNEL;
  const read = ([message]: readonly ProtocolMessage[], decode: (frame: string) => unknown) =>
    check.equal(decode(JSON.stringify(message?.examples[0])), message?.examples[0]);
  for (const name of ["LinkUp", "LinkDown"]) read(toRelay.filter((message) => message.name === name), decodeReply);
  read(fromRelay.filter(({ name }) => name === "LinkDial"), decodeDial);
  for (const { examples } of [...toRelay, ...fromRelay].filter(({ name }) => name.endsWith("Frame"))) {
    for (const example of examples) {
      check.equal([decodeReply(JSON.stringify(example)), decodeDial(JSON.stringify(example))], [undefined, undefined]);
    }
  }
});

test("AP59 the relay reads each example of a Nallely session, and sends the documented messages", () => {
  const settings = { ...DEFAULTS, nallely: { ...DEFAULTS.nallely, enabled: true } };
  const { step, link } = stepping(new ServiceHarness(nallely, { settings }));
  step({ is: "tick" });
  const [registration = ""] = sentFrames(step({ is: "dialed", link: link(":neuron:") }), link(":neuron:"));
  const requests = sentFrames(step({ is: "dialed", link: link(":trevor:") }), link(":trevor:"));
  const names = [NALLELY_BUS_CHANNEL, NALLELY_TREVOR_CHANNEL];
  check.equal([registration, ...requests].map((frame) => messageFrom(names, JSON.parse(frame))), [
    "NallelyRegistration",
    "TrevorFullState",
    "TrevorFence",
  ]);
  const [register, add] = examplesOf("NallelyRegistration");
  check.equal(encodeRegistration([{ name: "energy", range: [0, 127] }, { name: "pad" }]), JSON.stringify(register));
  check.equal(encodeAddition([{ name: "pad" }]), JSON.stringify(add));
  const [value] = examplesOf("NallelyValueFromRelay");
  check.equal(encodeFrame(frameHead("note"), 60).toHex(), value);
  check.equal(decodeFrame(Uint8Array.fromHex(String(value))), { name: "note", value: 60 });
  const [textValue] = examplesOf("NallelyTextValue");
  check.equal(decodeText(JSON.stringify(textValue)), { name: "energy", value: 8 });
  const fence: Json = JSON.parse(requests[1] ?? "null");
  for (const example of NALLELY_TREVOR_CHANNEL.toRelay.flatMap(({ examples }) => examples)) {
    const isFence = isObject(example) && isObject(fence) && example.requestId !== undefined;
    const frame = frameOf(isFence ? { ...example, requestId: fence.requestId } : example);
    step({ is: "received", link: link(":trevor:"), frame });
  }
});
