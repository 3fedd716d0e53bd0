/** The Neuro side of the codec: no frame of the relay may crash the strictest backend. */
import { test } from "#runner";
import fc from "fast-check";
import type { Action, GameMessage, NeuroMessage } from "../../../../../src/core/neuro-messages.ts";
import { REGISTER_FRAME_BYTES_MAX } from "../../../../../src/core/limits.ts";
import { PROFILES } from "../../../../../src/services/neuro/upstream/profiles.ts";
import { decodeUpstream } from "../../../../../src/services/neuro/codec/decode-upstream.ts";
import { encodeGame } from "../../../../../src/services/neuro/codec/encode-game.ts";
import { upstreamFrames } from "../../../../harness/upstream-frames.ts";
import { check } from "../../../../harness/check.ts";

const LIMITS = { json_depth: 64 };
const bytes = (text: string): number => new TextEncoder().encode(text).length;

const frames = (message: GameMessage, profile = PROFILES.neuro_api): readonly unknown[] =>
  upstreamFrames(message, "Relay", profile).map((frame) => JSON.parse(frame));

const VECTORS: readonly [GameMessage, object][] = [
  [{ command: "startup" }, { command: "startup", game: "Relay" }],
  [{ command: "shutdown/ready" }, { command: "shutdown/ready", game: "Relay" }],
  [
    { command: "context", message: "m", silent: false },
    { command: "context", game: "Relay", data: { message: "m", silent: false } },
  ],
  [
    { command: "actions/register", actions: [{ name: "a", description: "" }, { name: "b", description: "d", schema: {} }] },
    {
      command: "actions/register",
      game: "Relay",
      data: { actions: [{ name: "a", description: "" }, { name: "b", description: "d" }] },
    },
  ],
  [
    { command: "actions/unregister", names: ["a"] },
    { command: "actions/unregister", game: "Relay", data: { action_names: ["a"] } },
  ],
  [
    { command: "actions/force", query: "q", ephemeral: false, priority: "low", names: ["a"], from: "Chess" },
    {
      command: "actions/force",
      game: "Relay",
      data: { query: "q", ephemeral_context: false, priority: "low", action_names: ["a"] },
    },
  ],
  [
    { command: "actions/force", state: "s", query: "q", ephemeral: true, priority: "high", names: [] },
    {
      command: "actions/force",
      game: "Relay",
      data: { state: "s", query: "q", ephemeral_context: true, priority: "high", action_names: [] },
    },
  ],
  [
    { command: "action/result", id: "1", success: true },
    { command: "action/result", game: "Relay", data: { id: "1", success: true } },
  ],
  [
    { command: "action/result", id: "1", success: false, message: "no" },
    { command: "action/result", game: "Relay", data: { id: "1", success: false, message: "no" } },
  ],
  [{ command: "other", name: "neuro-relay/ping" }, { command: "neuro-relay/ping", game: "Relay" }],
];

test("NB113 a frame for the backend has exactly the keys of the specification", () => {
  for (const [message, frame] of VECTORS) {
    for (const profile of Object.values(PROFILES)) check.equal(frames(message, profile), [frame]);
  }
});

test("NB114 a large registration is split into frames of at most 256 KiB that have every action once, in order", () => {
  const actions = Array.from({ length: 200 }, (_, at): Action => ({ name: `a${at}`, description: "ü".repeat(2_000) }));
  const sent = upstreamFrames({ command: "actions/register", actions }, "Relay", PROFILES.neuro);
  check.that(sent.length > 1);
  for (const frame of sent) check.that(bytes(frame) <= REGISTER_FRAME_BYTES_MAX);
  check.equal(sent.flatMap((frame) => JSON.parse(frame).data.actions), actions);
});

test("NB115 no frame is larger than a backend reads: long texts are shortened", () => {
  const long = "\u0001".repeat(1_000_000);
  const messages: readonly GameMessage[] = [
    { command: "context", message: long, silent: true },
    { command: "action/result", id: "1", success: true, message: long },
    { command: "actions/force", state: long, query: long, ephemeral: false, priority: "low", names: ["a"] },
  ];
  for (const message of messages) {
    const [frame = ""] = upstreamFrames(message, "Relay", PROFILES.neuro);
    check.that(bytes(frame) <= PROFILES.neuro.frameBytesMax, message.command);
    check.match(frame, /\[\.\.\.\]/);
  }
});

test("a context that is known to be plain has the frame that it has otherwise, also when it is shortened", () => {
  for (const name of ["Relay", 'a "b" \\c', "\u00e9", ""]) {
    for (const frameBytesMax of [PROFILES.neuro.frameBytesMax, 120]) {
      for (const silent of [true, false]) {
        const context = { command: "context", message: "[Chess] it's your turn: e2-e4!".repeat(3), silent } as const;
        const profile = { ...PROFILES.neuro, frameBytesMax };
        check.equal(upstreamFrames({ ...context, isPlain: true }, name, profile), upstreamFrames(context, name, profile));
      }
    }
  }
});

test("NB116 main_thread reaches only the backend that knows it", () => {
  const message: GameMessage = { command: "actions/unregister", names: ["a"], mainThread: true };
  const data = (profile = PROFILES.neuro): unknown => JSON.parse(upstreamFrames(message, "R", profile)[0] ?? "").data;
  check.equal(data(), { action_names: ["a"], main_thread: true });
  for (const name of ["tony", "jippity", "gary", "neuro_api"] as const) {
    check.equal(data(PROFILES[name]), { action_names: ["a"] }, name);
  }
});

test("NB116 a null in a schema is not sent to the backend that crashes on one", () => {
  const schema = {
    type: "object",
    properties: { x: { default: null, enum: [null, { a: null }] }, y: null, z: { const: null } },
  };
  const message: GameMessage = { command: "actions/register", actions: [{ name: "a", description: "d", schema }] };
  const sent = (profile = PROFILES.neuro): unknown =>
    JSON.parse(upstreamFrames(message, "R", profile)[0] ?? "").data.actions[0].schema;
  check.equal(sent(), schema);
  check.equal(sent(PROFILES.neuro_api), {
    type: "object",
    properties: { x: { enum: [null, {}] }, z: { enum: [null] } },
  });
});

test("NB117 half a surrogate pair is not sent to the backend", () => {
  const [frame = ""] = upstreamFrames(
    { command: "context", message: "a\ud83d b \\ud83d 😀", silent: true },
    "R",
    PROFILES.neuro,
  );
  check.equal(JSON.parse(frame).data.message, "a\ufffd b \\ud83d 😀");
});

const SESSION = { sessionId: "s", characterId: "neuro", displayName: "Neuro-sama" };
const FROM_NEURO: readonly [object, NeuroMessage][] = [
  [{ command: "action", data: { id: "0", name: "a" } }, { command: "action", id: "0", name: "a" }],
  [
    { command: "action", data: { id: "0", name: "a", data: "{broken" } },
    { command: "action", id: "0", name: "a", data: "{broken" },
  ],
  [{ command: "action", data: { id: 3, name: "a", data: { x: 1 } } }, {
    command: "action",
    id: "3",
    name: "a",
    data: '{"x":1}',
  }],
  [{ command: "action", data: { id: "0", name: "a", data: null } }, { command: "action", id: "0", name: "a" }],
  [{ command: "startup", data: { session: SESSION, extra: 1 } }, { command: "startup", session: SESSION }],
  [
    { command: "startup", data: { session: { characterId: "evil" } } },
    { command: "startup", session: { sessionId: "", characterId: "evil", displayName: "evil" } },
  ],
  [{ command: "actions/reregister_all" }, { command: "actions/reregister_all" }],
  [
    { command: "speech_finished", data: { isFinal: true, cancelled: true, reason: "x", more: 1 } },
    { command: "speech_finished", data: { isFinal: true, cancelled: true, reason: "x" } },
  ],
  [
    { command: "shutdown/graceful", data: { wants_shutdown: true } },
    { command: "shutdown/graceful", wanted: true },
  ],
  [{ command: "shutdown/immediate", data: null }, { command: "shutdown/immediate" }],
  [{ command: "vedal/new", data: { a: 1 } }, { command: "other", name: "vedal/new", data: { a: 1 } }],
  [{ command: "vedal/bare" }, { command: "other", name: "vedal/bare" }],
];

test("NB118 `data` of an action and an unknown command are kept unchanged", () => {
  for (const [frame, message] of FROM_NEURO) {
    check.equal(decodeUpstream(JSON.stringify(frame), LIMITS), message);
  }
});

test("NB118 a malformed message of the backend is refused with the reason", () => {
  const malformed = [
    "",
    "null",
    '{"command":""}',
    '{"command":"action"}',
    '{"command":"action","data":{"id":"1"}}',
    '{"command":"action","data":{"name":"a"}}',
    '{"command":"startup","data":{"session":{}}}',
    '{"command":"speech_finished","data":{}}',
    '{"command":"shutdown/graceful"}',
  ];
  for (const frame of malformed) {
    const result = decodeUpstream(frame, LIMITS);
    check.that("fault" in result && result.reason !== "", frame);
  }
});

test("NB109 decoding whatever the backend sends returns a message or a reason", () => {
  const ends = (frame: string | Uint8Array): void => {
    const read = decodeUpstream(frame, LIMITS);
    check.that("fault" in read ? read.reason !== "" : typeof read.command === "string");
  };
  fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), ends));
  const commands = fc.constantFrom("action", "startup", "speech_finished", "shutdown/graceful", "x");
  fc.assert(fc.property(commands, fc.jsonValue(), (command, data) => ends(JSON.stringify({ command, data }))));
});

test("NB119 a frame for a game decodes to the message of Neuro", () => {
  for (const [, message] of FROM_NEURO) {
    check.equal(decodeUpstream(encodeGame(message) ?? "", LIMITS), message);
  }
});

test("NB120 a result is due a tenth before the deadline of the backend", () => {
  const waits = { neuro: 20_000, gary: 5_000 };
  for (const [name, wait] of Object.entries(waits)) check.equal(PROFILES[name as "neuro"].deadlineMs, wait * 0.9, name);
  for (const profile of Object.values(PROFILES)) check.that(profile.deadlineMs <= 18_000);
});
