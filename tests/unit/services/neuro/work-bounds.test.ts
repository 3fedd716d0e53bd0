/**
 * Searches for inputs whose handling takes more than linear time: every place of a frame that takes a text, filled with texts that are
 * expensive for some operation.
 */
import { test } from "#runner";
import { check } from "../../../harness/check.ts";
import { Scenario } from "./fixture.ts";

/** Bytes of a text. Work that grows with the square of this takes seconds. */
const BYTES = 131_072;
/** Milliseconds for one frame. A linear implementation needs less than a tenth. */
const FRAME_MS_MAX = 1_000;

const repeated = (unit: string): string => unit.repeat(Math.floor(BYTES / new TextEncoder().encode(unit).length));

const TEXTS: Readonly<Record<string, string>> = {
  "one letter": repeated("a"),
  "combining marks of alternating classes": `a${repeated("\u0323\u0301")}`,
  "marks out of order": `a${repeated("\u0301\u0327\u0323\u0345")}`,
  "decomposed syllables": repeated("\u1112\u1161\u11ab"),
  "hyphens before a letter": `${repeated("-")}a`,
  "spaces": repeated(" "),
  "control characters": repeated("\u0001"),
  "quotes": repeated('"'),
  "backslashes": repeated("\\"),
  "astral characters": repeated("\u{1f600}"),
  "half surrogate pairs": repeated("\ud800"),
  "brackets": repeated("["),
  "commas": repeated(","),
  "percent signs": repeated("%2"),
};

const FRAMES: Readonly<Record<string, (text: string) => unknown>> = {
  "game": (game) => ({ command: "startup", game }),
  "game of a context": (game) => ({ command: "context", game, data: { message: "m", silent: true } }),
  "command": (command) => ({ command, game: "G" }),
  "message": (message) => ({ command: "context", game: "G", data: { message, silent: true } }),
  "name of an action": (name) => ({
    command: "actions/register",
    game: "G",
    data: { actions: [{ name, description: "d" }] },
  }),
  "description": (description) => ({
    command: "actions/register",
    game: "G",
    data: { actions: [{ name: "a", description }] },
  }),
  "schema as text": (schema) => ({
    command: "actions/register",
    game: "G",
    data: { actions: [{ name: "a", description: "d", schema }] },
  }),
  "pattern": (pattern) => ({
    command: "actions/register",
    game: "G",
    data: {
      actions: [{
        name: "a",
        description: "d",
        schema: { type: "object", properties: { p: { type: "string", pattern } } },
      }],
    },
  }),
  "name in a force": (name) => ({
    command: "actions/force",
    game: "G",
    data: { query: "q", action_names: [name] },
  }),
  "state": (state) => ({ command: "actions/force", game: "G", data: { state, query: "q", action_names: ["a"] } }),
  "priority": (priority) => ({
    command: "actions/force",
    game: "G",
    data: { query: "q", priority, action_names: ["a"] },
  }),
  "id": (id) => ({ command: "action/result", game: "G", data: { id, success: true } }),
  "success": (success) => ({ command: "action/result", game: "G", data: { id: "1", success } }),
  "key": (key) => ({ command: "context", game: "G", data: { [key]: 1, message: "m", silent: true } }),
  "name of an endpoint": (name) => ({ command: `nrc-endpoints/${name}`, game: "G" }),
  "included field": (name) => ({ command: "nrc-endpoints/health", game: "G", data: { include: [name] } }),
};

function isQuick(act: () => void, claim: string): void {
  const start = performance.now();
  act();
  const ms = performance.now() - start;
  check.that(ms <= FRAME_MS_MAX, `${claim}: ${ms.toFixed()} ms`);
}

test("NB60 no frame takes more than linear time, whatever text it contains at any place", () => {
  for (const [place, frame] of Object.entries(FRAMES)) {
    for (const [what, text] of Object.entries(TEXTS)) {
      const scenario = new Scenario();
      scenario.neuro().open();
      const game = scenario.game("G").startup().register("a");
      const raw = JSON.stringify(frame(text));
      isQuick(() => game.raw(raw), `${place}: ${what}`);
    }
  }
});

test("NB60 no path takes more than linear time", () => {
  for (const [what, text] of Object.entries(TEXTS)) {
    const scenario = new Scenario();
    const game = scenario.game("G", { path: `/game/${text}` });
    isQuick(() => game.raw('{"command":"startup"}'), what);
  }
});

test("NB60 no list in a frame takes more than linear time", () => {
  const names = Array.from({ length: 10_000 }, (_, at) => `n${at}`);
  const lists: Readonly<Record<string, unknown>> = {
    "registered actions": {
      command: "actions/register",
      data: { actions: names.map((name) => ({ name, description: "d" })) },
    },
    "unregistered actions": { command: "actions/unregister", data: { action_names: names } },
    "names of a force": { command: "actions/force", data: { query: "q", action_names: names } },
    "keys": { command: "context", data: { message: "m", ...Object.fromEntries(names.map((name) => [name, 1])) } },
    "included fields": { command: "nrc-endpoints/health", data: { include: names } },
  };
  for (const [what, frame] of Object.entries(lists)) {
    const scenario = new Scenario();
    scenario.neuro().open();
    const game = scenario.game("G").startup().register("a");
    const raw = JSON.stringify({ ...frame as object, game: "G" });
    isQuick(() => game.raw(raw), what);
    isQuick(() => game.raw(raw), `${what}, again`);
  }
});
