/**
 * The path of a game's `action/result` frame to the frame for Neuro, followed through the sources: in each file the named function
 * contains the call that leads to the next one, and imports it, or the port or interface that it implements.
 *
 * A new contributor has to read this path. The test fails when it has more than `FILES_MAX` files; `src/README.md` has the same list.
 */
import { test } from "#runner";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { check } from "../harness/check.ts";
import { ROOT } from "../harness/machine.ts";
import { readSources } from "../harness/source.ts";

const FILES_MAX = 22;

interface Step {
  readonly file: string;
  /** What happens there, for the reader of the list. */
  readonly does: string;
  /** The function or method, and the calls in it that lead on. */
  readonly calls: readonly (readonly [inside: string, call: string])[];
  /** The interface by which the next file is called, where the file does not import it. */
  readonly through?: string;
}

const PATH: readonly Step[] = [
  {
    file: "src/runtimes/bun/socket.ts",
    does: "takes the frame from Bun",
    calls: [["websocketHandlers", "handler.message"]],
  },
  {
    file: "src/runtimes/connections.ts",
    does: "finds the peer of the socket; later passes the frame for Neuro to its link",
    calls: [["message", "host.push"], ["createSockets", "links.send"]],
    through: "ConnectionsHost",
  },
  { file: "src/runtimes/host.ts", does: "owns the engine", calls: [["push", "#engine.push"]] },
  {
    file: "src/engine/engine.ts",
    does: "steps the relay and executes its effects",
    calls: [["push", "#step"], ["#step", "#relay.step"], ["#step", "#tryExecute"], ["#execute", "#outbox.send"]],
  },
  {
    file: "src/relay/mod.ts",
    does: "finds the peer's service",
    calls: [["step", "#dispatch"], ["#dispatch", "#admit"], ["#admit", "#peers.admit"], ["#stepService", "service.step"]],
  },
  { file: "src/relay/admission.ts", does: "checks the rate limits", calls: [["admit", "waitOf"]] },
  {
    file: "src/relay/supervised-service.ts",
    does: "confines a panic to the service",
    calls: [["supervise", "service.step"]],
    through: "Service",
  },
  {
    file: "src/services/neuro/mod.ts",
    does: "dispatches the event",
    calls: [["dispatch", "stepSocket"], ["stepSocket", "receiveGameFrame"]],
  },
  {
    file: "src/services/neuro/games/connections.ts",
    does: "finds the game that sent it",
    calls: [["receiveGameFrame", "decodeGame"], ["receiveGameFrame", "receiveMessage"], [
      "handleMessage",
      "handleGameMessage",
    ]],
  },
  {
    file: "src/neuro-api/decode-game.ts",
    does: "decodes and repairs the message",
    calls: [["decodeGame", "readUsualMessage"]],
  },
  {
    file: "src/neuro-api/usual-frames.ts",
    does: "reads a usual frame by a pattern; `frame.ts` and `core/json.ts` parse all others",
    calls: [["readUsualMessage", "RESULT.exec"]],
  },
  {
    file: "src/services/neuro/games/game-messages.ts",
    does: "dispatches the message",
    calls: [["handleGameMessage", "receiveResult"]],
  },
  {
    file: "src/services/neuro/pending/pending.ts",
    does: "finds the pending action and reports its result",
    calls: [["receiveResult", "advance"], ["dispatch", "nextPending"], ["report", "toNeuro"]],
  },
  {
    file: "src/services/neuro/pending/transition.ts",
    does: "decides the next state of the pending action",
    calls: [],
  },
  {
    file: "src/services/neuro/outbound.ts",
    does: "sends a message to Neuro",
    calls: [["toNeuro", "encodeText"], ["toNeuro", "sendFrame"], ["sendFrame", "ctx.emit"]],
    through: "StepContext",
  },
  { file: "src/services/neuro/codec/encode-upstream.ts", does: "encodes the message", calls: [] },
  { file: "src/relay/context.ts", does: "collects the effect", calls: [["emit", "effects.push"]] },
  {
    file: "src/engine/outbox.ts",
    does: "keeps the order and the backlog limits",
    calls: [["#transmit", "#sockets.send"]],
    through: "Sockets",
  },
  {
    file: "src/runtimes/links.ts",
    does: "finds the socket of the link",
    calls: [["send", "send"]],
    through: "ClientSocket",
  },
  {
    file: "src/websocket-client/raw-socket.ts",
    does: "collects the frames of one turn of the event loop",
    calls: [["send", "#write"], ["#write", "#writer"]],
  },
  { file: "src/websocket-client/frame-writer.ts", does: "writes the WebSocket frame", calls: [] },
];

const sources = new Map(readSources(ROOT, "src/**/*.ts").map((source) => [source.path, source]));

/** The lines of a function or method: from its name to the line that closes it. */
function bodyOf(code: string, name: string): string {
  const lines = code.split("\n");
  const definition = new RegExp(
    `^(\\s*)(?:export )?(?:readonly |async |private )*(?:function |const )?${name}(?:<[^>]*>)?(?:\\(| = |: )`,
  );
  const bodies: string[] = [];
  for (const [at, line] of lines.entries()) {
    const indent = definition.exec(line)?.[1];
    if (indent === undefined) continue;
    const end = lines.findIndex((later, index) =>
      index > at && new RegExp(`^${indent}\\}?\\S`).test(later) && !later.startsWith(`${indent})`)
    );
    bodies.push(lines.slice(at, end < 0 ? lines.length : end + 1).join("\n"));
  }
  return bodies.join("\n");
}

test(`the path of a game's frame to Neuro has at most ${FILES_MAX} files`, () => {
  check.that(PATH.length <= FILES_MAX, `${PATH.length} files`);
  check.equal(new Set(PATH.map(({ file }) => file)).size, PATH.length);
});

test("each file of the path contains the calls that lead to the next one", () => {
  for (const { file, calls } of PATH) {
    const source = sources.get(file);
    check.that(source !== undefined, `${file} does not exist`);
    for (const [inside, call] of calls) {
      const escaped = call.replaceAll(/[.#]/g, "[.]?#?").replace(/^\[.\]\?#\?/, "#");
      const body = bodyOf(source.code, inside);
      check.that(body !== "", `${file} has no ${inside}`);
      check.that(new RegExp(`${escaped}\\b`).test(body), `${inside} of ${file} does not call ${call}`);
    }
  }
});

test("each file of the path is imported by an earlier one, or implements an interface that one of them calls", () => {
  const interfaces = PATH.flatMap(({ through }) => through ?? []);
  for (const [at, { file }] of PATH.entries()) {
    if (at === 0) continue;
    const entrance = `${file.split("/").slice(0, -1).join("/")}/mod.ts`;
    const isImported = PATH.slice(0, at).some((earlier) =>
      sources.get(earlier.file)?.imports.some((wanted) => wanted.file === file || wanted.file === entrance)
    );
    const code = sources.get(file)?.code ?? "";
    const isCalledThrough = interfaces.some((name) => new RegExp(`\\b${name}\\b`).test(code));
    check.that(isImported || isCalledThrough, `nothing on the path leads to ${file}`);
  }
});

test("src/README.md shows the path", () => {
  const readme = readFileSync(join(ROOT, "src/README.md"), "utf8");
  const shown = /<!-- path:begin -->\n([\s\S]*?)<!-- path:end -->/.exec(readme)?.[1] ?? "";
  const rows = PATH.map(({ file, does }, at) => `| ${at + 1} | \`${file.replace("src/", "")}\` | ${does} |`);
  const expected = ["| | file | what it does with an `action/result` |", "| --- | --- | --- |", ...rows, ""].join("\n");
  check.equal(shown.trim(), expected.trim());
});
