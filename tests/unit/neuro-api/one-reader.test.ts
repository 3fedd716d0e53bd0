/** A message means the same, and is repaired and refused the same way, through every listener. */
import { test } from "#runner";
import { DEFAULTS, UPSTREAM_DEFAULTS } from "../../../src/core/defaults.ts";
import { isObject, type Json, type JsonObject } from "../../../src/core/json.ts";
import type { Observation } from "../../../src/core/observation.ts";
import type { Settings } from "../../../src/core/settings.ts";
import { decodeGame } from "../../../src/neuro-api/decode-game.ts";
import { services } from "../../../src/relay/services.ts";
import type { TestSocket } from "../../../src/testing/network.ts";
import { SimulatedRelay } from "../../../src/testing/simulated-relay.ts";
import { check } from "../../harness/check.ts";

const TOKEN = "a token for the test";
const SETTINGS: Settings = {
  ...DEFAULTS,
  intermediary: { ...DEFAULTS.intermediary, auth_token: TOKEN },
  "nakurity-clients": [{ ...UPSTREAM_DEFAULTS, url: "ws://neuro.test", context_rate: 0 }],
};

/** A command of the Neuro API with its data. Without data: a frame without the key. */
type Message = readonly [command: string, data?: Json];

/** How a client sends a message: the frame for it, and where it connects. */
interface Way {
  readonly listener: "neuro" | "intermediary";
  readonly frameOf: (message: Message) => JsonObject;
}

const withData = (data: Json | undefined): JsonObject => (data === undefined ? {} : { data });

const WAYS = {
  "the game port": { listener: "neuro", frameOf: ([command, data]) => ({ command, game: "Same", ...withData(data) }) },
  "a command to the Intermediary": {
    listener: "intermediary",
    frameOf: ([command, data]) => ({ command, ...withData(data) }),
  },
} satisfies Record<string, Way>;

/** The event of the guides, or the operation of the original relay, for the same message. */
const BY_EVENT: Way = {
  listener: "intermediary",
  frameOf: ([command, data]) => {
    const fields = isObject(data) ? data : {};
    switch (command) {
      case "actions/register":
        return { event: "register_actions", ...fields };
      case "actions/unregister":
        return { event: "unregister_actions", ...fields };
      case "action/result":
        return { event: "action_result", payload: fields };
      default:
        return { op: "choose_force_action", ...fields };
    }
  },
};

interface Outcome {
  /** What Neuro got. */
  readonly frames: readonly Json[];
  readonly reports: readonly string[];
}

const reportOf = (observation: Observation): string[] => {
  if (observation.is === "input_repaired") return [`${observation.from}: ${observation.what}: ${observation.hint}`];
  return observation.is === "input_refused" ? [`${observation.from}: ${observation.fault}: ${observation.reason}`] : [];
};

async function sendThrough({ listener, frameOf }: Way, messages: readonly Message[]): Promise<Outcome> {
  const relay = new SimulatedRelay({ settings: SETTINGS, services: (settings) => services(settings) });
  const frames: Json[] = [];
  let neuro: TestSocket | undefined;
  relay.network.accept = () => (socket) => {
    neuro = socket;
    socket.onFrame = (frame) => frames.push(JSON.parse(String(frame)));
  };
  await relay.started();
  await relay.advance(30_000);
  const socket = relay.network.connect(listener);
  let id = "";
  socket.onFrame = (frame) => {
    const { data, payload } = JSON.parse(String(frame));
    id = data?.id ?? payload?.id ?? id;
  };
  await relay.advance(1_000);
  const greeting = { type: "integration", name: "Same", auth_token: TOKEN };
  socket.send(JSON.stringify(listener === "neuro" ? { command: "startup", game: "Same" } : greeting));
  socket.send(JSON.stringify(frameOf(["actions/register", { actions: [{ name: "known", description: "Known." }] }])));
  await relay.advance(1_000);
  neuro?.send(JSON.stringify({ command: "action", data: { id: "u1", name: "known" } }));
  await relay.advance(1_000);
  const before = frames.length;
  const reports: string[] = [];
  relay.onObservation = (observation) => reports.push(...reportOf(observation));
  for (const [command, data] of messages) {
    const own = isObject(data) && data["id"] === "ID" ? { ...data, id } : data;
    socket.send(JSON.stringify(frameOf(own === undefined ? [command] : [command, own])));
    await relay.advance(5_000);
  }
  return { frames: frames.slice(before), reports };
}

const schemas: readonly Json[] = [
  null,
  [],
  {},
  "",
  '{"type":"object","properties":{"n":{"type":"int"}}}',
  "no schema",
  7,
  true,
  { properties: { song: { type: "string" } } },
  { type: "object", properties: [] },
  { type: "object", properties: { n: { type: "int", minimum: "1" } } },
  { type: "object", properties: { n: { type: "integer", required: true } } },
  { type: "object", properties: { n: { type: "colour" } } },
  { type: "object", properties: { n: { type: "array", items: "string" } } },
  { type: "object", required: "n" },
  { type: "object", enum: "a,b" },
  { enum: ["string", 42, true] },
  { type: "string" },
  { type: "null" },
  { type: "object", properties: { n: { type: "string", pattern: "(a+)+$" } } },
  { type: "object", description: "x".repeat(17_000) },
  { type: "object", description: "x".repeat(900_000) },
];

const action = (fields: JsonObject): JsonObject => ({ name: "play", description: "Plays.", ...fields });

const lists: readonly Json[] = [
  [action({})],
  [action({ description: null })],
  [action({ description: 7 })],
  [{ name: "play" }],
  [{ name: "play", schema: { type: "object", description: "Schema's." } }],
  [
    action({ name: 7 }),
    action({ name: "" }),
    action({ name: null }),
    action({ name: { en: "play" } }),
    action({ name: ["play"] }),
  ],
  [action({}), action({ description: "Plays again." }), action({})],
  ["play", 7, null, [], {}, true],
  ["play"],
  "play",
  7,
  null,
  [],
  {},
  action({}),
  [[action({})]],
  [action({ cooldown: 3, main_thread: true })],
  [action({ name: "Play It!" }), action({ name: "x".repeat(100) }), action({ name: "__proto__" })],
];

const names: readonly Json[] = [
  ["known"],
  "known",
  [7, "known", null, "", {}, { name: "known" }],
  { name: "known" },
  [["known"]],
  ["known", "known", "other"],
  null,
  [],
  {},
  7,
];

const forces: readonly JsonObject[] = [
  { query: "q", action_names: ["known"] },
  { query: 7, state: { hp: 3 }, action_names: ["known"], ephemeral_context: "true", priority: "HIGH" },
  { query: null, state: null, action_names: "known", ephemeral_context: 1, priority: 7 },
  { action_names: [{ name: "known" }], extra: 1 },
  { query: ["a"], actions: ["known"], priority: "urgent", main_thread: "yes" },
  { query: "q", action_names: { name: "known" } },
];

const results: readonly JsonObject[] = [
  { id: "ID", success: true, message: "done" },
  { id: "ID", success: "true", message: "" },
  { id: "ID", success: 1, message: { text: "done" } },
  { id: "ID", success: "yes", message: 7 },
  { id: "ID", success: false, message: null },
  { id: "ID", success: true, error: "no" },
];

const contexts: readonly (Json | undefined)[] = [
  { message: "hi", silent: true },
  { message: { hp: 3 }, silent: "true" },
  { message: ["a", 1], silent: 1 },
  { message: 7, silent: 0 },
  { message: true },
  { message: null, silent: false },
  { message: "", silent: null },
  { silent: true },
  { message: "hi", silent: "yes", extra: 1 },
  {},
  [],
  "hi",
  null,
  undefined,
];

const spelled: readonly Message[] = [
  ["Context", { message: "hi", silent: true }],
  ["action:result", { id: "ID", success: true }],
  ["actions_register", { actions: [action({})] }],
  ["action/force", { query: "q", action_names: ["known"] }],
  ["shutdown/ready", { extra: 1 }],
  ["actions/register", [action({})]],
  ["actions/register", { actions: [action({})], main_thread: "true" }],
  ["actions/register", "actions"],
  ["actions/unregister", ["known"]],
  ["actions/unregister", { names: ["known"] }],
  ["actions/force"],
  ["action/result", { success: true }],
];

const byCommand: readonly Message[] = [
  ...spelled,
  ...contexts.map((data): Message => (data === undefined ? ["context"] : ["context", data])),
  ["actions/register", {
    actions: { play: { type: "object" }, jump_over: null, name: { description: "Named.", schema: {} } },
  }],
  ["actions/unregister", { action_names: { known: true } }],
];
/** Messages that also have an event, or an operation of the original relay. */
const byAll: readonly Message[] = [
  ...schemas.map((schema): Message => ["actions/register", { actions: [action({ schema }), action({ name: "other" })] }]),
  ...schemas.map((schema): Message => ["actions/register", { actions: [action({ schema })] }]),
  ...lists.map((actions): Message => ["actions/register", { actions }]),
  ...names.map((action_names): Message => ["actions/unregister", { action_names }]),
  ...forces.map((data): Message => ["actions/force", data]),
  ...results.map((data): Message => ["action/result", data]),
];

/** Keys that are no part of an event are no reason for a hint there. */
const withoutHints = (reports: readonly string[]): readonly string[] =>
  reports.filter((report) => !/: (?:unknown_key|names_key|list_expected|data_missing|success_not_boolean): /.test(report));

test("NB61 IM45c NB110c a message reaches Neuro as the same frames with the same reports through the game port and the Intermediary", async () => {
  for (const message of [...byCommand, ...byAll]) {
    const [first, second] = [
      await sendThrough(WAYS["the game port"], [message]),
      await sendThrough(WAYS["a command to the Intermediary"], [message]),
    ];
    check.equal(second, first, JSON.stringify(message).slice(0, 200));
  }
});

test("NB61b data given as JSON text, and fields beside the command, mean the same as in data", async () => {
  const inText: Way = { listener: "neuro", frameOf: ([command, data]) => ({ command, data: JSON.stringify(data) }) };
  const beside = (listener: Way["listener"]): Way => ({
    listener,
    frameOf: ([command, data]) => ({ command, ...(isObject(data) ? data : {}) }),
  });
  const some = [...lists.map((actions): Message => ["actions/register", { actions }])].filter((_, at) => at % 3 === 0);
  const messages: readonly Message[] = [
    ...some,
    ["actions/unregister", { action_names: ["known"] }],
    ["actions/unregister", { names: ["known"] }],
    ...forces.map((data): Message => ["actions/force", data]),
    ...results.map((data): Message => ["action/result", data]),
    ["context", { message: "hi", silent: true }],
  ];
  for (const message of messages) {
    const { frames } = await sendThrough(WAYS["the game port"], [message]);
    for (const way of [inText, beside("neuro"), beside("intermediary")]) {
      check.equal((await sendThrough(way, [message])).frames, frames, JSON.stringify(message).slice(0, 200));
      const decoded = decodeGame(JSON.stringify(way.frameOf(message)), DEFAULTS.limits);
      check.that(!decoded.ok || decoded.repairs.some(({ what }) => what === "data_missing"), "reported");
    }
  }
});

test("NB61 an event of the guides reaches Neuro as the same frames as the command of the Neuro API", async () => {
  for (const message of byAll) {
    const [first, second] = [await sendThrough(WAYS["the game port"], [message]), await sendThrough(BY_EVENT, [message])];
    const [command, data] = message;
    // Why: the event has a documented meaning for these.
    const hasOwnMeaning = command === "action/result" && isObject(data) && data["error"] !== undefined;
    if (hasOwnMeaning) continue;
    const where = JSON.stringify(message).slice(0, 200);
    check.equal(second.frames, first.frames, where);
    check.equal(withoutHints(second.reports), withoutHints(first.reports), where);
  }
});
