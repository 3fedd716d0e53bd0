/** The relay playing Neuro: every state by every event, and how a force is decided. */
import { test } from "#runner";
import type { GameMessage, NeuroMessage } from "../../../../../src/core/neuro-messages.ts";
import { check } from "../../../../harness/check.ts";
import { FORCE, names, Play, WAVE } from "./decider-fixture.ts";

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
  awaiting_result: () => {
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

/** Rule of the row, event, and for each state: the next state, and the messages of Neuro. */
const TABLE: readonly [string, ...(readonly [becomes: string, says: string])[]][] = [
  //                             idle                 offered              thinking              acted
  ["startup", ["idle", "startup"], ["idle", "startup"], ["idle", "startup"], ["idle", "startup"]],
  ["context", ["idle", ""], ["offered", ""], ["thinking", ""], ["awaiting_result", ""]],
  ["register", ["idle", ""], ["offered", ""], ["thinking", ""], ["awaiting_result", ""]],
  ["unregister one", ["idle", ""], ["offered", ""], ["thinking", ""], ["awaiting_result", ""]],
  ["unregister all", ["idle", ""], ["idle", ""], ["idle", ""], ["idle", ""]],
  ["force", ["offered", ""], ["offered", ""], ["offered", ""], ["offered", ""]],
  ["result true", ["idle", ""], ["offered", ""], ["thinking", ""], ["idle", ""]],
  ["result false", ["idle", ""], ["offered", ""], ["thinking", ""], ["thinking", ""]],
  ["choice of a forced action", ["idle", "move"], ["awaiting_result", "move"], ["awaiting_result", "move"], [
    "awaiting_result",
    "",
  ]],
  ["choice of another action", ["idle", "wave"], ["offered", "wave"], ["thinking", "wave"], ["awaiting_result", "wave"]],
  ["choice without sense", ["idle", ""], ["offered", ""], ["thinking", ""], ["awaiting_result", ""]],
  ["good answer", ["idle", ""], ["offered", ""], ["awaiting_result", "pass"], ["awaiting_result", ""]],
  ["bad answer", ["idle", ""], ["offered", ""], ["thinking", ""], ["awaiting_result", ""]],
  ["lost job", ["idle", ""], ["offered", ""], ["thinking", ""], ["awaiting_result", ""]],
  ["8 s", ["idle", ""], ["thinking", ""], ["thinking", ""], ["awaiting_result", ""]],
  ["shutdown/ready", ["idle", ""], ["offered", ""], ["thinking", ""], ["awaiting_result", ""]],
];

test("NB140 the decider goes from every state by every event to the state in the table", () => {
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

test("NB141 a `startup` is answered with the configured character, and clears actions and force", () => {
  const play = new Play({ character: "evil" });
  play.hear(FORCE);
  const [ack] = play.hear({ command: "startup" });
  check.that(ack?.command === "startup" && ack.session.sessionId !== "");
  check.equal([ack.session.characterId, ack.session.displayName], ["evil", "Evil Neuro"]);
  check.equal(play.choose("wave"), []);
  check.equal(play.pass(60_000), []);
});

test("NB142 a force is sent to watchers and integrations with its query, state and actions", () => {
  const play = new Play();
  play.hear(FORCE);
  check.equal(play.offers, [{
    do: "post",
    service: "intermediary",
    message: {
      is: "choiceRequested",
      choice: {
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

test("NB142 the first valid choice within `choice_timeout` is sent; an invalid one is refused and changes nothing", () => {
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

test("NB143 when nobody chooses, `first` takes the first action with the data that it requires", () => {
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
