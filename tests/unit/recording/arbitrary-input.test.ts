/** Arbitrary recordings, frames and peers. */
import { test } from "#runner";
import fc from "fast-check";
import { Secrets } from "../../../src/core/secrets.ts";
import { redactFrame } from "../../../src/recording/redact.ts";
import {
  conversationsIn,
  describeConversation,
  readRecording,
  RecordingError,
  replayBackend,
  replayGame,
  reportLines,
} from "../../../src/recording/mod.ts";
import { check } from "../../harness/check.ts";
import { spelledJson } from "../../harness/spelled-json.ts";
import { script, type ScriptLine, simulationOf } from "./replay-fixture.ts";

const RUNS = 300;

/** Similar to a message of the Neuro API: a command that may exist, with any data. */
const message = fc.record({
  command: fc.oneof(
    fc.constantFrom(
      "startup",
      "action",
      "actions/register",
      "actions/unregister",
      "actions/force",
      "action/result",
      "context",
    ),
    fc.jsonValue(),
  ),
  game: fc.jsonValue(),
  data: fc.oneof(
    fc.record({
      id: fc.jsonValue(),
      name: fc.jsonValue(),
      data: fc.jsonValue(),
      actions: fc.oneof(fc.jsonValue(), fc.array(fc.record({ name: fc.jsonValue(), schema: fc.jsonValue() }))),
      action_names: fc.oneof(fc.jsonValue(), fc.array(fc.jsonValue())),
      success: fc.jsonValue(),
    }, { requiredKeys: [] }),
    fc.jsonValue(),
  ),
}, { requiredKeys: [] });
const frame = fc.oneof(
  message.map((value) => JSON.stringify(value)),
  fc.string(),
  fc.uint8Array({ maxLength: 200 }),
  message.map((value) => new TextEncoder().encode(JSON.stringify(value))),
);
const lines = fc.array(
  fc.tuple(fc.nat(1_000), fc.constantFrom("game" as const, "backend" as const), message as fc.Arbitrary<never>),
  { maxLength: 12 },
) as fc.Arbitrary<ScriptLine[]>;

/** Values of JSON that cannot be converted to text, and deeply nested ones. */
const STUBBORN = { toString: 1, valueOf: [] };
const DEEP = `{"command":"action/result","data":{"id":"1","message":${"[".repeat(50_000)}${"]".repeat(50_000)}}}`;
const TRAPS: [ScriptLine[], (string | Uint8Array)[]][] = [
  STUBBORN,
  { id: STUBBORN, name: STUBBORN, data: STUBBORN },
  { actions: [STUBBORN, { name: STUBBORN, description: STUBBORN }], action_names: [STUBBORN] },
].map((data): [ScriptLine[], string[]] => {
  const commands = ["action", "actions/register", "actions/unregister", "actions/force", "action/result", "context"];
  const messages = commands.map((command) => ({ command, data }));
  return [
    messages.flatMap((one, at): ScriptLine[] => [[at, "game", one as never], [at, "backend", one as never]]),
    [...messages.map((one) => JSON.stringify(one)), DEEP, DEEP.slice(0, 50_000)],
  ];
});

test("OB16 any file is read or refused", () => {
  const line = fc.oneof(
    fc.constant('{"v":1,"relay":"1","started_at":""}'),
    fc.record({
      t: fc.oneof(fc.nat(), fc.jsonValue()),
      peer: fc.oneof(fc.nat(3), fc.jsonValue()),
      is: fc.constantFrom("opened", "dialling", "in", "out", "closed", "ended", "full", 5),
      listener: fc.constantFrom("neuro", "proxy", "brain", null),
      link: fc.constantFrom("neuro:neuro", undefined),
      text: fc.oneof(message.map((value) => JSON.stringify(value)), fc.jsonValue()),
      base64: fc.oneof(fc.string(), fc.jsonValue()),
      bytes: fc.oneof(fc.nat(), fc.jsonValue()),
    }, { requiredKeys: ["t", "peer", "is"] }).map((value) => JSON.stringify(value)),
    fc.string(),
  );
  fc.assert(
    fc.property(fc.array(line), (all) => {
      try {
        for (const session of readRecording(all.join("\n"))) {
          for (const conversation of conversationsIn(session)) {
            // deno-lint-ignore no-control-regex
            check.that(!/[\u0000-\u001f\u007f]/.test(describeConversation(conversation)));
          }
        }
      } catch (error) {
        check.that(error instanceof RecordingError, String(error));
      }
    }),
    { numRuns: RUNS },
  );
});

test("OB14 any frame can be recorded, without its secrets", () => {
  const secret = "CANARY-secret-of-some-length";
  const secrets = new Secrets([secret]);
  const planted = fc.tuple(frame, fc.string(), fc.string()).map(([plain, before, after]) =>
    typeof plain === "string"
      ? `${plain}${before}${secret}${after}`
      : new TextEncoder().encode(`${before}${secret}${after}`)
  );
  fc.assert(
    fc.property(fc.oneof(frame, planted), (one) => {
      const { text, base64 } = redactFrame(one, secrets);
      check.that(!(text ?? atob(base64 ?? "")).includes("CANARY"));
    }),
    { numRuns: RUNS },
  );
});

test("EX16 a frame keeps the text of each value beside a secret that is hidden", () => {
  const secrets = new Secrets([]);
  fc.assert(fc.property(spelledJson, (text) => {
    const { text: recorded } = redactFrame(`{"token":"wrong","v":${text}}`, secrets);
    check.equal(recorded, `{"token":"***","v":${text}}`);
  }));
});

test("OB17 OB20 any recording is replayed to its end, whatever the other side sends", async () => {
  await fc.assert(
    fc.asyncProperty(lines, fc.array(frame, { maxLength: 12 }), async (recorded, said) => {
      const backend = replayBackend(script(recorded, { speed: 10 }));
      const simulation = await simulationOf(backend);
      const socket = simulation.network.connect("neuro");
      await simulation.advance(1);
      for (const one of said) socket.send(one);
      await simulation.advance(600_000);
      const game = replayGame(script(recorded, { speed: 10 }), "ws://backend");
      const other = await simulationOf(game, () => (far) => {
        for (const one of said) far.send(one);
      });
      await other.advance(600_000);
      for (const [playing, sides] of [[backend, "backend"], [game, "game"]] as const) {
        const report = playing.report();
        check.that(report !== undefined, `the ${sides} does not end`);
        check.that(report !== undefined && reportLines(report).length > 0);
      }
      check.equal([...simulation.observations, ...other.observations].filter(({ is }) => is === "panicked"), []);
    }),
    { numRuns: RUNS, examples: TRAPS },
  );
}, { timeoutMs: 120_000 });
