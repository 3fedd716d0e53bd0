/** Action lists of published integrations: they reach a strict Neuro unchanged, and the built-in Neuro uses them with valid data. */
import { test } from "#runner";
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { isObject, type Json, type JsonObject } from "../../src/core/json.ts";
import { DEFAULTS } from "../../src/core/defaults.ts";
import type { ProfileName } from "../../src/core/settings.ts";
import { check } from "../harness/check.ts";
import { Scenario, type ScenarioOptions } from "../unit/services/neuro/fixture.ts";
import { ACTION_LISTS, type ActionList, type PublishedAction } from "./action-lists.ts";

const ROUNDS = 20;
const LEGAL = /^[a-z0-9_-]{1,64}$/;

const descriptionOf = ({ name }: PublishedAction): string => `Does ${name}.`;

const described = ({ actions }: ActionList): readonly JsonObject[] =>
  actions.map((action) => ({ name: action.name, description: descriptionOf(action), ...withSchema(action.schema) }));

const withSchema = (schema: JsonObject | null | undefined): JsonObject => schema ? { schema } : {};

/** What a Neuro with this profile was sent to register. */
function registeredAt(profile: ProfileName, list: ActionList): readonly JsonObject[] {
  const scenario = new Scenario({ neuros: [{ profile }] });
  const neuro = scenario.neuro().open();
  scenario.game(list.game).startup().register(...described(list));
  return neuro.frames().flatMap(({ command, data }) =>
    command === "actions/register" && isObject(data) ? data["actions"] as JsonObject[] : []
  );
}

for (const list of ACTION_LISTS) {
  test(`NB240 the actions of a published integration reach Neuro unchanged (${list.game})`, () => {
    const registered = registeredAt("neuro", list);
    check.equal(registered.length, list.actions.length);
    for (const [at, action] of list.actions.entries()) {
      const name = LEGAL.test(action.name) ? action.name : String(registered[at]?.["name"]);
      check.match(name, LEGAL);
      const { schema, changed = schema } = action;
      check.equal(registered[at], { name, description: descriptionOf(action), ...withSchema(changed) });
    }
  });

  test(`NB240b the strictest server accepts the actions of a published integration (${list.game})`, () => {
    for (const action of registeredAt("neuro_api", list)) check.equal(nullsIn(action), []);
  });
}

/** The paths of keys whose value is null: the strictest server ends at one. */
function nullsIn(value: Json, path = ""): readonly string[] {
  if (Array.isArray(value)) return value.flatMap((item: Json) => isObject(item) ? nullsIn(item, `${path}/*`) : []);
  if (!isObject(value)) return value === null ? [path] : [];
  return Object.entries(value).flatMap(([key, item]) => nullsIn(item ?? null, `${path}/${key}`));
}

for (const decider of ["random", "first"] as const) {
  test(`NB142b the built-in Neuro sends only data that an independent validator accepts (${decider})`, () => {
    const ajv = new Ajv2020({ strict: false });
    addFormats.default(ajv);
    const invalid: string[] = [];
    for (const { game: name, actions } of ACTION_LISTS) {
      const scenario = new Scenario(standalone(decider));
      const game = scenario.game(name).startup().register(...described({ game: name, actions }));
      for (const { name: action, schema } of actions) {
        const accepts = ajv.compile(schema ?? {});
        for (let round = 0; round < ROUNDS; round++) {
          game.heard();
          game.force([action]);
          scenario.pass(10_000);
          const used = game.heardFrames().find(({ command }) => command === "action");
          if (used === undefined || !isObject(used["data"])) {
            invalid.push(`${name}: ${action} was not used`);
            break;
          }
          const { id, data } = used["data"];
          if (schema !== undefined && !accepts(typeof data === "string" ? JSON.parse(data) : null)) {
            invalid.push(`${name}: ${action} with ${data}: ${ajv.errorsText(accepts.errors)}`);
          }
          game.result(true, { id: String(id) });
        }
      }
    }
    check.equal(invalid, []);
  });
}

function standalone(decider: "random" | "first"): ScenarioOptions {
  return { neuros: [], settings: { "nakurity-backend": { ...DEFAULTS["nakurity-backend"], decider } } };
}
