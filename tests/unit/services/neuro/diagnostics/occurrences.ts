/** One occurrence of each diagnostic, and of nothing else. */
import type { DiagnosticId, RepairKind } from "../../../../../src/core/diagnostics/catalogue.ts";
import type { Json, JsonObject } from "../../../../../src/core/json.ts";
import type { DiagnosticSettings, Settings } from "../../../../../src/core/settings.ts";
import { DEFAULTS } from "../../../../../src/core/defaults.ts";
import { action, behaving, type FakeGame, type FakeNeuro, Scenario, type ScenarioOptions, started } from "../fixture.ts";

/** A game called Chess that has started and registered `move`. Neuro is connected. */
export interface Situation {
  readonly scenario: Scenario;
  readonly neuro: FakeNeuro;
  readonly chess: FakeGame;
}

export interface Occurrence {
  readonly options?: ScenarioOptions;
  /** Others that it cannot occur without. */
  readonly with?: readonly DiagnosticId[];
  /** Neuro has no connection: the relay takes her place. */
  readonly isStandalone?: true;
  happen(situation: Situation): void;
}

const SCHEMA: JsonObject = { type: "object", properties: { to: { type: "integer" } }, required: ["to"] };
/** An action with data, as `jump`. */
const JUMP: JsonObject = { ...action("jump"), schema: SCHEMA };

export const withSettings = (settings: Partial<Settings>): ScenarioOptions => ({ settings });
export const withDiagnostics = (diagnostics: Partial<DiagnosticSettings>): ScenarioOptions =>
  withSettings({ diagnostics: { ...DEFAULTS.diagnostics, ...diagnostics } });

const chessSays = (command: string, data?: Json): Occurrence => ({
  happen: ({ chess }) => void chess.say(command, data),
});
const chessRegisters = (more: JsonObject): Occurrence => ({
  happen: ({ chess }) => void chess.register({ ...action("jump"), ...more }),
});
const withSchema = (schema: Json): Occurrence => chessRegisters({ schema });
/** Neuro uses `move`, and Chess answers with this data. */
const chessAnswers = (data: JsonObject): Occurrence => ({
  happen({ neuro, chess }) {
    neuro.action("7", "move");
    chess.say("action/result", { id: chess.lastId(), ...data });
  },
});
const intermediaryFinds = (what: DiagnosticId): Occurrence => ({
  happen({ scenario }) {
    const { peer } = scenario.integration("Spotify");
    scenario.post({ is: "problemFound", peer, what, detail: "", message: { event: "x" } });
  },
});

const REPAIRED: Readonly<Record<RepairKind, Occurrence>> = {
  binary_frame: {
    happen: ({ chess }) =>
      void chess.raw(new TextEncoder().encode('{"command":"context","game":"Chess","data":{"message":"x","silent":true}}')),
  },
  byte_order_mark: {
    happen: ({ chess }) =>
      void chess.raw('\ufeff{"command":"context","game":"Chess","data":{"message":"x","silent":true}}'),
  },
  unknown_key: chessSays("context", { message: "x", silent: true, volume: 3 }),
  unexpected_data: { happen: ({ scenario }) => void scenario.game("Poker").say("startup", {}) },
  data_missing: chessSays("actions/register", [action("jump")]),
  text_expected: chessSays("context", { message: 5, silent: true }),
  boolean_expected: chessSays("context", { message: "x", silent: "true" }),
  null_value: chessSays("actions/force", { query: "q", state: null, action_names: ["move"] }),
  silent_missing: chessSays("context", { message: "x" }),
  query_missing: chessSays("actions/force", { action_names: ["move"] }),
  numeric_id: {
    happen({ neuro, chess }) {
      neuro.action("7", "move");
      chess.say("action/result", { id: 7, success: true });
    },
  },
  success_not_boolean: chessAnswers({ success: "true" }),
  list_expected: chessSays("actions/unregister", { action_names: "move" }),
  name_ignored: chessSays("actions/unregister", { action_names: ["move", ""] }),
  priority_unknown: chessSays("actions/force", { query: "q", action_names: ["move"], priority: "HIGH" }),
  description_missing: chessSays("actions/register", { actions: [{ name: "jump" }] }),
  description_shortened: chessRegisters({ description: "x".repeat(20_000) }),
  schema_empty: withSchema(null),
  schema_not_object: withSchema(5),
  schema_type_missing: withSchema({ properties: { to: { type: "string" } } }),
  schema_type_unsupported: withSchema({ type: "string" }),
  schema_text: withSchema(JSON.stringify(SCHEMA)),
  schema_value: withSchema({ type: "object", properties: { to: { type: "string" } }, required: "to" }),
  schema_keywords: withSchema({ ...SCHEMA, additionalProperties: false }),
  schema_pattern: withSchema({ type: "object", properties: { to: { type: "string", pattern: "^(a+)+$" } } }),
  action_ignored: chessSays("actions/register", { actions: [7, action("jump")] }),
  registered_twice: { happen: ({ chess }) => void chess.register({ name: "move", description: "another one" }) },
  command_spelling: chessSays("action/register", { actions: [action("jump")] }),
  game_in_data: {
    happen: ({ chess }) => void chess.raw('{"command":"context","data":{"game":"Chess","message":"x","silent":true}}'),
  },
  name_in_object: chessSays("actions/unregister", { action_names: [{ name: "move" }] }),
  names_key: chessSays("actions/unregister", { names: ["move"] }),
  name_twice: chessSays("actions/unregister", { action_names: ["move", "move"] }),
  action_text: chessSays("actions/register", { actions: ["jump"] }),
  result_id_missing: intermediaryFinds("result_id_missing"),
  keys_repeated: {
    happen: ({ chess }) =>
      void chess.raw(
        '{"command":"actions/register","game":"Chess","data":{"actions":[{"name":"jump","description":"x","description":"Jumps."}]}}',
      ),
  },
  keys_reordered: {
    happen: ({ chess }) =>
      void chess.raw(
        JSON.stringify({
          command: "actions/register",
          game: "Chess",
          data: { actions: [{ ...action("jump"), schema: { type: "object", properties: { b: { type: "string" } } } }] },
        }).replace('"b":{', '"b":{"type":"string"},"1":{'),
      ),
  },
};

/** Actions that cannot be sent to a backend with the smallest `frame_bytes`. */
const LARGE_SCHEMA: JsonObject = { type: "object", properties: { to: { enum: ["x".repeat(20_000)] } } };
const FEW_BYTES: ScenarioOptions = { neuros: [{ frame_bytes: 16_384 }] };

export const OCCURRENCES: Readonly<Record<DiagnosticId, Occurrence>> = {
  ...REPAIRED,
  startup_missing: { happen: ({ scenario }) => void scenario.game("Poker").register("bet") },
  startup_late: {
    happen({ scenario }) {
      const poker = scenario.game("Poker");
      scenario.pass(1_001);
      poker.startup();
    },
  },
  startup_repeated: { happen: ({ chess }) => void chess.startup() },
  game_missing: { happen: ({ scenario }) => void scenario.game("Poker").raw('{"command":"startup"}') },
  game_renamed: { happen: ({ chess }) => void chess.say("startup", undefined, "Chess 2") },
  game_name_illegal: { happen: ({ scenario }) => void scenario.game("Po\u0007ker").startup() },
  game_not_identified: {
    happen({ scenario }) {
      const others = ["Poker", "Go"].map((name) => scenario.game(name).startup());
      scenario.pass(100);
      for (const other of others) other.close();
      scenario.pass(100);
      scenario.game("Go");
      scenario.pass(2_000);
    },
  },
  connected_twice: {
    happen({ scenario, chess }) {
      scenario.game("Chess").startup();
      chess.pong();
    },
  },
  connection_slow: {
    happen({ scenario, chess }) {
      scenario.pass(30_000);
      scenario.pass(1_001);
      chess.pong();
    },
  },
  integration_unapproved: {
    options: { integrations: [{ match: "Poker", admission: "approval" }] },
    happen: ({ scenario }) => void scenario.game("Poker").startup(),
  },
  action_name_illegal: { happen: ({ chess }) => void chess.register("Jump Up") },
  registered_again: { happen: ({ chess }) => void chess.register("move") },
  actions_changed_often: {
    happen({ chess }) {
      for (let at = 0; at <= 5; at++) chess.register("jump").unregister("jump");
    },
  },
  unregister_empty: { happen: ({ chess }) => void chess.unregister() },
  unregister_unknown: { happen: ({ chess }) => void chess.unregister("fly") },
  unregister_repeated: { happen: ({ chess }) => void chess.unregister("move").unregister("move") },
  force_without_names: { happen: ({ chess }) => void chess.force([]) },
  force_names_unknown: {
    happen({ scenario, chess }) {
      chess.force(["move", "fly"]);
      scenario.pass(2_000);
    },
  },
  force_names_withheld: {
    options: { integrations: [{ match: "Chess", hide: ["move"] }] },
    happen: ({ chess }) => void chess.force(["move"]),
  },
  force_repeated: { happen: ({ chess }) => void chess.force(["move"]).force(["move"]) },
  context_empty: { happen: ({ chess }) => void chess.context("") },
  context_too_long: { happen: ({ chess }) => void chess.context("x".repeat(4_001)) },
  contexts_too_many: {
    happen({ chess }) {
      for (let at = 0; at <= 60; at++) chess.context(`${at}`);
    },
  },
  contexts_dropped: {
    options: { integrations: [{ match: "Chess", contexts_per_minute: 1 }] },
    happen: ({ chess }) => void chess.context("a").context("b"),
  },
  context_shortened: {
    options: { integrations: [{ match: "Chess", context_length: 16 }] },
    happen: ({ chess }) => void chess.context("x".repeat(17)),
  },
  context_replaced: {
    options: { integrations: [{ match: "Chess", coalesce: ["Score: *"] }] },
    happen: ({ chess }) => void chess.context("Score: 1").context("Score: 2").context("Score: 3"),
  },
  result_unknown: { happen: ({ chess }) => void chess.result(true, { id: "never" }) },
  result_foreign: {
    happen({ scenario, neuro, chess }) {
      const poker = started(scenario, "Poker", "bet");
      neuro.action("7", "move");
      poker.result(true, { id: chess.lastId() });
    },
  },
  result_repeated: {
    happen({ neuro, chess }) {
      neuro.action("7", "move");
      chess.result(true).result(true);
    },
  },
  result_late: {
    options: { integrations: [{ match: "Chess", results: "failures-only" }] },
    happen({ scenario, neuro, chess }) {
      neuro.action("7", "move");
      scenario.pass(600);
      chess.result(true);
      chess.result(true, { id: chess.lastId() });
    },
  },
  result_slow: {
    happen({ scenario, neuro, chess }) {
      neuro.action("7", "move");
      scenario.pass(1_001);
      chess.result(true);
    },
  },
  result_missing: {
    happen({ scenario, neuro }) {
      neuro.action("7", "move");
      scenario.pass(18_000);
    },
  },
  results_missing: {
    happen({ scenario, neuro, chess }) {
      neuro.action("7", "move");
      chess.unregister("move");
      scenario.pass(2_000);
    },
  },
  failure_without_message: chessAnswers({ success: false }),
  data_invalid: {
    happen({ neuro, chess }) {
      chess.register(JUMP);
      neuro.action("7", "jump", '{"to":"a1"}');
      chess.result(false, { message: "`to` must be a number" });
    },
  },
  data_not_checked: {
    happen({ neuro, chess }) {
      chess.register(JUMP);
      neuro.action("7", "jump", '{"to":"a1"}');
      chess.result(true);
    },
  },
  broken_by_action: {
    isStandalone: true,
    options: { neuros: [], settings: { "nakurity-backend": behaving({ percent: { unknown_action: 100 } }) } },
    happen({ scenario, chess }) {
      chess.force(["move"]);
      scenario.pass(8_000);
      chess.close();
    },
  },
  unknown_action_ignored: {
    isStandalone: true,
    options: { neuros: [], settings: { "nakurity-backend": behaving({ percent: { unknown_action: 100 } }) } },
    happen({ scenario, chess }) {
      chess.force(["move"]);
      scenario.pass(27_000);
    },
  },
  unknown_action_accepted: {
    isStandalone: true,
    options: { neuros: [], settings: { "nakurity-backend": behaving({ percent: { unknown_action: 100 } }) } },
    happen({ scenario, chess }) {
      chess.force(["move"]);
      scenario.pass(8_000);
      chess.result(true);
    },
  },
  schema_beyond_sampler: {
    isStandalone: true,
    options: { neuros: [] },
    happen({ scenario, chess }) {
      const impossible = { type: "integer", minimum: 5, maximum: 1 };
      chess.register({ ...JUMP, schema: { type: "object", properties: { to: impossible }, required: ["to"] } });
      chess.force(["jump"]);
      scenario.pass(8_000);
    },
  },
  text_shortened: {
    options: { ...FEW_BYTES, ...withDiagnostics({ context_length: 100_000 }) },
    happen: ({ chess }) => void chess.context("x".repeat(20_000)),
  },
  frame_unreadable: { happen: ({ chess }) => void chess.raw("{") },
  message_invalid: chessSays("context", { silent: true }),
  message_too_large: withSchema({ type: "object", properties: { to: { enum: ["x".repeat(70_000)] } } }),
  message_not_understood: intermediaryFinds("message_not_understood"),
  message_withheld: { options: FEW_BYTES, ...withSchema(LARGE_SCHEMA) },
  command_unknown: chessSays("dance"),
  limit_reached: {
    options: withSettings({ limits: { ...DEFAULTS.limits, actions_per_integration: 1 } }),
    happen: ({ chess }) => void chess.register("jump"),
  },
  action_denied: {
    options: { integrations: [{ match: "Chess", deny: ["jump"] }] },
    happen: ({ chess }) => void chess.register("jump"),
  },
  choice_refused: {
    isStandalone: true,
    options: { neuros: [] },
    happen: ({ scenario }) => scenario.post({ is: "actionChosen", from: "Chess", name: "fly", data: "{}" }),
  },
  connection_standby: {
    with: ["connected_twice"],
    options: { integrations: [{ match: "Chess", on_duplicate: "reject" }] },
    happen({ scenario, chess }) {
      const second = scenario.game("Chess").startup();
      chess.pong();
      second.context("x");
    },
  },
  greeting_repeated: intermediaryFinds("greeting_repeated"),
};

/** The situation in which an occurrence happens. */
export function situation({ options = {}, isStandalone }: Pick<Occurrence, "options" | "isStandalone"> = {}): Situation {
  const scenario = new Scenario(options);
  const neuro = isStandalone ? scenario.neuro() : scenario.neuro().open();
  return { scenario, neuro, chess: started(scenario, "Chess", "move") };
}
