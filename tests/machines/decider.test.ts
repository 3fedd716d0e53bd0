/** The relay playing Neuro: every state by every event, on virtual time. */
import { test } from "#runner";
import fc from "fast-check";
import type { Action, GameMessage, NeuroMessage } from "../../src/core/api.ts";
import { DEFAULTS } from "../../src/core/defaults.ts";
import type { Effect } from "../../src/core/effect.ts";
import { type JobId, jobId } from "../../src/core/ids.ts";
import type { Json, JsonObject } from "../../src/core/json.ts";
import type { Note } from "../../src/core/note.ts";
import type { BackendSettings } from "../../src/core/settings.ts";
import type { Turn } from "../../src/core/turn.ts";
import { choose, createDecider, type Decider, due, hear, nextWakeup, ran } from "../../src/neuro/decider.ts";
import { checkedSchema, mismatch } from "../../src/neuro/schema.ts";
import { check } from "../harness/check.ts";

const SCHEMA: JsonObject = {
  type: "object",
  properties: { to: { enum: ["a1", "a2", "a3"] }, speed: { type: "integer", minimum: 1, maximum: 1_000 } },
  required: ["to"],
};
const MOVE: Action = { name: "move", description: "Moves.", schema: SCHEMA };
const PASS: Action = { name: "pass", description: "Passes." };
const WAVE: Action = { name: "wave", description: "Waves." };
const FORCE: GameMessage = {
  command: "actions/force",
  state: "board",
  query: "Your move",
  ephemeral: false,
  priority: "low",
  names: ["move", "pass"],
  from: "Chess",
};

/** A decider that has heard a game register `move`, `pass` and `wave`, and the world around it. */
class Play implements Turn {
  readonly decider: Decider;
  now = 1_000;
  effects: Effect[] = [];
  notes: Note[] = [];
  said: NeuroMessage[] = [];
  #ids = 0;

  constructor(settings: Partial<BackendSettings> = {}) {
    this.decider = createDecider({ ...DEFAULTS["nakurity-backend"], ...settings });
    hear(this.decider, { command: "actions/register", actions: [MOVE, PASS, WAVE] }, this);
  }

  id(): string {
    return String(++this.#ids);
  }
  secret(): string {
    return this.id();
  }
  random(): number {
    throw new Error("the decider has its own, seeded, chance");
  }
  put(effect: Effect): void {
    this.effects.push(effect);
  }
  note(note: Note): void {
    this.notes.push(note);
  }

  #take(said: readonly NeuroMessage[]): readonly NeuroMessage[] {
    this.said.push(...said);
    return said;
  }
  hear(message: GameMessage): readonly NeuroMessage[] {
    return this.#take(hear(this.decider, message, this));
  }
  choose(name: string, data = "", from = "watcher"): readonly NeuroMessage[] {
    return this.#take(choose(this.decider, { from, name, data }, this));
  }
  pass(ms: number): readonly NeuroMessage[] {
    const said: NeuroMessage[] = [];
    const until = this.now + ms;
    for (let at = nextWakeup(this.decider); at !== undefined && at <= until; at = nextWakeup(this.decider)) {
      this.now = at;
      said.push(...this.#take(due(this.decider, this)));
    }
    this.now = until;
    return said;
  }
  ran(output: Json | undefined, job: JobId | undefined = this.job): readonly NeuroMessage[] {
    const event = output === undefined ? { fault: "jobLost" as const } : { output };
    return this.#take(ran(this.decider, { is: "ran", job: job ?? jobId("none"), ...event }, this));
  }
  /** The result of the action that was said last. */
  result(success: boolean, message?: string): readonly NeuroMessage[] {
    const last = this.said.findLast((message) => message.command === "action");
    check.that(last !== undefined, "no action to answer");
    return this.hear({ command: "action/result", id: last.id, success, ...(message !== undefined && { message }) });
  }

  get state(): string {
    return this.decider.force?.is ?? "idle";
  }
  get job(): JobId | undefined {
    return this.decider.force?.job;
  }
  get offers(): readonly Effect[] {
    return this.effects.filter((effect) => effect.do === "tell");
  }
  get asked(): readonly JsonObject[] {
    return this.effects.flatMap((effect) => (effect.do === "run" ? [effect.input as JsonObject] : []));
  }
  get refused(): readonly string[] {
    return this.notes.flatMap((note) => (note.is === "input_refused" ? [note.reason] : []));
  }
}

const names = (said: readonly NeuroMessage[]): readonly string[] =>
  said.map((message) => (message.command === "action" ? message.name : message.command));

/** How each state is reached. */
const STATES: Readonly<Record<string, () => Play>> = {
  idle: () => new Play(),
  offered: () => {
    const play = new Play({ decider: "openai" });
    play.hear(FORCE);
    return play;
  },
  thinking: () => {
    const play = new Play({ decider: "openai" });
    play.hear(FORCE);
    play.pass(8_000);
    return play;
  },
  acted: () => {
    const play = new Play({ decider: "openai" });
    play.hear(FORCE);
    play.choose("pass");
    return play;
  },
};

const EVENTS: Readonly<Record<string, (play: Play) => readonly NeuroMessage[]>> = {
  startup: (play) => play.hear({ command: "startup" }),
  context: (play) => play.hear({ command: "context", message: "Hi", silent: true }),
  register: (play) => play.hear({ command: "actions/register", actions: [WAVE] }),
  "unregister one": (play) => play.hear({ command: "actions/unregister", names: ["pass"] }),
  "unregister all": (play) => play.hear({ command: "actions/unregister", names: ["pass", "move"] }),
  force: (play) => play.hear({ ...FORCE, query: "Again" } as GameMessage),
  "result true": (play) => play.hear({ command: "action/result", id: "2", success: true }),
  "result false": (play) => play.hear({ command: "action/result", id: "2", success: false }),
  "choice of a forced action": (play) => play.choose("move", '{"to":"a1"}'),
  "choice of another action": (play) => play.choose("wave"),
  "choice without sense": (play) => play.choose("move", '{"to":"z9"}'),
  "good answer": (play) => play.ran({ name: "pass" }),
  "bad answer": (play) => play.ran({ name: "castle" }),
  "lost job": (play) => play.ran(undefined),
  "8 s": (play) => play.pass(8_000),
  "shutdown/ready": (play) => play.hear({ command: "shutdown/ready" }),
};

/** Rule of the row, event, and for each state: what it becomes, and what Neuro says. */
const TABLE: readonly [string, ...(readonly [becomes: string, says: string])[]][] = [
  //                             idle                 offered              thinking              acted
  ["startup", ["idle", "startup"], ["idle", "startup"], ["idle", "startup"], ["idle", "startup"]],
  ["context", ["idle", ""], ["offered", ""], ["thinking", ""], ["acted", ""]],
  ["register", ["idle", ""], ["offered", ""], ["thinking", ""], ["acted", ""]],
  ["unregister one", ["idle", ""], ["offered", ""], ["thinking", ""], ["acted", ""]],
  ["unregister all", ["idle", ""], ["idle", ""], ["idle", ""], ["idle", ""]],
  ["force", ["offered", ""], ["offered", ""], ["offered", ""], ["offered", ""]],
  ["result true", ["idle", ""], ["offered", ""], ["thinking", ""], ["idle", ""]],
  ["result false", ["idle", ""], ["offered", ""], ["thinking", ""], ["thinking", ""]],
  ["choice of a forced action", ["idle", "move"], ["acted", "move"], ["acted", "move"], ["acted", ""]],
  ["choice of another action", ["idle", "wave"], ["offered", "wave"], ["thinking", "wave"], ["acted", "wave"]],
  ["choice without sense", ["idle", ""], ["offered", ""], ["thinking", ""], ["acted", ""]],
  ["good answer", ["idle", ""], ["offered", ""], ["acted", "pass"], ["acted", ""]],
  ["bad answer", ["idle", ""], ["offered", ""], ["thinking", ""], ["acted", ""]],
  ["lost job", ["idle", ""], ["offered", ""], ["thinking", ""], ["acted", ""]],
  ["8 s", ["idle", ""], ["thinking", ""], ["thinking", ""], ["acted", ""]],
  ["shutdown/ready", ["idle", ""], ["offered", ""], ["thinking", ""], ["acted", ""]],
];

test("NB140 every event in every state leads where it should", () => {
  check.equal(TABLE.map(([event]) => event), Object.keys(EVENTS));
  for (const [event, ...row] of TABLE) {
    for (const [at, [state, reach]] of Object.entries(STATES).entries()) {
      const play = reach();
      check.equal(play.state, state);
      const says = names(EVENTS[event]?.(play) ?? []).join();
      check.equal([play.state, says], [...(row[at] ?? [])], `${event} while ${state}`);
    }
  }
});

test("NB141 a startup is answered by the configured character, and forgets actions and force", () => {
  const play = new Play({ character: "evil" });
  play.hear(FORCE);
  const [ack] = play.hear({ command: "startup" });
  check.that(ack?.command === "startup" && ack.session.sessionId !== "");
  check.equal([ack.session.characterId, ack.session.displayName], ["evil", "Evil Neuro"]);
  check.equal(play.choose("wave"), []);
  check.equal(play.pass(60_000), []);
});

test("NB142 a force is offered to those who watch, with what they need to choose", () => {
  const play = new Play();
  play.hear(FORCE);
  check.equal(play.offers, [{
    do: "tell",
    room: "intermediary",
    message: {
      is: "offer",
      offer: {
        id: "1",
        game: "Chess",
        state: "board",
        query: "Your move",
        ephemeral: false,
        actions: [{ name: "move", description: "Moves." }, { name: "pass", description: "Passes." }],
      },
    },
  }]);
});

test("NB142 the first valid choice within the time is taken; what is not valid is refused and costs nothing", () => {
  const play = new Play();
  play.hear(FORCE);
  check.equal(play.choose("move", "{"), []);
  check.equal(play.choose("castle"), []);
  check.equal(play.choose("move", '{"to":"a2"}', "first"), [{
    command: "action",
    id: "2",
    name: "move",
    data: '{"to":"a2"}',
  }]);
  check.equal(play.choose("pass", "", "second"), []);
  check.equal(play.refused.length, 3);
  check.match(play.refused[0] ?? "", /JSON/);
  check.match(play.refused[1] ?? "", /castle/);
  check.match(play.refused[2] ?? "", /already/);
  check.equal(play.pass(60_000), []);
});

test("NB143 when nobody chooses in time, `first` takes the first action with what it requires", () => {
  const play = new Play({ decider: "first" });
  play.hear(FORCE);
  check.equal(play.pass(7_999), []);
  check.equal(play.pass(1), [{ command: "action", id: "2", name: "move", data: '{"to":"a1"}' }]);
});

test("NB143 `none` waits until somebody chooses", () => {
  const play = new Play({ decider: "none" });
  play.hear(FORCE);
  check.equal(play.pass(3_600_000), []);
  check.equal(names(play.choose("pass")), ["pass"]);
});

test("NB144 `random` makes data that fits the schema, and the same seed the same game", () => {
  const decisions = (seed: number): readonly NeuroMessage[] => {
    const play = new Play({ decider: "random", seed });
    for (let round = 0; round < 20; round++) {
      play.hear(FORCE);
      play.pass(8_000);
      play.result(true);
    }
    return play.said;
  };
  const schema = checkedSchema(SCHEMA);
  fc.assert(
    fc.property(fc.nat(), (seed) => {
      const said = decisions(seed);
      check.equal(said, decisions(seed));
      for (const message of said) {
        check.that(message.command === "action");
        if (message.name === "move") check.equal(mismatch(schema, JSON.parse(message.data ?? "")), undefined);
        else check.equal(message.data, undefined);
      }
      check.equal(new Set(names(said)).size, 2);
    }),
    { numRuns: 20 },
  );
  check.that(JSON.stringify(decisions(1)) !== JSON.stringify(decisions(2)));
});

test("NB145 a failed result is tried again as Neuro does, so often and then no more", () => {
  const play = new Play({ decider: "first", retries: 2 });
  play.hear(FORCE);
  check.equal(names(play.pass(8_000)), ["move"]);
  check.equal(names(play.result(false, "occupied")), ["pass"]);
  check.equal(names(play.result(false)), ["move"]);
  check.equal(names(play.result(false)), []);
  check.equal(play.state, "idle");
});

test("NB145 with nobody to decide, a failed result is offered again", () => {
  const play = new Play({ decider: "none" });
  play.hear(FORCE);
  play.choose("pass");
  check.equal(play.result(false), []);
  check.equal(play.offers.length, 2);
  check.equal(names(play.choose("pass")), ["pass"]);
});

test("NB146 a result that succeeds ends the force, and only the result of its own action does", () => {
  const play = new Play();
  play.hear(FORCE);
  play.choose("wave");
  play.result(true);
  check.equal(play.state, "offered");
  play.choose("pass");
  play.result(true);
  check.equal(play.state, "idle");
  play.hear({ command: "action/result", id: "77", success: true });
  check.equal(play.notes, [{ is: "result_ignored", from: "unknown", why: "unknown" }]);
});

test("NB147 a newer force replaces the open one, whose result then counts for nothing", () => {
  const play = new Play();
  play.hear(FORCE);
  play.choose("pass");
  play.hear(FORCE);
  play.result(false);
  check.equal(play.state, "offered");
  check.equal(play.offers.length, 2);
});

test("NB147 names that go are no longer chosen", () => {
  const play = new Play({ decider: "first" });
  play.hear(FORCE);
  play.hear({ command: "actions/unregister", names: ["move"] });
  check.equal(names(play.pass(8_000)), ["pass"]);
});

test("NB148 anybody may use a registered action without a force", () => {
  const play = new Play();
  check.equal(names(play.choose("wave")), ["wave"]);
  check.equal(play.result(false), []);
  check.equal(play.state, "idle");
});

test("NB148 a choice that comes after its force was decided is not done", () => {
  const play = new Play({ decider: "first" });
  play.hear(FORCE);
  play.pass(8_000);
  play.result(true);
  check.equal(play.choose("pass"), []);
  check.match(play.refused[0] ?? "", /already/);
  play.pass(8_000);
  check.equal(names(play.choose("pass")), ["pass"]);
});

test("NB149 `openai`: an answer that does not fit is asked for again with what was wrong, then chance decides", () => {
  const play = new Play({ decider: "openai", openai: { url: "http://x", model: "m", timeout: 10_000, attempts: 3 } });
  play.hear({ command: "context", message: "The queen is lost.", silent: true });
  play.hear(FORCE);
  play.pass(8_000);
  check.equal(play.asked[0], {
    state: "board",
    query: "Your move",
    actions: [{ ...MOVE }, { ...PASS }],
    memory: ["The queen is lost."],
    wrong: undefined,
  });
  check.equal(play.ran({ name: "move", data: { to: "z9" } }), []);
  check.match(String(play.asked[1]?.["wrong"]), /to: Instance does not match/);
  check.equal(play.ran("I would rather sing"), []);
  check.equal(play.asked.length, 3);
  check.equal(play.ran({ name: "move", data: '{"to":"a3"}' }), [
    {
      command: "action",
      id: play.said.flatMap((m) => (m.command === "action" ? [m.id] : []))[0] ?? "",
      name: "move",
      data: '{"to":"a3"}',
    },
  ]);
});

test("NB149 `openai`: after so many answers of no use, chance decides and says so", () => {
  const play = new Play({ decider: "openai", openai: { url: "http://x", model: "m", timeout: 10_000, attempts: 2 } });
  play.hear(FORCE);
  play.pass(8_000);
  check.equal(play.ran({ name: "castle" }), []);
  check.equal(play.ran(undefined).length, 1);
  check.match(play.refused[0] ?? "", /by chance/);
});

test("NB150 the answer of an earlier job counts for nothing, and somebody may choose while the model thinks", () => {
  const play = new Play({ decider: "openai" });
  play.hear(FORCE);
  play.pass(8_000);
  const stale = play.job;
  play.ran(undefined);
  check.equal(play.ran({ name: "pass" }, stale), []);
  const current = play.job;
  check.equal(names(play.choose("move", '{"to":"a1"}')), ["move"]);
  check.equal(play.ran({ name: "pass" }, current), []);
});

test("NB151 of a force the names that are registered are asked, and the developer is told about the others", () => {
  const play = new Play({ decider: "first" });
  play.hear({ ...FORCE, names: ["castle", "pass"] } as GameMessage);
  check.equal(names(play.pass(8_000)), ["pass"]);
  const other = new Play();
  other.hear({ ...FORCE, names: ["castle"] } as GameMessage);
  check.equal([other.state, other.offers.length], ["idle", 0]);
  for (const { notes } of [play, other]) {
    check.that(notes[0]?.is === "input_mended" && notes[0].from === "Chess");
    check.match(notes[0].hint, /castle/);
  }
});

test("NB152 what was asked is remembered for the model, but not what was ephemeral; the memory is bounded", () => {
  const play = new Play({ decider: "openai" });
  const ask = (query: string, ephemeral: boolean): void => {
    play.hear({ ...FORCE, query, ephemeral } as GameMessage);
    play.choose("pass");
    play.result(true);
  };
  ask("once", true);
  ask("for good", false);
  for (let at = 0; at < 100; at++) play.hear({ command: "context", message: `${at}`.padEnd(9_000), silent: true });
  check.equal(play.decider.memory.length, 32);
  check.that(play.decider.memory.every((text) => text.length <= 2_048));
  const fresh = new Play({ decider: "openai" });
  for (const [query, ephemeral] of [["once", true], ["for good", false]] as const) {
    fresh.hear({ ...FORCE, query, ephemeral } as GameMessage);
    fresh.choose("pass");
    fresh.result(true);
  }
  check.equal(fresh.decider.memory, ["for good"]);
});
