/**
 * The relay as Neuro, when no upstream is configured. It keeps the list of actions, offers each force to integrations and watchers, and
 * decides itself if none of them chooses within `choice_timeout`. The rest of the service treats it like any other upstream.
 *
 * A force is `offered`, then perhaps `thinking`, then `awaiting_result`. After a failed result the relay decides it again, up to
 * `retries` times.
 *
 * Invariants: SD1 at most one force is open, and a newer one replaces it; SD2 a force that is `awaiting_result` has exactly one action
 * without a result; SD3 an action that is sent is registered and has data that fits its schema, no matter who chose it; SD4 a choice that
 * comes after the decision is refused.
 * Knows nothing of: games, sockets, the deadline of a result.
 */
import { type DiagnosticId, hintFor } from "../../../core/diagnostics/catalogue.ts";
import { assertNever } from "../../../core/assert.ts";
import type { FaultName } from "../../../core/fault.ts";
import type { Action, ForceMessage, GameMessage, NeuroMessage, ResultMessage } from "../../../core/neuro-messages.ts";
import { failed, ok, type Result } from "../../../core/result.ts";
import type { ServiceEvent } from "../../../core/event.ts";
import { type JobId, jobId, type Millis } from "../../../core/ids.ts";
import { isObject, type Json, type JsonObject } from "../../../core/json.ts";
import { seededRandom } from "../../../core/random.ts";
import type { BackendSettings } from "../../../core/settings.ts";
import type { StepContext } from "../../../core/context.ts";
import { pick, sampleData } from "./sampler.ts";
import { checkData, type CompiledSchema, compileSchema, isValidSample } from "../codec/validate-data.ts";

/** Reports a problem of the integration with this name to its author. */
export type ReportProblem = (
  from: string,
  problem: { readonly id: DiagnosticId; readonly detail: string },
  ctx: StepContext,
) => void;

const observeProblem: ReportProblem = (from, { id, detail }, ctx) =>
  ctx.observe({ is: "input_repaired", from, what: id, hint: hintFor(id, detail) });

export interface Decider {
  readonly report: ReportProblem;
  /** Replaced as a whole when the settings change. */
  settings: BackendSettings;
  readonly actions: Map<string, KnownAction>;
  /** Those with a compiled schema, the one that was compiled first is first. */
  readonly compiled: Set<KnownAction>;
  force: DeciderForce | undefined;
  /** Actions without a result, with the force that they are for. */
  readonly unanswered: Map<string, DeciderForce | undefined>;
  /** Names of the force that was decided last; until then a choice among them is refused as late. */
  recentlyDecided: { readonly names: readonly string[]; readonly until: Millis };
  /** The last contexts and queries, for a language model. */
  readonly memory: string[];
  readonly random: () => number;
  /** Why the language model is not asked any more, until the settings change; undefined while it is. */
  modelFailure: string | undefined;
}

interface KnownAction {
  readonly action: Action;
  /** Compiled when it is used; undefined before, after `COMPILED_MAX` others, and if the action takes no data. */
  schema: CompiledSchema | undefined;
}

interface DeciderForce {
  readonly message: ForceMessage;
  state: DecisionState;
  /** Answers of the language model to this decision that were invalid. */
  invalidAnswers: number;
  /** Results with `success: false`. */
  failures: number;
  /** The reason why the last answer or action failed. */
  rejection: string | undefined;
}

type DecisionState =
  /** Until this deadline integrations and watchers may choose; then the relay decides. Undefined: the relay does not decide. */
  | { readonly is: "offered"; readonly deadline: Millis | undefined }
  /** The language model was asked. */
  | { readonly is: "thinking"; readonly job: JobId }
  | { readonly is: "awaiting_result" };

/** An action that a person, an integration or a watcher chose for Neuro. */
export interface Choice {
  readonly from: string;
  readonly name: string;
  readonly data: string;
}

const UNANSWERED_MAX = 1_000;
/** Schemas that are kept in their compiled form, which is several times as large as their text. */
const COMPILED_MAX = 16;
const MEMORY_MAX = 32;
const MEMORY_TEXT_MAX = 2_048;
/** Samples for a schema with keywords that the sampler does not know are drawn this often, until one fits. */
const SAMPLES_MAX = 8;
const NOTHING: readonly NeuroMessage[] = [];
const NO_ANSWER = "no answer";
const DISPLAY_NAMES: ReadonlyMap<string, string> = new Map([["neuro", "Neuro-sama"], ["evil", "Evil Neuro"]]);

/** `report` gets the problems of integrations; without it they are only observed. */
export const createDecider = (settings: BackendSettings, report: ReportProblem = observeProblem): Decider => ({
  settings,
  report,
  actions: new Map(),
  compiled: new Set(),
  force: undefined,
  unanswered: new Map(),
  recentlyDecided: { names: [], until: 0 },
  memory: [],
  random: seededRandom(settings.seed),
  modelFailure: undefined,
});

/** The settings have changed. The language model is asked again, whatever it refused before. */
export function reconfigure(decider: Decider, settings: BackendSettings): void {
  decider.settings = settings;
  decider.modelFailure = undefined;
}

/** Handles a message for Neuro, and returns the messages that she answers at once. */
export function handleMessage(decider: Decider, message: GameMessage, ctx: StepContext): readonly NeuroMessage[] {
  switch (message.command) {
    case "startup":
      return answerStartup(decider, ctx);
    case "context":
      remember(decider, message.message);
      return NOTHING;
    case "actions/register":
      for (const action of message.actions) decider.actions.set(action.name, { action, schema: undefined });
      return NOTHING;
    case "actions/unregister":
      for (const name of message.names) decider.actions.delete(name);
      if (decider.force !== undefined && registeredNames(decider, decider.force).length === 0) decider.force = undefined;
      return NOTHING;
    case "actions/force":
      return openForce(decider, message, ctx);
    case "action/result":
      return handleResult(decider, message, ctx);
    case "shutdown/ready":
    case "other":
      return NOTHING;
    default:
      return assertNever(message);
  }
}

/** Somebody chose an action, with or without an open force that asks for it. A choice that cannot be sent is refused with the reason. */
export function chooseAction(decider: Decider, choice: Choice, ctx: StepContext): Result<readonly NeuroMessage[]> {
  const { from, name } = choice;
  const refuse = (fault: FaultName, reason: string): Result<readonly NeuroMessage[]> => {
    ctx.observe({ is: "input_refused", from, fault: "badMessage", reason });
    return failed(fault, reason);
  };
  const known = decider.actions.get(name);
  if (known === undefined) return refuse("notFound", `no action ${name.slice(0, 64)} is registered`);
  const data = checkData(schemaOf(decider, known), choice.data);
  if (!data.ok) return refuse("badMessage", data.reason);
  const { force, recentlyDecided } = decider;
  if (force?.message.names.includes(name) === true) {
    if (force.state.is === "awaiting_result") return refuse("notNow", "this force has been decided already");
    return ok(sendAction(decider, { name, data: data.value, force }, ctx));
  }
  if (recentlyDecided.until > ctx.now && recentlyDecided.names.includes(name)) {
    return refuse("notNow", "this force has been decided already");
  }
  return ok(sendAction(decider, { name, data: data.value, force: undefined }, ctx));
}

/** The job `decide` has ended: its answer is checked, and asked for again up to `openai.attempts` times. */
export function jobFinished(
  decider: Decider,
  event: ServiceEvent & { is: "jobFinished" },
  ctx: StepContext,
): readonly NeuroMessage[] {
  const { force } = decider;
  if (force?.state.is !== "thinking" || force.state.job !== event.job) return NOTHING;
  if (event.isFinal === true) return giveModelUp(decider, force, event.reason ?? NO_ANSWER, ctx);
  const decision = readDecision(decider, force, event.output);
  if (typeof decision !== "string") return sendAction(decider, { ...decision, force }, ctx);
  force.invalidAnswers++;
  force.rejection = decision;
  if (force.invalidAnswers < decider.settings.openai.attempts) return requestDecision(decider, force, ctx);
  const reason = event.reason ?? decision;
  ctx.observe({ is: "input_refused", from: "openai", fault: "jobLost", reason: `${reason}; decided at random instead` });
  return actBySample(decider, force, ctx);
}

/** The language model will never answer: it is not asked again, and that is reported once. */
function giveModelUp(decider: Decider, force: DeciderForce, why: string, ctx: StepContext): readonly NeuroMessage[] {
  decider.modelFailure = why;
  const reason = `${why}; until then the relay decides at random`;
  ctx.observe({ is: "input_refused", from: "openai", fault: "jobLost", reason });
  return actBySample(decider, force, ctx);
}

/** Decides the force whose `choice_timeout` is over. */
export function decideDue(decider: Decider, ctx: StepContext): readonly NeuroMessage[] {
  const { force } = decider;
  if (force?.state.is !== "offered" || force.state.deadline === undefined || force.state.deadline > ctx.now) return NOTHING;
  force.state = { is: "offered", deadline: undefined };
  return decide(decider, force, ctx);
}

export const nextWakeup = ({ force }: Decider): Millis | undefined =>
  force?.state.is === "offered" ? force.state.deadline : undefined;

function answerStartup(decider: Decider, ctx: StepContext): readonly NeuroMessage[] {
  decider.actions.clear();
  decider.unanswered.clear();
  decider.force = undefined;
  const characterId = decider.settings.character;
  const displayName = DISPLAY_NAMES.get(characterId) ?? characterId;
  return [{ command: "startup", session: { sessionId: ctx.id(), characterId, displayName } }];
}

function openForce(decider: Decider, message: ForceMessage, ctx: StepContext): readonly NeuroMessage[] {
  const force: DeciderForce = {
    message,
    state: { is: "offered", deadline: undefined },
    invalidAnswers: 0,
    failures: 0,
    rejection: undefined,
  };
  const unknown = message.names.filter((name) => !decider.actions.has(name));
  if (unknown.length > 0) {
    const detail = unknown.join(", ").slice(0, 200);
    decider.report(message.from ?? "unknown", { id: "force_names_unknown", detail }, ctx);
  }
  if (unknown.length === message.names.length) return NOTHING;
  decider.force = force;
  offerForce(decider, force, ctx);
  return NOTHING;
}

/** Offers the force to integrations and watchers; the relay decides after `choice_timeout`. */
function offerForce(decider: Decider, force: DeciderForce, ctx: StepContext): void {
  const { from: game = "unknown", state, query, ephemeral } = force.message;
  const actions = registeredNames(decider, force).flatMap((name) => {
    const action = decider.actions.get(name)?.action;
    return action === undefined ? [] : [{ name, description: action.description }];
  });
  force.state = { is: "offered", deadline: ctx.now + decider.settings.choice_timeout };
  const choice = { id: ctx.id(), game, ...(state !== undefined && { state }), query, ephemeral, actions };
  ctx.post("intermediary", { is: "choiceRequested", choice });
}

function decide(decider: Decider, force: DeciderForce, ctx: StepContext): readonly NeuroMessage[] {
  switch (decider.settings.decider) {
    case "none":
      return NOTHING;
    case "openai":
      return decider.modelFailure === undefined ? requestDecision(decider, force, ctx) : actBySample(decider, force, ctx);
    case "first":
    case "random":
      return actBySample(decider, force, ctx);
    default:
      return assertNever(decider.settings.decider);
  }
}

/**
 * `first` takes the first name, after a failure the next one, with plain data; every other decider a random one with random data. An
 * action without valid data is passed over; if all are, the force waits for a choice.
 */
function actBySample(decider: Decider, force: DeciderForce, ctx: StepContext): readonly NeuroMessage[] {
  const names = registeredNames(decider, force);
  if (names.length === 0) return NOTHING;
  const isFirst = decider.settings.decider === "first";
  const preferred = isFirst ? force.failures % names.length : names.indexOf(pick(names, decider.random));
  for (const name of [...names.slice(preferred), ...names.slice(0, preferred)]) {
    const known = decider.actions.get(name);
    const schema = known && schemaOf(decider, known);
    if (schema === undefined) return sendAction(decider, { name, data: undefined, force }, ctx);
    const data = validSample(schema, decider.random, isFirst);
    if (data !== undefined) return sendAction(decider, { name, data: JSON.stringify(data), force }, ctx);
    decider.report(force.message.from ?? "unknown", { id: "schema_beyond_sampler", detail: name }, ctx);
  }
  force.state = { is: "offered", deadline: undefined };
  return NOTHING;
}

/** Data that is valid for the schema; undefined if none of `SAMPLES_MAX` samples is. */
function validSample(schema: CompiledSchema, random: () => number, isPlain: boolean): Json | undefined {
  for (let tries = 0; tries < SAMPLES_MAX; tries++) {
    const data = sampleData(schema.normalized, random, isPlain && tries === 0 ? "plain" : "varied");
    if (isValidSample(schema, data)) return data;
  }
  return undefined;
}

function requestDecision(decider: Decider, force: DeciderForce, ctx: StepContext): readonly NeuroMessage[] {
  const { state, query } = force.message;
  const actions = registeredNames(decider, force).flatMap((name): JsonObject[] => {
    const action = decider.actions.get(name)?.action;
    return action === undefined ? [] : [{ ...action }];
  });
  const job = jobId(`neuro:decide:${ctx.id()}`);
  force.state = { is: "thinking", job };
  const input: JsonObject = { state, query, actions, memory: [...decider.memory], wrong: force.rejection };
  ctx.emit({ do: "runJob", job, name: "decide", input, deadline: ctx.now + decider.settings.openai.timeout });
  return NOTHING;
}

/** The decision of the job, or the reason why it is invalid. */
function readDecision(decider: Decider, force: DeciderForce, output: Json | undefined): DeciderChoice | string {
  if (!isObject(output)) return NO_ANSWER;
  const { name, data } = output;
  if (typeof name !== "string" || !registeredNames(decider, force).includes(name)) {
    return `choose one of: ${registeredNames(decider, force).join(", ").slice(0, 500)}`;
  }
  const known = decider.actions.get(name);
  const text = typeof data === "string" ? data : JSON.stringify(data ?? {});
  const checked = checkData(known && schemaOf(decider, known), text);
  return checked.ok ? { name, data: checked.value } : checked.reason;
}

interface DeciderChoice {
  readonly name: string;
  readonly data: string | undefined;
}

function sendAction(
  decider: Decider,
  action: DeciderChoice & { readonly force: DeciderForce | undefined },
  ctx: StepContext,
): readonly NeuroMessage[] {
  const { name, data, force } = action;
  const id = ctx.id();
  if (force !== undefined) {
    force.state = { is: "awaiting_result" };
    decider.recentlyDecided = { names: force.message.names, until: ctx.now + decider.settings.choice_timeout };
  }
  const oldest = decider.unanswered.keys().next();
  if (decider.unanswered.size >= UNANSWERED_MAX && oldest.done !== true) decider.unanswered.delete(oldest.value);
  decider.unanswered.set(id, force);
  return [data === undefined ? { command: "action", id, name } : { command: "action", id, name, data }];
}

function handleResult(
  decider: Decider,
  { id = "", success, message }: ResultMessage,
  ctx: StepContext,
): readonly NeuroMessage[] {
  if (!decider.unanswered.has(id)) {
    ctx.observe({ is: "result_ignored", from: "unknown", why: "unknown" });
    return NOTHING;
  }
  const force = decider.unanswered.get(id);
  decider.unanswered.delete(id);
  if (message !== undefined) remember(decider, `${success ? "done" : "failed"}: ${message}`);
  if (force === undefined || force !== decider.force) return NOTHING;
  if (success) return endForce(decider, force);
  force.failures++;
  if (force.failures > decider.settings.retries) return endForce(decider, force);
  force.rejection = message ?? "the action failed";
  force.invalidAnswers = 0;
  if (decider.settings.decider !== "none") return decide(decider, force, ctx);
  offerForce(decider, force, ctx);
  return NOTHING;
}

/** The force is over. Its query is remembered unless it is ephemeral. */
function endForce(decider: Decider, force: DeciderForce): readonly NeuroMessage[] {
  decider.force = undefined;
  if (!force.message.ephemeral) remember(decider, force.message.query);
  return NOTHING;
}

function remember(decider: Decider, text: string): void {
  decider.memory.push(text.slice(0, MEMORY_TEXT_MAX));
  if (decider.memory.length > MEMORY_MAX) decider.memory.shift();
}

const registeredNames = (decider: Decider, { message }: DeciderForce): readonly string[] =>
  message.names.filter((name) => decider.actions.has(name));

function schemaOf({ compiled }: Decider, known: KnownAction): CompiledSchema | undefined {
  if (known.schema !== undefined || known.action.schema === undefined) return known.schema;
  known.schema = compileSchema(known.action.schema);
  compiled.add(known);
  const [first] = compiled;
  if (compiled.size > COMPILED_MAX && first !== undefined) {
    compiled.delete(first);
    first.schema = undefined;
  }
  return known.schema;
}
