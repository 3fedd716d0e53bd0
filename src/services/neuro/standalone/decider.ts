/**
 * The relay in Neuro's place, when there is no Neuro: it keeps the list of actions, offers each force to those who watch, and
 * decides itself when nobody chooses in time. To the rest of the room it is one more upstream.
 *
 * A force: offered -> (thinking ->) acted -> over, or after a failed result decided again, as Neuro would, up to `retries` times.
 *
 * Invariants: D1 at most one force is open, a newer one replaces it; D2 an `acted` force has exactly one action without a result;
 * D3 whatever is chosen, by whomever, is a registered action with data that fits its schema; D4 what somebody chose too late is
 * not done.
 * Knows nothing of: games, sockets, how results get their deadline.
 */
import type { Action, ForceMessage, GameMessage, NeuroMessage, ResultMessage } from "../../../core/neuro-messages.ts";
import type { ServiceEvent } from "../../../core/event.ts";
import { type JobId, jobId, type Millis } from "../../../core/ids.ts";
import { isObject, type Json, type JsonObject } from "../../../core/json.ts";
import type { BackendSettings } from "../../../core/settings.ts";
import type { StepContext } from "../../../core/context.ts";
import { type Chance, chance, pick, sample } from "./sampler.ts";
import { checkData, type CheckedSchema, checkedSchema, mismatch } from "../codec/schema.ts";

export interface Decider {
  /** Replaced as a whole when the settings change. */
  settings: BackendSettings;
  readonly actions: Map<string, Known>;
  force: Asked | undefined;
  /** Actions without a result, with the force that they are for. */
  readonly given: Map<string, Asked | undefined>;
  /** Names whose force was decided, and until when a choice among them is merely late. */
  decided: { readonly names: readonly string[]; readonly until: Millis };
  /** What Neuro was told last, for a decider that can read. */
  readonly memory: string[];
  readonly random: Chance;
}

interface Known {
  readonly action: Action;
  /** Made at the first use; undefined before it, and where the action takes nothing. */
  schema: CheckedSchema | undefined;
}

interface Asked {
  readonly message: ForceMessage;
  is: "offered" | "thinking" | "acted";
  /** When the relay decides, while offered. */
  deadline: Millis | undefined;
  job: JobId | undefined;
  /** Answers of the job to this decision that could not be used. */
  misses: number;
  /** Results with `success: false`. */
  failures: number;
  /** What was wrong with the last try. */
  wrong: string | undefined;
}

/** What somebody chose. */
export interface Choice {
  readonly from: string;
  readonly name: string;
  readonly data: string;
}

const GIVEN_MAX = 1_000;
const MEMORY_MAX = 32;
const MEMORY_TEXT_MAX = 2_048;
/** Samples tried until one fits what a sampler does not understand. */
const SAMPLES_MAX = 8;
const NOTHING: readonly NeuroMessage[] = [];
const DISPLAY_NAMES: ReadonlyMap<string, string> = new Map([["neuro", "Neuro-sama"], ["evil", "Evil Neuro"]]);

export const createDecider = (settings: BackendSettings): Decider => ({
  settings,
  actions: new Map(),
  force: undefined,
  given: new Map(),
  decided: { names: [], until: 0 },
  memory: [],
  random: chance(settings.seed),
});

/** What is said to Neuro, and what she answers at once. */
export function hear(decider: Decider, message: GameMessage, ctx: StepContext): readonly NeuroMessage[] {
  switch (message.command) {
    case "startup":
      return start(decider, ctx);
    case "context":
      remember(decider, message.message);
      return NOTHING;
    case "actions/register":
      for (const action of message.actions) decider.actions.set(action.name, { action, schema: undefined });
      return NOTHING;
    case "actions/unregister":
      for (const name of message.names) decider.actions.delete(name);
      if (decider.force !== undefined && livingNames(decider, decider.force).length === 0) decider.force = undefined;
      return NOTHING;
    case "actions/force":
      return ask(decider, message, ctx);
    case "action/result":
      return settle(decider, message, ctx);
    default:
      return NOTHING;
  }
}

/** Somebody chose, for the open force or of their own accord. What cannot be done is refused with a note. */
export function choose(decider: Decider, choice: Choice, ctx: StepContext): readonly NeuroMessage[] {
  const { from, name } = choice;
  const refuse = (reason: string): readonly NeuroMessage[] => {
    ctx.observe({ is: "input_refused", from, fault: "badMessage", reason });
    return NOTHING;
  };
  const known = decider.actions.get(name);
  if (known === undefined) return refuse(`no action is called ${name.slice(0, 64)}`);
  const data = checkData(schemaOf(known), choice.data);
  if (!data.ok) return refuse(data.reason);
  const { force, decided } = decider;
  if (force?.message.names.includes(name) === true) {
    if (force.is === "acted") return refuse("this force has been decided already");
    return act(decider, { name, data: data.value, force }, ctx);
  }
  if (decided.until > ctx.now && decided.names.includes(name)) return refuse("this force has been decided already");
  return act(decider, { name, data: data.value, force: undefined }, ctx);
}

/** The job `decide` has ended. */
export function ran(
  decider: Decider,
  event: ServiceEvent & { is: "jobFinished" },
  ctx: StepContext,
): readonly NeuroMessage[] {
  const { force } = decider;
  if (force === undefined || force.is !== "thinking" || force.job !== event.job) return NOTHING;
  force.job = undefined;
  const decision = readDecision(decider, force, event.output);
  if (typeof decision !== "string") return act(decider, { ...decision, force }, ctx);
  force.misses++;
  force.wrong = decision;
  if (force.misses < decider.settings.openai.attempts) return think(decider, force, ctx);
  ctx.observe({ is: "input_refused", from: "openai", fault: "jobLost", reason: `${decision}; decided by chance instead` });
  return actBySample(decider, force, ctx);
}

/** A deadline has come. */
export function due(decider: Decider, ctx: StepContext): readonly NeuroMessage[] {
  const { force } = decider;
  if (force?.deadline === undefined || force.deadline > ctx.now) return NOTHING;
  force.deadline = undefined;
  return decide(decider, force, ctx);
}

export const nextWakeup = (decider: Decider): Millis | undefined => decider.force?.deadline;

function start(decider: Decider, ctx: StepContext): readonly NeuroMessage[] {
  decider.actions.clear();
  decider.given.clear();
  decider.force = undefined;
  const characterId = decider.settings.character;
  const displayName = DISPLAY_NAMES.get(characterId) ?? characterId;
  return [{ command: "startup", session: { sessionId: ctx.id(), characterId, displayName } }];
}

function ask(decider: Decider, message: ForceMessage, ctx: StepContext): readonly NeuroMessage[] {
  const force: Asked = {
    message,
    is: "offered",
    deadline: undefined,
    job: undefined,
    misses: 0,
    failures: 0,
    wrong: undefined,
  };
  const unknown = message.names.filter((name) => !decider.actions.has(name));
  if (unknown.length > 0) {
    const hint = `register an action before forcing it; not registered: ${unknown.join(", ").slice(0, 200)}`;
    ctx.observe({ is: "input_repaired", from: message.from ?? "unknown", what: "force of unknown names", hint });
  }
  if (unknown.length === message.names.length) return NOTHING;
  decider.force = force;
  offer(decider, force, ctx);
  return NOTHING;
}

/** Asks those who watch; the relay decides when they take too long. */
function offer(decider: Decider, force: Asked, ctx: StepContext): void {
  const { from: game = "unknown", state, query, ephemeral } = force.message;
  const actions = livingNames(decider, force).flatMap((name) => {
    const action = decider.actions.get(name)?.action;
    return action === undefined ? [] : [{ name, description: action.description }];
  });
  force.is = "offered";
  force.deadline = ctx.now + decider.settings.choice_timeout;
  const choice = { id: ctx.id(), game, ...(state !== undefined && { state }), query, ephemeral, actions };
  ctx.post("intermediary", { is: "choiceRequested", choice });
}

function decide(decider: Decider, force: Asked, ctx: StepContext): readonly NeuroMessage[] {
  switch (decider.settings.decider) {
    case "none":
      return NOTHING;
    case "openai":
      return think(decider, force, ctx);
    default:
      return actBySample(decider, force, ctx);
  }
}

/** `first`: the first name, after a failure the next one, with plain data. Else one at random, with random data. */
function actBySample(decider: Decider, force: Asked, ctx: StepContext): readonly NeuroMessage[] {
  const names = livingNames(decider, force);
  const isFirst = decider.settings.decider === "first";
  const name = isFirst ? names[force.failures % names.length] : pick(names, decider.random);
  const known = name === undefined ? undefined : decider.actions.get(name);
  if (name === undefined || known === undefined) return NOTHING;
  const schema = schemaOf(known);
  if (schema === undefined) return act(decider, { name, data: undefined, force }, ctx);
  let data: Json = null;
  for (let tries = 0; tries < SAMPLES_MAX; tries++) {
    data = sample(schema.ready, decider.random, isFirst && tries === 0 ? "plain" : "varied");
    if (mismatch(schema, data) === undefined) break;
  }
  return act(decider, { name, data: JSON.stringify(data), force }, ctx);
}

function think(decider: Decider, force: Asked, ctx: StepContext): readonly NeuroMessage[] {
  const { state, query } = force.message;
  const actions = livingNames(decider, force).flatMap((name): JsonObject[] => {
    const action = decider.actions.get(name)?.action;
    return action === undefined ? [] : [{ ...action }];
  });
  const job = jobId(`neuro:decide:${ctx.id()}`);
  force.is = "thinking";
  force.job = job;
  const input: JsonObject = { state, query, actions, memory: [...decider.memory], wrong: force.wrong };
  ctx.emit({ do: "runJob", job, name: "decide", input, deadline: ctx.now + decider.settings.openai.timeout });
  return NOTHING;
}

/** What the job decided, or what is wrong with it. */
function readDecision(decider: Decider, force: Asked, output: Json | undefined): Decision | string {
  if (!isObject(output)) return "no answer";
  const { name, data } = output;
  if (typeof name !== "string" || !livingNames(decider, force).includes(name)) {
    return `choose one of: ${livingNames(decider, force).join(", ").slice(0, 500)}`;
  }
  const known = decider.actions.get(name);
  const text = typeof data === "string" ? data : JSON.stringify(data ?? {});
  const checked = checkData(known && schemaOf(known), text);
  return checked.ok ? { name, data: checked.value } : checked.reason;
}

interface Decision {
  readonly name: string;
  readonly data: string | undefined;
}

function act(
  decider: Decider,
  action: Decision & { readonly force: Asked | undefined },
  ctx: StepContext,
): readonly NeuroMessage[] {
  const { name, data, force } = action;
  const id = ctx.id();
  if (force !== undefined) {
    force.is = "acted";
    force.deadline = undefined;
    force.job = undefined;
    decider.decided = { names: force.message.names, until: ctx.now + decider.settings.choice_timeout };
  }
  const oldest = decider.given.keys().next();
  if (decider.given.size >= GIVEN_MAX && oldest.done !== true) decider.given.delete(oldest.value);
  decider.given.set(id, force);
  return [data === undefined ? { command: "action", id, name } : { command: "action", id, name, data }];
}

function settle(decider: Decider, { id = "", success, message }: ResultMessage, ctx: StepContext): readonly NeuroMessage[] {
  if (!decider.given.has(id)) {
    ctx.observe({ is: "result_ignored", from: "unknown", why: "unknown" });
    return NOTHING;
  }
  const force = decider.given.get(id);
  decider.given.delete(id);
  if (message !== undefined) remember(decider, `${success ? "done" : "failed"}: ${message}`);
  if (force === undefined || force !== decider.force) return NOTHING;
  if (success) return end(decider, force);
  force.failures++;
  if (force.failures > decider.settings.retries) return end(decider, force);
  force.wrong = message ?? "the action failed";
  force.misses = 0;
  if (decider.settings.decider !== "none") return decide(decider, force, ctx);
  offer(decider, force, ctx);
  return NOTHING;
}

/** What was asked for once only is forgotten. */
function end(decider: Decider, force: Asked): readonly NeuroMessage[] {
  decider.force = undefined;
  if (!force.message.ephemeral) remember(decider, force.message.query);
  return NOTHING;
}

function remember(decider: Decider, text: string): void {
  decider.memory.push(text.slice(0, MEMORY_TEXT_MAX));
  if (decider.memory.length > MEMORY_MAX) decider.memory.shift();
}

const livingNames = (decider: Decider, { message }: Asked): readonly string[] =>
  message.names.filter((name) => decider.actions.has(name));

function schemaOf(known: Known): CheckedSchema | undefined {
  if (known.schema === undefined && known.action.schema !== undefined) known.schema = checkedSchema(known.action.schema);
  return known.schema;
}
