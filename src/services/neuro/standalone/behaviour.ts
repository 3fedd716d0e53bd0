/**
 * How the relay behaves in the place of Neuro: a preset, with the values that are set instead of its own, and what goes wrong on request.
 *
 * Invariant: BH1 a behaviour without delay and without misbehaviour draws no random number, so the decisions of a seed do not depend on it.
 */
import { BEHAVIOUR_PRESETS } from "../../../core/defaults.ts";
import type { Millis } from "../../../core/ids.ts";
import { isObject, type Json } from "../../../core/json.ts";
import { UPSTREAM_NAME_MAX } from "../../../core/limits.ts";
import type { Behaviour, BehaviourPreset, BehaviourSettings, Misbehaviour } from "../../../core/settings.ts";
import { checkData, type CompiledSchema } from "../codec/validate-data.ts";

/** The behaviour that the settings describe, or that of a preset that was chosen instead of them. */
export function resolveBehaviour(settings: BehaviourSettings, chosen: BehaviourPreset | undefined): Behaviour {
  if (chosen !== undefined) return BEHAVIOUR_PRESETS[chosen];
  const preset = BEHAVIOUR_PRESETS[settings.preset];
  const { voluntary, interval, answer_delay, answer_jitter, percent } = settings;
  return {
    voluntary: voluntary ?? preset.voluntary,
    interval: interval ?? preset.interval,
    answer_delay: answer_delay ?? preset.answer_delay,
    answer_jitter: answer_jitter ?? preset.answer_jitter,
    percent: {
      no_answer: percent.no_answer ?? preset.percent.no_answer,
      unknown_action: percent.unknown_action ?? preset.percent.unknown_action,
      missing_data: percent.missing_data ?? preset.percent.missing_data,
      invalid_data: percent.invalid_data ?? preset.percent.invalid_data,
      repeated_action: percent.repeated_action ?? preset.percent.repeated_action,
    },
  };
}

/** How long the next decision waits. */
export const answerDelay = ({ answer_delay, answer_jitter }: Behaviour, random: () => number): Millis =>
  answer_jitter === 0 ? answer_delay : answer_delay + Math.floor(random() * answer_jitter);

/** The time until the next voluntary action on a timer: `interval` in the mean. */
export const intervalUntilNext = ({ interval }: Behaviour, random: () => number): Millis =>
  Math.ceil(interval * (0.5 + random()));

/** Whether the next force is not answered. */
export const ignoresForce = ({ percent: { no_answer } }: Behaviour, random: () => number): boolean =>
  no_answer > 0 && random() * 100 < no_answer;

export type ActionMisbehaviour = Exclude<Misbehaviour, "no_answer">;

const ACTION_MISBEHAVIOURS: readonly ActionMisbehaviour[] = [
  "unknown_action",
  "missing_data",
  "invalid_data",
  "repeated_action",
];

/** What goes wrong with the next action; undefined: nothing. */
export function nextMisbehaviour({ percent }: Behaviour, random: () => number): ActionMisbehaviour | undefined {
  if (ACTION_MISBEHAVIOURS.every((kind) => percent[kind] === 0)) return undefined;
  let left = random() * 100;
  return ACTION_MISBEHAVIOURS.find((kind) => (left -= percent[kind]) < 0);
}

/** A name like that of an action, which no integration has registered. */
export function unknownName(name: string, isKnown: (name: string) => boolean): string {
  let unknown = name;
  for (let number = 2; isKnown(unknown); number++) {
    unknown = `${name.slice(0, UPSTREAM_NAME_MAX - 8)}_${number}`;
  }
  return unknown;
}

/** Data that does not fit the schema, made of data that does. */
export function invalidData(schema: CompiledSchema, valid: Json, random: () => number): string {
  const first = Math.floor(random() * DAMAGES.length);
  for (const damage of [...DAMAGES.slice(first), ...DAMAGES.slice(0, first)]) {
    const text = damage(valid, random);
    if (text !== undefined && !checkData(schema, text).ok) return text;
  }
  return BROKEN_JSON;
}

const BROKEN_JSON = '{"';

/** Ways to damage data. A schema may accept some of the results. */
const DAMAGES: readonly ((valid: Json, random: () => number) => string | undefined)[] = [
  (valid) => JSON.stringify(valid).slice(0, -1),
  () => "[]",
  (valid, random) => withChangedMember(valid, random, () => undefined),
  (valid, random) => withChangedMember(valid, random, (value) => typeof value === "string" ? value.length : String(value)),
  (valid, random) => withChangedMember(valid, random, () => null),
];

/** `change` returns the new value of one member; undefined removes it. */
function withChangedMember(
  valid: Json,
  random: () => number,
  change: (value: Json | undefined) => Json | undefined,
): string | undefined {
  const keys = isObject(valid) ? Object.keys(valid) : [];
  const key = keys[Math.floor(random() * keys.length)];
  if (key === undefined || !isObject(valid)) return undefined;
  return JSON.stringify({ ...valid, [key]: change(valid[key]) });
}
