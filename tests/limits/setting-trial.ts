/** Checks a setting: a file sets it, and the effect is measured from outside. */
import { fields } from "../../src/config/fields.ts";
import { load } from "../../src/config/load.ts";
import { valueAt } from "../../src/config/config-tree.ts";
import type { Settings } from "../../src/core/settings.ts";
import { check } from "../harness/check.ts";
import { LimitFixture, settingsOf } from "./fixture.ts";

export interface SettingTrial {
  /** Texts of values that are not the default. */
  readonly texts: readonly string[];
  /** Other settings that the measurement needs, as for `--set`. */
  readonly others?: readonly string[];
  /** The default is too large to be measured. */
  readonly isDefaultHuge?: boolean;
  /** The measured value; `bound` is the expected one, for measurements that can only confirm it. */
  measure(fixture: LimitFixture, bound: number): Promise<number>;
}

/** Trials by the names of the settings in one block. */
export type SettingTrials = Readonly<Record<string, SettingTrial>>;

/** The names below a block, in the order of the schema. */
export const namesIn = (block: string): readonly string[] =>
  fields().filter(({ path }) => path[0] === block).map(({ path }) => path.slice(1).join("."));

/** Measures a setting by default and with each text, set at the start and in a running relay. */
export async function checkSetting(path: string, trial: SettingTrial): Promise<void> {
  const { texts, others = [], isDefaultHuge = false, measure } = trial;
  for (const text of [...(isDefaultHuge ? [] : [undefined]), ...texts]) {
    const settings = settingsOf(text === undefined ? undefined : { path, text }, others);
    const bound = Number(valueAt({ ...settings }, path.split(".")));
    check.equal(await measure(await LimitFixture.start(settings), bound), bound, `${path}: ${text ?? "by default"}`);
  }
  for (const text of texts) {
    const settings = settingsOf({ path, text }, others);
    const fixture = await LimitFixture.start(settingsOf(undefined, others));
    fixture.configure(settings);
    const bound = Number(valueAt({ ...settings }, path.split(".")));
    check.equal(await measure(fixture, bound), bound, `${path}: ${text}, set in a running relay`);
  }
  for (const text of texts) {
    const expected = settingsOf({ path, text }, others);
    check.equal(fromEnvironment(path, text, others), expected, `${path} as a variable`);
  }
}

/** The settings with this value in the environment. */
function fromEnvironment(path: string, text: string, sets: readonly string[]): Settings {
  const variable = fields().find((field) => field.path.join(".") === path)?.variable ?? "";
  const loaded = load({ environment: { [variable]: text }, sets });
  if (!loaded.ok) throw new Error(loaded.errors.join("\n"));
  return loaded.settings;
}
