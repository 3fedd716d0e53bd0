/** The game side of the Neuro codec: frames that clients are known to send, and frames that they are known to accept. */
import { test } from "#runner";
import { DEFAULTS } from "../../../../../src/core/defaults.ts";
import fc from "fast-check";
import type { GameMessage, NeuroMessage } from "../../../../../src/core/neuro-messages.ts";
import { type Frame, isObject, type Json, type JsonObject } from "../../../../../src/core/json.ts";
import { GAME_FRAME_BYTES_MAX } from "../../../../../src/core/limits.ts";
import { PROFILES } from "../../../../../src/services/neuro/upstream/profiles.ts";
import { decodeGame } from "../../../../../src/neuro-api/decode-game.ts";
import { encodeGame } from "../../../../../src/services/neuro/codec/encode-game.ts";
import { upstreamFrames } from "../../../../harness/upstream-frames.ts";
import type { RepairKind } from "../../../../../src/neuro-api/repair.ts";
import { check } from "../../../../harness/check.ts";
import { withoutNote } from "../../../../harness/without-note.ts";

const { limits: LIMITS } = DEFAULTS;

/** What a frame was read as, and which repairs were made. */
function read(frame: Frame | object): { game: string | undefined; message: GameMessage; kinds: readonly RepairKind[] } {
  const raw = typeof frame === "string" || frame instanceof Uint8Array ? frame : JSON.stringify(frame);
  const result = decodeGame(raw, LIMITS);
  check.that(result.ok, result.ok ? "" : result.reason);
  const { game, message, repairs } = result;
  return { game, message: withoutNote(message), kinds: repairs.map(({ what }) => what) };
}

function refusal(frame: Frame | object): string {
  const raw = typeof frame === "string" || frame instanceof Uint8Array ? frame : JSON.stringify(frame);
  const result = decodeGame(raw, LIMITS);
  check.that(!result.ok, "it was read");
  return result.reason;
}

const hintsOf = (frame: object): readonly string[] => {
  const result = decodeGame(JSON.stringify(frame), LIMITS);
  return result.ok ? result.repairs.map(({ hint }) => hint) : [];
};

const from = (command: string, data?: unknown): object => ({ command, game: "Chess", data });

const VECTORS: readonly [what: string, frame: string | object, message: GameMessage, kinds: readonly RepairKind[]][] = [
  ["startup", from("startup"), { command: "startup" }, []],
  [
    "a context",
    from("context", { message: "Hi", silent: true }),
    { command: "context", message: "Hi", silent: true },
    [],
  ],
  [
    "a full force",
    from("actions/force", {
      state: "s",
      query: "q",
      ephemeral_context: true,
      priority: "critical",
      action_names: ["a", "b"],
    }),
    { command: "actions/force", state: "s", query: "q", ephemeral: true, priority: "critical", names: ["a", "b"] },
    [],
  ],
  [
    "a force with defaults",
    from("actions/force", { query: "q", action_names: ["a"] }),
    { command: "actions/force", query: "q", ephemeral: false, priority: "low", names: ["a"] },
    [],
  ],
  [
    "a result",
    from("action/result", { id: "1", success: false, message: "no" }),
    { command: "action/result", id: "1", success: false, message: "no" },
    [],
  ],
  [
    "an empty register of Unity",
    from("actions/register", { actions: [] }),
    { command: "actions/register", actions: [] },
    [],
  ],
  ["shutdown/ready", from("shutdown/ready"), { command: "shutdown/ready" }, []],
  [
    "a command that is not of the API",
    from("nrc-endpoints/hello", { a: [1] }),
    { command: "other", name: "nrc-endpoints/hello", data: { a: [1] } },
    [],
  ],
];

test("NB100 a frame that follows the specification is decoded as it is, without a repair", () => {
  for (const [what, frame, message, kinds] of VECTORS) check.equal(read(frame), { game: "Chess", message, kinds }, what);
});

test("NB101 JSON in a binary frame and JSON after a byte order mark is decoded", () => {
  const text = JSON.stringify(from("context", { message: "grüße", silent: false }));
  const message = { command: "context", message: "grüße", silent: false } as const;
  const bytes = new TextEncoder().encode(text);
  check.equal(read(bytes), { game: "Chess", message, kinds: ["binary_frame"] });
  check.equal(read(`\ufeff${text}`), { game: "Chess", message, kinds: ["byte_order_mark"] });
  check.equal(read(new TextEncoder().encode(`\ufeff${text}`)).kinds, ["binary_frame", "byte_order_mark"]);
});

test("NB101b invalid UTF-8 is refused", () => {
  check.match(refusal(new Uint8Array([0x7b, 0xff, 0x7d])), /UTF-8/);
});

const SLOPPY: readonly [client: string, frame: object, message: GameMessage, kinds: readonly RepairKind[]][] = [
  [
    "Godot: pretty-printed nulls",
    from("actions/force", { state: null, query: "q", ephemeral_context: false, priority: "low", action_names: ["a"] }),
    { command: "actions/force", query: "q", ephemeral: false, priority: "low", names: ["a"] },
    ["null_value"],
  ],
  ["Lua: startup with an empty table", from("startup", []), { command: "startup" }, ["unexpected_data"]],
  ["Abandoned Pub: startup with {}", from("startup", {}), { command: "startup" }, ["unexpected_data"]],
  ["data that is null", from("startup", null), { command: "startup" }, ["unexpected_data"]],
  [
    "Lua: an empty schema",
    from("actions/register", { actions: [{ name: "a", description: "d", schema: [] }] }),
    { command: "actions/register", actions: [{ name: "a", description: "d" }] },
    ["schema_empty"],
  ],
  [
    "Lua: empty properties",
    from("actions/register", {
      actions: [{ name: "a", description: "d", schema: { type: "object", properties: [] } }],
    }),
    { command: "actions/register", actions: [{ name: "a", description: "d", schema: { type: "object", properties: {} } }] },
    [],
  ],
  [
    "Python: schema null",
    from("actions/register", { actions: [{ name: "a", description: "d", schema: null }] }),
    { command: "actions/register", actions: [{ name: "a", description: "d" }] },
    ["schema_empty"],
  ],
  [
    "an empty list that became an object",
    from("actions/register", { actions: {} }),
    { command: "actions/register", actions: [] },
    ["list_expected"],
  ],
  [
    "one name without brackets",
    from("actions/unregister", { action_names: "a" }),
    { command: "actions/unregister", names: ["a"] },
    ["list_expected"],
  ],
  [
    "Rust: message null",
    from("action/result", { id: "1", success: true, message: null }),
    { command: "action/result", id: "1", success: true },
    ["null_value"],
  ],
];

test("NB102 null, [] and {} where nothing is meant are decoded as nothing", () => {
  for (const [client, frame, message, kinds] of SLOPPY) {
    check.equal(read(frame), { game: "Chess", message, kinds }, client);
    check.equal(read(JSON.stringify(frame, null, 2)).message, message, `${client}, pretty-printed`);
  }
});

test("NB103 a missing silent, priority or description has its default", () => {
  check.equal(read(from("context", { message: "Hi" })), {
    game: "Chess",
    message: { command: "context", message: "Hi", silent: false },
    kinds: ["silent_missing"],
  });
  const mute = read(from("actions/force", { action_names: ["a"] }));
  check.equal(mute.kinds, ["query_missing"]);
  check.that(mute.message.command === "actions/force" && mute.message.query === "");
  const force = read(from("actions/force", { query: "q", action_names: ["a"], priority: "urgent" }));
  check.equal(force.kinds, ["priority_unknown"]);
  check.that(force.message.command === "actions/force" && force.message.priority === "low");
  const loud = read(from("actions/force", { query: "q", action_names: ["a"], priority: "High" }));
  check.that(loud.message.command === "actions/force" && loud.message.priority === "high");
  check.equal(read(from("actions/register", { actions: [{ name: "a" }] })), {
    game: "Chess",
    message: { command: "actions/register", actions: [{ name: "a", description: "" }] },
    kinds: ["description_missing"],
  });
});

test("NB104 a numeric id is decoded as text", () => {
  check.equal(read(from("action/result", { id: 7, success: true })), {
    game: "Chess",
    message: { command: "action/result", id: "7", success: true },
    kinds: ["numeric_id"],
  });
});

test("NB104 success is true for true, 1 and 'true' in any letter case, and false for anything else", () => {
  for (const success of [true, "true", "True", "TRUE", 1, "False", false, "false", "yes", 0, 2, null, [], {}, undefined]) {
    const { message, kinds } = read(from("action/result", { id: "1", success }));
    check.that(message.command === "action/result");
    check.equal(message.success, success === 1 || String(success).toLowerCase() === "true", String(success));
    check.equal(kinds.length, typeof success === "boolean" ? 0 : 1, String(success));
  }
});

test("NB105 unknown keys are dropped, main_thread is kept", () => {
  const action = { name: "a", description: "d", cooldown: 3 };
  const frame = { ...from("actions/register", { actions: [action], main_thread: true, v: 2 }), seq: 1 };
  check.equal(read(frame), {
    game: "Chess",
    message: { command: "actions/register", actions: [{ name: "a", description: "d" }], mainThread: true },
    kinds: ["unknown_key"],
  });
  const unregister = read(from("actions/unregister", { action_names: [], main_thread: false }));
  check.equal(unregister.message, { command: "actions/unregister", names: [], mainThread: false });
  check.equal(unregister.kinds, []);
});

function registered(schema: unknown): ReturnType<typeof read> & { schema: unknown } {
  const got = read(from("actions/register", { actions: [{ name: "a", description: "d", schema }] }));
  check.that(got.message.command === "actions/register");
  return { ...got, schema: got.message.actions[0]?.schema };
}

test("NB106 a schema is passed on as given; a missing type is added", () => {
  const schema = { type: "object", properties: { x: { enum: [null, []], const: null } }, required: ["x"] };
  check.equal(registered(schema).schema, schema);
  check.equal(registered(schema).kinds, []);
  check.equal(registered({ properties: {} }).schema, { type: "object", properties: {} });
  check.equal(registered({ properties: {} }).kinds, ["schema_type_missing"]);
  check.equal(registered({}).schema, undefined);
  check.equal(registered({ type: "null" }).schema, undefined);
  check.equal(registered("string").kinds, ["schema_not_object"]);
  check.equal(registered({ type: "string" }).schema, { type: "string" });
  check.equal(registered({ type: "string" }).kinds, ["schema_type_unsupported"]);
});

test("NB106b keywords that Neuro may not support are named, at any depth, and names of properties are not taken for keywords", () => {
  const nested = { type: "object", properties: { title: { type: "array", items: { anyOf: [{ multipleOf: 2 }] } } } };
  const result = decodeGame(
    JSON.stringify(from("actions/register", { actions: [{ name: "a", description: "d", schema: nested }] })),
    LIMITS,
  );
  check.that(result.ok);
  check.equal(result.repairs.map(({ what }) => what), ["schema_keywords"]);
  check.match(result.repairs[0]?.hint ?? "", /: a: anyOf, multipleOf$/);
});

test("NB107 an action whose schema is too large or too deep is refused, and the others are registered", () => {
  const large = { type: "object", title: "x".repeat(LIMITS.schema_bytes) };
  let deep: object = { type: "object" };
  for (let at = 0; at < 20; at++) deep = { type: "object", properties: { deep } };
  for (const schema of [large, deep]) {
    const bad = { name: "bad", description: "d", schema };
    const good = { name: "good", description: "d" };
    const got = read(from("actions/register", { actions: [bad, good, { description: "nameless" }, 7] }));
    check.equal(got.message, { command: "actions/register", actions: [good] });
    check.equal(got.kinds, ["action_ignored"]);
    check.match(refusal(from("actions/register", { actions: [bad] })), /^not registered: bad: the schema/);
  }
});

test("NB108 input that cannot be understood is refused with what was expected", () => {
  check.match(refusal("nonsense"), /JSON/);
  check.match(refusal("[]"), /JSON object/);
  check.match(refusal("{}"), /`command`/);
  check.match(refusal('{"command":7}'), /`command`/);
  check.match(refusal("[".repeat(100) + "]".repeat(100)), /deep/);
  check.match(refusal(from("action/result", { success: true })), /`id`/);
  check.match(refusal(from("action/result")), /`id`/);
  check.match(refusal(from("context", { silent: true })), /`message`/);
  check.match(refusal(from("actions/force", { query: "q" })), /`action_names`/);
});

test("NB108 a message without the name of a game is decoded without one", () => {
  check.equal(read({ command: "startup" }).game, undefined);
  check.equal(read({ command: "startup", game: null }).game, undefined);
});

test("NB109 decoding whatever bytes or JSON arrive returns a message or a reason", () => {
  const ends = (frame: Frame): void => {
    const result = decodeGame(frame, LIMITS);
    check.that(result.ok ? result.message.command !== undefined : result.reason !== "");
  };
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), ends));
  fc.assert(fc.property(fc.json(), ends));
  const commands = fc.constantFrom(
    "startup",
    "context",
    "actions/register",
    "actions/unregister",
    "actions/force",
    "action/result",
  );
  const keys = fc.constantFrom(
    ...[
      "actions",
      "action_names",
      "name",
      "schema",
      "message",
      "silent",
      "id",
      "success",
      "query",
      "main_thread",
      "__proto__",
    ],
  );
  const data = fc.oneof(fc.jsonValue(), fc.dictionary(keys, fc.oneof(fc.jsonValue(), fc.dictionary(keys, fc.jsonValue()))));
  fc.assert(fc.property(commands, data, (command, data) => ends(JSON.stringify({ command, game: "G", data }))));
});

test("NB110 each repair is reported once for each kind and frame, with a hint for the developer", () => {
  const result = decodeGame(JSON.stringify(from("actions/register", { actions: [{ name: "a" }, { name: "b" }] })), LIMITS);
  check.that(result.ok);
  check.equal(result.repairs.length, 1);
  check.match(result.repairs[0]?.hint ?? "", /description/);
});

test("NB110 the hint names up to 8 places and the number of the others", () => {
  const actions = Array.from({ length: 11 }, (_, at) => ({ name: `a${at}` }));
  const result = decodeGame(JSON.stringify(from("actions/register", { actions })), LIMITS);
  check.that(result.ok);
  check.match(result.repairs[0]?.hint ?? "", /: a0; a1; a2; a3; a4; a5; a6; a7; and 3 more$/);
});

test("NB110 every kind of problem of a message is named, and every action that it concerns", () => {
  const actions = [
    { name: "a", description: "d", schema: { type: "object", properties: { n: { type: "int" } } }, cooldown: 1 },
    { name: "b", schema: { properties: { n: { type: "string" } } }, weight: 2 },
    { name: "c", description: null, schema: { type: "object", properties: { n: { minimum: "1" } } } },
    { name: "d", description: "d", schema: { type: "colour" } },
    { description: "nameless" },
  ];
  const { kinds } = read(from("actions/register", { actions }));
  const hints = hintsOf(from("actions/register", { actions }));
  check.equal(new Set(kinds).size, kinds.length);
  const text = hints.join("\n");
  for (
    const part of [
      "a: /properties/n/type; c: /properties/n/minimum",
      "cooldown; weight",
      ": b; c",
      "d: schema: /type",
      "action 5 needs",
    ]
  ) check.that(text.includes(part), `${part} in ${text}`);
});

test("NB110b a name that is given twice in one message is reported, and the last definition counts", () => {
  const twice = from("actions/register", {
    actions: [{ name: "a", description: "1" }, { name: "b", description: "b" }, { name: "a", description: "2" }],
  });
  check.equal(read(twice).kinds, ["name_twice"]);
  check.match(hintsOf(twice)[0] ?? "", /: a$/);
  for (const command of ["actions/unregister", "actions/force"]) {
    const { kinds, message } = read(from(command, { query: "q", action_names: ["a", "b", "a"] }));
    check.equal(kinds.filter((kind) => kind !== "unknown_key"), ["name_twice"]);
    check.equal("names" in message ? message.names : [], ["a", "b"]);
  }
});

const SESSION = { sessionId: "s", characterId: "evil", displayName: "Evil Neuro" };
const TO_GAMES: readonly [NeuroMessage, object][] = [
  [{ command: "action", id: "1", name: "a" }, { command: "action", data: { id: "1", name: "a" } }],
  [{ command: "action", id: "1", name: "a", data: "" }, { command: "action", data: { id: "1", name: "a" } }],
  [
    { command: "action", id: "1", name: "a", data: '{"x":1}' },
    { command: "action", data: { id: "1", name: "a", data: '{"x":1}' } },
  ],
  [{ command: "startup", session: SESSION }, { command: "startup", data: { session: SESSION } }],
  [{ command: "actions/reregister_all" }, { command: "actions/reregister_all" }],
  [
    { command: "speech_finished", data: { isFinal: true, reason: null } },
    { command: "speech_finished", data: { isFinal: true } },
  ],
  [{ command: "shutdown/graceful", wanted: false }, { command: "shutdown/graceful", data: { wants_shutdown: false } }],
  [{ command: "shutdown/immediate" }, { command: "shutdown/immediate" }],
  [{ command: "other", name: "neuro-relay/pong" }, { command: "neuro-relay/pong" }],
  [{ command: "other", name: "neuro-relay/x", data: { a: null, b: 1 } }, { command: "neuro-relay/x", data: { b: 1 } }],
];

test("NB111 a frame for a game has exactly the keys of the specification, and data that is a text or absent", () => {
  for (const [message, frame] of TO_GAMES) check.equal(JSON.parse(encodeGame(message) ?? ""), frame);
});

test("NB112 a frame for a game is printable ASCII of at most 65,000 bytes", () => {
  fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 300 }), (data) => {
    const frame = encodeGame({ command: "action", id: "1", name: "a", data }) ?? "";
    check.match(frame, /^[\x20-\x7e]*$/);
    check.equal(JSON.parse(frame).data.data, data === "" ? undefined : data);
  }));
});

test("NB112 a frame that is too large in ASCII is sent without escapes, and one that is larger still is not sent", () => {
  const frame = (data: string): string | undefined => encodeGame({ command: "action", id: "1", name: "a", data });
  const umlauts = frame("ü".repeat(30_000));
  check.that(umlauts !== undefined && new TextEncoder().encode(umlauts).length <= GAME_FRAME_BYTES_MAX);
  check.equal(frame("ü".repeat(33_000)), undefined);
  check.equal(frame("x".repeat(GAME_FRAME_BYTES_MAX)), undefined);
});

const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 });
// Why: objects without a prototype are not equal to those of JSON.parse.
const record = <T>(fields: { [Key in keyof T]: fc.Arbitrary<T[Key]> }): fc.Arbitrary<T> =>
  fc.record(fields, { noNullPrototype: true });
const gameMessage: fc.Arbitrary<GameMessage> = fc.oneof(
  fc.constantFrom<GameMessage>({ command: "startup" }, { command: "shutdown/ready" }),
  record({ command: fc.constant("context" as const), message: text, silent: fc.boolean() }),
  record({
    command: fc.constant("actions/register" as const),
    actions: fc.uniqueArray(record({ name: text, description: text }), { maxLength: 5, selector: ({ name }) => name }),
  }),
  record({ command: fc.constant("actions/unregister" as const), names: fc.uniqueArray(text) }),
  record({
    command: fc.constant("actions/force" as const),
    state: text,
    query: text,
    ephemeral: fc.boolean(),
    priority: fc.constantFrom("low" as const, "medium" as const, "high" as const, "critical" as const),
    names: fc.uniqueArray(text),
    mainThread: fc.boolean(),
  }),
  record({ command: fc.constant("action/result" as const), id: text, success: fc.boolean(), message: text }),
);

test("NB119 a frame for the backend decodes to the message it was encoded from, without a repair", () => {
  fc.assert(fc.property(gameMessage, (message) => {
    const [frame, ...others] = upstreamFrames(message, "Relay", PROFILES.neuro);
    check.equal(others, []);
    check.equal(read(frame ?? ""), { game: "Relay", message, kinds: [] });
  }));
});

test("NB103b a command that differs from one of the API only in separators, case or a plural is read as that one", () => {
  const spellings: readonly (readonly [string, GameMessage])[] = [
    ["action:result", { command: "action/result", id: "1", success: true }],
    ["actions/result", { command: "action/result", id: "1", success: true }],
    ["Action_Result", { command: "action/result", id: "1", success: true }],
    ["actionResult", { command: "action/result", id: "1", success: true }],
    ["STARTUP", { command: "startup" }],
    ["shutdown-ready", { command: "shutdown/ready" }],
    ["action/register", { command: "actions/register", actions: [] }],
    ["action.unregister", { command: "actions/unregister", names: [] }],
  ];
  for (const [command, message] of spellings) {
    const data = message.command === "action/result" ? { id: "1", success: true } : { actions: [], action_names: [] };
    const got = read({
      command,
      game: "Chess",
      data: "names" in message || "id" in message || "actions" in message ? data : undefined,
    });
    check.equal(got.message, message, command);
    check.that(got.kinds.includes("command_spelling"), command);
  }
  for (const command of ["result", "start", "neuro-relay/health", "nrc-endpoints/startup", "x".repeat(100_000)]) {
    check.equal(read({ command, game: "Chess" }).message, { command: "other", name: command });
  }
});

test("NB103c the name of a game is read from `data` if it is missing beside the command", () => {
  check.equal(read({ command: "startup", data: { game: "Chess" } }), {
    game: "Chess",
    message: { command: "startup" },
    kinds: ["game_in_data"],
  });
  const context = { command: "context", data: { game: "Chess", message: "m", silent: true } };
  check.equal(read(context), {
    game: "Chess",
    message: { command: "context", message: "m", silent: true },
    kinds: ["game_in_data"],
  });
  check.equal(read({ ...context, game: "Poker" }).game, "Poker");
  check.equal(read({ command: "context", data: { game: 7, message: "m", silent: true } }).game, "7");
});

test("NB103d names of actions are read from objects, and from a list under another key", () => {
  const names = (data: Json) => read({ command: "actions/unregister", game: "Chess", data });
  check.equal(names({ action_names: [{ name: "a" }, "b"] }), {
    game: "Chess",
    message: { command: "actions/unregister", names: ["a", "b"] },
    kinds: ["name_in_object"],
  });
  for (const key of ["actions", "names", "action_name", "name"]) {
    const got = names({ [key]: key.endsWith("s") ? ["a", { name: "b", description: "d" }] : "a" });
    check.equal(got.message, { command: "actions/unregister", names: key.endsWith("s") ? ["a", "b"] : ["a"] }, key);
    check.that(got.kinds.includes("names_key"), key);
    check.that(!got.kinds.includes("unknown_key"), key);
  }
  check.equal(names(["a", { name: "b" }]).message, { command: "actions/unregister", names: ["a", "b"] });
  const force = read({ command: "actions/force", game: "Chess", data: { query: "q", actions: [{ name: "a" }] } });
  check.that(force.message.command === "actions/force");
  check.equal(force.message.names, ["a"]);
});

const decoded = (schema: Json) => {
  const { message, kinds } = read(from("actions/register", { actions: [{ name: "a", description: "d", schema }] }));
  check.that(message.command === "actions/register");
  return { schema: message.actions[0]?.schema, kinds };
};

test("NB106c a type is added only to a schema whose values are all objects", () => {
  const place = { type: "object", properties: {} };
  const others: readonly JsonObject[] = [
    { enum: ["string", 42, true] },
    { enum: [{}, 1] },
    { const: 7 },
    { anyOf: [{ type: "string" }, { type: "integer" }] },
    { oneOf: [{ const: 1 }] },
    { allOf: [{ minimum: 1 }, { type: ["number", "null"] }] },
    { $ref: "#/$defs/name", $defs: { name: { type: "string" } } },
  ];
  for (const schema of others) {
    check.equal(decoded(schema).schema, schema);
    check.that(decoded(schema).kinds.includes("schema_type_unsupported"), JSON.stringify(schema));
  }
  const objects: readonly JsonObject[] = [
    { properties: { a: { type: "string" } } },
    { enum: [{ a: 1 }, { a: 2 }] },
    { anyOf: [{ type: "string" }, place] },
    { allOf: [{ required: ["a"] }] },
    { $ref: "#/$defs/place", $defs: { place } },
  ];
  for (const schema of objects) check.equal(decoded(schema).schema, { ...schema, type: "object" });
});

test("NB106d a keyword with a value of another kind is corrected where the meaning is obvious, and its path is named", () => {
  const property = (given: Json) => decoded({ type: "object", properties: { n: given } }).schema?.["properties"];
  const corrected: readonly (readonly [Json, Json])[] = [
    [{ type: "int" }, { type: "integer" }],
    [{ type: "Float" }, { type: "number" }],
    [{ type: ["str", "null"] }, { type: ["string", "null"] }],
    [{ type: "string|null" }, { type: ["string", "null"] }],
    [{ type: "any" }, {}],
    [{ type: "list", items: "string" }, { type: "array", items: { type: "string" } }],
    [{ type: "string", enum: "a, b" }, { type: "string", enum: ["a", "b"] }],
    [{ enum: 7 }, { enum: [7] }],
    [{ type: "object", enum: "a,b" }, { enum: ["a", "b"] }],
    [{ type: "integer", enum: "1, 2" }, { type: "integer", enum: [1, 2] }],
    [{ type: "integer", enum: "one,2" }, { enum: ["one", "2"] }],
    [{ type: ["null", "string"], enum: "a" }, { type: ["null", "string"], enum: ["a"] }],
    [{ minimum: "1", maximum: "2.5" }, { minimum: 1, maximum: 2.5 }],
    [{ minimum: 1, exclusiveMinimum: true }, { exclusiveMinimum: 1 }],
    [{ minimum: 1, exclusiveMinimum: false }, { minimum: 1 }],
    [{ minLength: "3" }, { minLength: 3 }],
    [{ type: "array", uniqueItems: "true" }, { type: "array", uniqueItems: true }],
    [{ anyOf: { type: "string" } }, { anyOf: [{ type: "string" }] }],
    [{ anyOf: [] }, {}],
    [{ required: "a" }, { required: ["a"] }],
    [{ required: ["a", "a"] }, { required: ["a"] }],
    [{ required: "a, b" }, { required: ["a", "b"] }],
    [{ required: { a: true, b: false } }, { required: ["a"] }],
    [{ enum: [1, 1, { a: 1, b: 2 }, { b: 2, a: 1 }] }, { enum: [1, { b: 2, a: 1 }] }],
    [{ type: "string", pattern: "(?i)[a" }, { type: "string" }],
    [{ patternProperties: { "[": true, "^a": true } }, { patternProperties: { "^a": true } }],
    [{ additionalProperties: "false" }, { additionalProperties: false }],
    [{ title: 5 }, { title: "5" }],
    ["string", { type: "string" }],
  ];
  for (const [given, expected] of corrected) check.equal(property(given), { n: expected }, JSON.stringify(given));
  check.equal(decoded({ type: "object", properties: { a: { type: "string", required: true }, b: { required: false } } }), {
    schema: { type: "object", properties: { a: { type: "string" }, b: {} }, required: ["a"] },
    kinds: ["schema_value"],
  });
  const { repairs } = decodedFrame({ type: "object", properties: { n: { type: "int" } }, required: "n" });
  check.match(repairs[0]?.hint ?? "", /\/properties\/n\/type, \/required/);
});

function decodedFrame(schema: Json) {
  const frame = from("actions/register", { actions: [{ name: "a", description: "d", schema }] });
  const result = decodeGame(JSON.stringify(frame), LIMITS);
  check.that(result.ok);
  return result;
}

test("NB106e a schema that no validator accepts is refused with the path and the reason", () => {
  const refused: readonly (readonly [JsonObject, RegExp])[] = [
    [{ type: "object", properties: { n: { type: "date" } } }, /\/properties\/n\/type .*"date"/],
    [{ type: "object", properties: { n: 5 } }, /\/properties\/n .*a schema, not 5/],
    [{ type: "object", properties: [1] }, /\/properties .*an object, not \[1\]/],
    [{ type: "object", required: [1] }, /\/required .*a list of names/],
    [{ type: "object", minProperties: -1 }, /\/minProperties .*whole number/],
    [{ type: "object", properties: { n: { minimum: "low" } } }, /\/properties\/n\/minimum .*a number, not "low"/],
    [{ type: "object", properties: { n: { anyOf: [{ type: "string" }, 1] } } }, /\/properties\/n\/anyOf\/1 /],
    [{ type: "object", properties: { n: { multipleOf: 0 } } }, /above 0/],
    [{ type: "object", properties: { n: { enum: { a: 1 } } } }, /\/enum .*a list of values/],
    [{ type: "object", properties: { n: { enum: [] } } }, /\/enum .*at least one value/],
    [{ type: "object", properties: { n: { $ref: "#/$defs/n" } } }, /\/\$ref .*a part of the schema/],
    [{ type: "object", properties: { n: { $ref: "https://example.com/n.json" } } }, /\/\$ref .*a part of the schema/],
  ];
  for (const [schema, reason] of refused) {
    check.match(refusal(from("actions/register", { actions: [{ name: "a", description: "d", schema }] })), reason);
  }
});

test("NB106e a reference to a named part, or with percent-encoding, is no reason to refuse a schema", () => {
  const named: readonly JsonObject[] = [
    { type: "object", properties: { n: { $ref: "#place" } }, $defs: { p: { $anchor: "place" } } },
    { type: "object", properties: { n: { $ref: "n.json" } }, $defs: { n: { $id: "n.json" } } },
    {
      type: "object",
      properties: { n: { $ref: "#/$defs/a%20b" }, m: { $ref: "#" } },
      $defs: { "a b": { type: "string" } },
    },
  ];
  for (const schema of named) check.equal(decoded(schema).schema, schema);
});

test("NB106f a schema that is given as JSON in a text is read", () => {
  const schema = { type: "object", properties: { n: { type: "integer" } } };
  check.equal(decoded(JSON.stringify(schema)), { schema, kinds: ["schema_text"] });
  check.equal(decoded("{}").schema, undefined);
  check.equal(decoded("a text").kinds, ["schema_not_object"]);
});

test("NB106d for any input, a schema that passes has values of the kinds that JSON Schema defines", () => {
  const leaf = fc.oneof(
    fc.constantFrom<Json>("int", "a,b", "5", "true", "", null, [], {}, ["a"], ["a", "a"], [1, 2], ["string", "int"]),
    fc.integer({ min: -3, max: 9 }),
    fc.boolean(),
  );
  const keyword = fc.constantFrom(
    ..."type items anyOf properties required enum minimum minLength uniqueItems not pattern".split(" "),
  );
  const { schema } = fc.letrec<{ schema: JsonObject }>((tie) => ({
    schema: fc.dictionary(
      keyword,
      fc.oneof({ maxDepth: 3 }, leaf, tie("schema"), fc.array(tie("schema"), { maxLength: 2 })),
      { maxKeys: 3 },
    ),
  }));
  const isSchema = (value: Json | undefined): boolean => {
    if (typeof value === "boolean" || value === null || value === undefined) return true;
    if (!isObject(value)) return false;
    const isOf = (name: string, holds: (value: Json) => boolean) =>
      value[name] === undefined || value[name] === null || holds(value[name]);
    const isList = (list: Json, holds: (item: Json) => boolean) => Array.isArray(list) && list.every(holds);
    return isOf("type", (type) => [type].flat().every((name) => TYPES.includes(name as string))) &&
      isOf("items", (items) => isSchema(items) || isList(items, isSchema)) && isOf("not", isSchema) &&
      isOf("anyOf", (list) => isList(list, isSchema) && Array.isArray(list) && list.length > 0) &&
      isOf("properties", (table) => isObject(table) && Object.values(table).every(isSchema)) &&
      isOf(
        "required",
        (list) =>
          isList(list, (name) => typeof name === "string") && new Set(list as Json[]).size === (list as Json[]).length,
      ) &&
      isOf("enum", Array.isArray) && isOf("minimum", Number.isFinite) &&
      isOf("pattern", (text) => typeof text === "string") &&
      isOf("minLength", (size) => Number.isInteger(size) && Number(size) >= 0) &&
      isOf("uniqueItems", (flag) => typeof flag === "boolean");
  };
  fc.assert(
    fc.property(schema, (given) => {
      const result = decodeGame(
        JSON.stringify(from("actions/register", { actions: [{ name: "a", description: "d", schema: given }] })),
        LIMITS,
      );
      if (!result.ok || result.message.command !== "actions/register") return;
      check.that(isSchema(result.message.actions[0]?.schema), JSON.stringify(result.message));
    }),
    { numRuns: 1_000 },
  );
});

const TYPES: readonly string[] = ["object", "array", "string", "number", "integer", "boolean", "null"];

test("NB122 an object in place of a text loses its credentials", () => {
  for (
    const [command, field] of [["context", "message"], ["action/result", "message"], ["actions/force", "state"], [
      "actions/force",
      "query",
    ]] as const
  ) {
    const given = { auth_token: "secret-1", inner: [{ auth_token: "secret-2", hp: 3 }] };
    const data = { id: "1", success: true, query: "q", action_names: ["a"], [field]: given };
    const read = decodeGame(JSON.stringify({ command, game: "G", data }), DEFAULTS.limits);
    check.that(read.ok);
    const text = JSON.stringify(read);
    check.that(text.includes("hp") && !text.includes("secret"), text);
  }
});
