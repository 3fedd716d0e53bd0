/** The usual frames are read by patterns: the same messages as the parser's, for arbitrary frames, and those of the published SDKs. */
import { test } from "#runner";
import fc from "fast-check";
import { DEFAULTS } from "../../../src/core/defaults.ts";
import type { NeuroMessage } from "../../../src/core/neuro-messages.ts";
import { decodeGame } from "../../../src/neuro-api/decode-game.ts";
import { readUsualAction, readUsualMessage } from "../../../src/neuro-api/usual-frames.ts";
import { decodeUpstream } from "../../../src/services/neuro/codec/decode-upstream.ts";
import { check } from "../../harness/check.ts";
import { withoutNote } from "../../harness/without-note.ts";

/** The same JSON in a frame that no pattern matches. */
const parsed = (frame: string): string => ` ${frame}`;

/** Messages of frames that are read by a pattern, and by the parser. */
function readBoth(frame: string): readonly [usual: unknown, parsed: unknown] {
  const usual = readUsualMessage(frame);
  const read = decodeGame(parsed(frame), DEFAULTS.limits);
  if (usual === undefined) return [undefined, read];
  return [
    { ...usual, message: withoutNote(usual.message) },
    read,
  ];
}

const mostly = <Value>(usual: fc.Arbitrary<Value>, other: fc.Arbitrary<Value>): fc.Arbitrary<Value> =>
  fc.oneof({ arbitrary: usual, weight: 14 }, { arbitrary: other, weight: 1 });

const plain = fc.constantFrom(`"a"`, `"Game 1"`, `"It's done; 3/4 {of} [all]: ok."`, `"1764-10~b"`);
/** Texts with an escape or with a character that a careless pattern would let through, and values that are not texts. */
const odd = fc.oneof(
  fc.constantFrom(`""`, `"\\\\"`, `"\\u0041"`, `"\\"`, `"é"`, `"\u0000"`, `"\u007f"`, `"\n"`, `"a\\/b"`, `"a"b"`, `"\\x"`),
  fc.constantFrom("true", "null", "1", "1.0", "[]", "{}", "True"),
  fc.string({ maxLength: 12 }).map((value) => JSON.stringify(value)),
  fc.string({ unit: "binary", maxLength: 6 }).map((value) => `"${value}"`),
);
const json = fc.oneof(plain, fc.json({ maxDepth: 1 }).map((value) => JSON.stringify(value)));
const value = mostly(plain, odd);
const flag = mostly(fc.constantFrom("true", "false"), odd);
const spaced = fc.constantFrom("", " ");
/** After a colon or a comma, and where the SDKs write no space. */
const [gap, noGap] = [mostly(spaced, fc.constantFrom("  ", "\n")), mostly(fc.constant(""), fc.constantFrom(" ", "\t"))];

const member = (key: string, of: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.tuple(noGap, gap, of, noGap).map(([before, after, written, end]) => `"${key}"${before}:${after}${written}${end}`);
const object = (...members: readonly fc.Arbitrary<string>[]): fc.Arbitrary<string> =>
  fc.tuple(gap, noGap, fc.tuple(...members)).chain(([comma, start, written]) =>
    mostly(fc.constant(written), fc.shuffledSubarray(written)).map((list) => `{${start}${list.join(`,${comma}`)}}`)
  );

const ofGame = (command: string, ...members: readonly fc.Arbitrary<string>[]): fc.Arbitrary<string> =>
  object(member("command", fc.constant(`"${command}"`)), member("game", value), member("data", object(...members)));
const [id, success, message] = [member("id", value), member("success", flag), member("message", value)];

test("NB100b a frame of a game that a pattern reads means the same to the parser, which repairs nothing in it (property)", () => {
  let usual = 0;
  const frames = fc.oneof(
    ofGame("action/result", id, success, message),
    ofGame("action/result", success, id),
    ofGame("context", message, member("silent", flag)),
    ofGame("contexts", message, member("silent", flag)),
  );
  fc.assert(
    fc.property(frames, (given) => {
      const [read, expected] = readBoth(given);
      if (read === undefined) return;
      usual++;
      check.equal(read, expected, given);
    }),
    { numRuns: 3_000 },
  );
  check.that(usual > 300, `only ${usual} of 3,000 frames were usual`);
});

test("NB100b an action of Neuro that a pattern reads means the same to the parser (property)", () => {
  let usual = 0;
  const data = object(id, member("name", value), member("data", mostly(json, odd)));
  const actions = object(member("command", fc.constant(`"action"`)), member("data", data));
  fc.assert(
    fc.property(actions, (given) => {
      const read = readUsualAction(given);
      if (read === undefined) return;
      usual++;
      check.equal(decodeUpstream(parsed(given), DEFAULTS.limits), read, given);
    }),
    { numRuns: 3_000 },
  );
  check.that(usual > 300, `only ${usual} of 3,000 frames were usual`);
});

test("NB100b the frames of the published SDKs are usual", () => {
  const games: readonly (readonly [sdk: string, frame: string])[] = [
    [
      "C#",
      `{"command":"action/result","game":"Buckshot Roulette","data":{"id":"1-2~a","success":true,"message":"Done. {0}"}}`,
    ],
    ["C#, without a message", `{"command":"action/result","game":"Inscryption","data":{"id":"1-2","success":false}}`],
    ["Python", `{"command": "action/result", "game": "Slay", "data": {"id": "1-2", "success": true, "message": ""}}`],
    [
      "JavaScript",
      `{"command":"action/result","game":"Tic","data":{"success":true,"id":"1-2","message":"It's your turn!"}}`,
    ],
    ["C#", `{"command":"context","game":"Buckshot Roulette","data":{"message":"Round 1: 3 live, 2 blank.","silent":true}}`],
    ["Python", `{"command": "context", "game": "Slay", "data": {"message": "You won", "silent": false}}`],
  ];
  for (const [sdk, given] of games) check.that(readUsualMessage(given) !== undefined, `${sdk}: ${given}`);
  const actions: readonly string[] = [
    `{"command":"action","data":{"id":"0","name":"play_card","data":"{\\"card\\": 3,\\n \\"at\\": \\"left\\"}"}}`,
    `{"command": "action", "data": {"id": "b3c1", "name": "end_turn"}}`,
  ];
  for (const given of actions) check.that(readUsualAction(given) !== undefined, given);
});

test("NB100b a frame of more than 512 characters is parsed, because a part of it would keep all of it in memory", () => {
  const message = "a".repeat(512);
  check.equal(
    readUsualMessage(`{"command":"context","game":"G","data":{"message":"${message}","silent":true}}`),
    undefined,
  );
  const action: NeuroMessage | undefined = readUsualAction(`{"command":"action","data":{"id":"${message}","name":"n"}}`);
  check.equal(action, undefined);
});
