/**
 * What the decider chooses, and how it is sent: data for an action, a question to the language model and its answer, and mistakes if the
 * behaviour asks for them.
 */
import { assertNever } from "../../../core/assert.ts";
import { type JobId, jobId } from "../../../core/ids.ts";
import { isObject, type Json, type JsonObject, parseJson } from "../../../core/json.ts";
import { SCHEMA_DEPTH_MAX } from "../../../core/limits.ts";
import type { NeuroMessage } from "../../../core/neuro-messages.ts";
import type { StepContext } from "../../../core/context.ts";
import { checkData, type CompiledSchema, compileSchema, isValidSample } from "../codec/validate-data.ts";
import { invalidData, nextMisbehaviour, unknownName } from "./behaviour.ts";
import type { Decider, DeciderForce, KnownAction } from "./decider-state.ts";
import { pick, sampleData } from "./sampler.ts";

/** Actions without a result that are remembered. */
const UNANSWERED_MAX = 1_000;
/** Schemas that are kept in their compiled form, which is several times as large as their text. */
const COMPILED_MAX = 16;
/** Samples for a schema with keywords that the sampler does not know are drawn this often, until one fits. */
const SAMPLES_MAX = 8;
export const NO_ANSWER = "no answer";

/** An action with its data. */
export interface DeciderChoice {
  readonly name: string;
  readonly data: string | undefined;
}

/**
 * `first` takes the first name, after a failure the next one, with plain data; every other decider a random one with random data. An
 * action without valid data is passed over; undefined if all are.
 */
export function sampleChoice(
  decider: Decider,
  { names, from = "unknown", failures }: {
    readonly names: readonly string[];
    readonly from: string | undefined;
    readonly failures: number;
  },
  ctx: StepContext,
): DeciderChoice | undefined {
  const isFirst = decider.settings.decider === "first";
  const preferred = isFirst ? failures % names.length : names.indexOf(pick(names, decider.random));
  for (const name of [...names.slice(preferred), ...names.slice(0, preferred)]) {
    const known = decider.actions.get(name);
    const schema = known && schemaOf(decider, known);
    if (schema === undefined) return { name, data: undefined };
    const data = validSample(schema, decider.random, isFirst);
    if (data !== undefined) return { name, data: JSON.stringify(data) };
    decider.host.report(from, { id: "schema_beyond_sampler", detail: name }, ctx);
  }
  return undefined;
}

/** Data that is valid for the schema; undefined if none of `SAMPLES_MAX` samples is. */
function validSample(schema: CompiledSchema, random: () => number, isPlain: boolean): Json | undefined {
  for (let tries = 0; tries < SAMPLES_MAX; tries++) {
    const data = sampleData(schema.normalized, random, isPlain && tries === 0 ? "plain" : "varied");
    if (isValidSample(schema, data)) return data;
  }
  return undefined;
}

/** Asks the language model to choose one of the actions; without a query, one or none of them. */
export function askModel(
  decider: Decider,
  { names, ...task }:
    & { readonly names: readonly string[] }
    & {
      readonly [Field in "state" | "query" | "wrong"]?: string | undefined;
    },
  ctx: StepContext,
): JobId {
  const actions = names.flatMap((name): JsonObject[] => {
    const action = decider.actions.get(name)?.action;
    return action === undefined ? [] : [{ ...action }];
  });
  const job = jobId(`neuro:decide:${ctx.id()}`);
  const input: JsonObject = { ...task, actions, memory: [...decider.memory.texts] };
  ctx.emit({ do: "runJob", job, name: "decide", input, deadline: ctx.now + decider.settings.openai.timeout });
  return job;
}

/** The decision of the job for one of these actions, or the reason why it is invalid. */
export function readDecision(
  decider: Decider,
  names: readonly string[],
  output: Json | undefined,
): DeciderChoice | string {
  if (!isObject(output)) return NO_ANSWER;
  const { name, data } = output;
  if (typeof name !== "string" || !names.includes(name) || !decider.actions.has(name)) {
    return `choose one of: ${names.join(", ").slice(0, 500)}`;
  }
  const known = decider.actions.get(name);
  const text = typeof data === "string" ? data : JSON.stringify(data ?? {});
  const checked = checkData(known && schemaOf(decider, known), text);
  return checked.ok ? { name, data: checked.value } : checked.reason;
}

/** Sends what the relay itself has decided, or something else if the behaviour asks for that. */
export function sendDecision(
  decider: Decider,
  choice: DeciderChoice,
  { force, from }: { readonly force: DeciderForce | undefined; readonly from: string | undefined },
  ctx: StepContext,
): readonly NeuroMessage[] {
  const { host, random, actions } = decider;
  const misbehaviour = nextMisbehaviour(host.behaviourOf(from), random);
  const { name, data } = choice;
  const known = actions.get(name);
  const schema = known && schemaOf(decider, known);
  switch (misbehaviour) {
    case undefined:
      return sendAction(decider, { ...choice, force }, ctx);
    case "unknown_action":
      return sendAction(decider, { ...choice, name: unknownName(name, (each) => actions.has(each)), force, to: from }, ctx);
    case "missing_data":
      return sendAction(decider, { name, data: undefined, force }, ctx);
    case "invalid_data": {
      const valid = parseJson(data ?? "", SCHEMA_DEPTH_MAX) ?? {};
      const invalid = schema === undefined ? data : invalidData(schema, valid, random);
      return sendAction(decider, { name, data: invalid, force }, ctx);
    }
    case "repeated_action":
      return [
        ...sendAction(decider, { ...choice, force }, ctx),
        ...sendAction(decider, { ...choice, force: undefined }, ctx),
      ];
    default:
      return assertNever(misbehaviour);
  }
}

export function sendAction(
  decider: Decider,
  action: DeciderChoice & { readonly force: DeciderForce | undefined; readonly to?: string | undefined },
  ctx: StepContext,
): readonly NeuroMessage[] {
  const { name, data, force, to } = action;
  const id = ctx.id();
  if (force !== undefined) {
    if (force.failures === 0) rememberForce(decider, force);
    force.state = { is: "awaiting_result" };
    decider.recentlyDecided = { names: force.message.names, until: ctx.now + decider.settings.choice_timeout };
  }
  const oldest = decider.unanswered.keys().next();
  if (decider.unanswered.size >= UNANSWERED_MAX && oldest.done !== true) decider.unanswered.delete(oldest.value);
  decider.unanswered.set(id, force ?? (to === undefined ? "voluntary" : "unregistered"));
  remember(decider, `You: ${JSON.stringify({ name, ...(data !== undefined && { data }) })}`);
  return [{ command: "action", id, name, ...(data !== undefined && { data }), ...(to !== undefined && { to }) }];
}

/** The language model will never answer: it is not asked again, and that is reported once. */
export function giveModelUp(decider: Decider, why: string, ctx: StepContext): void {
  decider.modelFailure = why;
  const reason = `${why}; until then the relay decides at random`;
  ctx.observe({ is: "input_refused", from: "openai", fault: "jobLost", reason });
}

/** Neuro remembers query and state of a force that she has answered, unless they are ephemeral. */
function rememberForce(decider: Decider, { message: { from = "a game", query, state, ephemeral } }: DeciderForce): void {
  if (!ephemeral) remember(decider, `${from} asks: ${query}${state === undefined ? "" : `\nState: ${state}`}`);
}

/** Keeps a text for the language model, if there is one. */
export function remember({ memory, settings }: Decider, text: string): void {
  if (settings.decider === "openai") memory.add(text, settings.openai);
}

export function schemaOf({ compiled }: Decider, known: KnownAction): CompiledSchema | undefined {
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
