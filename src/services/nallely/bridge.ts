/**
 * The relay as a neuron: what it declares, what it shows, and what it makes of the values that others send to it.
 *
 * Towards Neuro it is an integration like any other, present as long as the bus is.
 *
 * Invariants: B1 it is joined exactly while its neuron is open; B2 an action of Neuro is answered at once; B3 a fact of its own
 * changes no vital sign, so that hearing facts never leads to more of them.
 */
import type { Action, GameMessage, NeuroMessage } from "../../core/neuro-messages.ts";
import { NALLELY_PEER } from "../../core/ids.ts";
import { isObject, parseJson } from "../../core/json.ts";
import type { Observation } from "../../core/observation.ts";
import type { NallelyAction, NallelySettings } from "../../core/settings.ts";
import type { ServiceMessage } from "../../core/service-message.ts";
import type { StepContext } from "../../core/context.ts";
import { clamp, type NeuronPlan, type ParameterDeclaration, readDeclaration } from "./declaration.ts";
import { type Input, type Neuron, send } from "./neuron.ts";
import { type Refusal, refusal } from "./refusal.ts";
import { fill, pull, type Trigger, trigger } from "./trigger.ts";
import { hear, VITALS, type Vitals, vitals } from "./vitals.ts";

export interface Bridge {
  readonly settings: NallelySettings;
  readonly neuron: Neuron;
  readonly vitals: Vitals;
  readonly triggers: readonly Trigger[];
  readonly actions: ReadonlyMap<string, NallelyAction>;
  isJoined: boolean;
}

const DATA_DEPTH_MAX = 8;

/** What the relay declares, or the rule that its settings break. */
export function bridgePlan(settings: NallelySettings): NeuronPlan | Refusal {
  const parameters = new Map<string, ParameterDeclaration>(Object.entries(VITALS));
  const own = new Set<string>();
  for (const { parameter, range } of settings.inputs) {
    if (own.has(parameter)) continue; // Why: one input may have several thresholds.
    if (parameters.has(parameter)) return taken(parameter);
    own.add(parameter);
    parameters.set(parameter, { direction: "in", range });
  }
  for (const { parameter, range } of settings.actions) {
    if (parameters.has(parameter)) return taken(parameter);
    parameters.set(parameter, { direction: "out", range });
  }
  return readDeclaration({ name: settings.name, parameters: Object.fromEntries(parameters), rate: settings.rate });
}

const taken = (parameter: string): Refusal => refusal("parameter-twice", `parameter ${parameter} is declared twice`);

export const bridge = (settings: NallelySettings, neuron: Neuron): Bridge => ({
  settings,
  neuron,
  vitals: vitals(),
  triggers: settings.inputs.map(trigger),
  actions: new Map(settings.actions.map((action) => [action.name, action])),
  isJoined: false,
});

/** The neuron is open: takes part towards Neuro, with its actions. */
export function join(of: Bridge, ctx: StepContext): void {
  of.isJoined = true;
  tell({ is: "integrationJoined", peer: NALLELY_PEER, name: of.settings.name }, ctx);
  if (of.actions.size > 0) say({ command: "actions/register", actions: [...of.actions.values()].map(actionOf) }, ctx);
}

export function leave(of: Bridge, ctx: StepContext): void {
  if (!of.isJoined) return;
  of.isJoined = false;
  tell({ is: "integrationLeft", peer: NALLELY_PEER }, ctx);
}

/** A fact of any room. */
export function observe(of: Bridge, observation: Observation, ctx: StepContext): void {
  hear(of.vitals, observation, { now: ctx.now, show: showOn(of, ctx) });
  // Why: a room that was made anew has forgotten who joined it.
  if (observation.is === "service_rebuilt" && observation.service === "neuro" && of.isJoined) join(of, ctx);
}

/** Puts a vital sign on its output. */
export const showOn = (of: Bridge, ctx: StepContext) => (name: string, value: number): void =>
  void send(of.neuron, { name, value }, ctx);

/** A value came. */
export function react(of: Bridge, { plan, value }: Input, ctx: StepContext): void {
  for (const one of of.triggers) {
    if (one.input.parameter !== plan.name) continue;
    const verdict = pull(one, value, ctx.now);
    if (verdict === "fired") fire(of, { trigger: one, value }, ctx);
    else if (verdict === "limited") ctx.observe({ is: "nallely_input", parameter: plan.name, value, did: "limited" });
  }
}

function fire(
  of: Bridge,
  { trigger: { input }, value }: { readonly trigger: Trigger; readonly value: number },
  ctx: StepContext,
): void {
  const note = (did: "context" | "force" | "choose") =>
    ctx.observe({ is: "nallely_input", parameter: input.parameter, value, did });
  if (input.context !== undefined) {
    note("context");
    say({ command: "context", message: fill(input.context, value), silent: input.silent }, ctx);
  }
  if (input.force !== undefined && of.actions.size > 0) {
    note("force");
    const query = fill(input.force, value);
    say({ command: "actions/force", query, ephemeral: true, priority: "low", names: [...of.actions.keys()] }, ctx);
  }
  if (input.choose !== undefined) {
    note("choose");
    tell({ is: "actionChosen", from: of.settings.name, name: input.choose, data: fill(input.data, value) }, ctx);
  }
}

/** Neuro says something to the relay as an integration. */
export function obey(of: Bridge, message: NeuroMessage, ctx: StepContext): void {
  if (message.command === "actions/reregister_all") return join(of, ctx);
  if (message.command !== "action") return;
  const done = play(of, message, ctx);
  const success = typeof done === "number";
  say({ command: "action/result", id: message.id, success, message: success ? `set to ${done}` : done }, ctx);
}

/** The value that was set, or why none was. */
function play(
  of: Bridge,
  { name, data }: { readonly name: string; readonly data?: string },
  ctx: StepContext,
): number | string {
  const action = of.actions.get(name);
  if (action === undefined) return "there is no such action";
  const read = parseJson(data ?? "", DATA_DEPTH_MAX);
  const value = isObject(read) ? read.value : undefined;
  if (typeof value !== "number") return `data must be {"value": <number from ${action.range[0]} to ${action.range[1]}>}`;
  if (of.neuron.link.state !== "open") return "the Nallely session is away";
  const inside = clamp(value, action.range);
  send(of.neuron, { name: action.parameter, value: inside }, ctx);
  ctx.observe({ is: "nallely_output", parameter: action.parameter, value: inside, action: name });
  return inside;
}

const actionOf = ({ name, description, range: [minimum, maximum] }: NallelyAction): Action => ({
  name,
  description,
  schema: {
    type: "object",
    properties: { value: { type: "number", minimum, maximum } },
    required: ["value"],
    additionalProperties: false,
  },
});

const say = (message: GameMessage, ctx: StepContext): void => tell({ is: "gameMessage", peer: NALLELY_PEER, message }, ctx);

const tell = (message: ServiceMessage, ctx: StepContext): void => ctx.post("neuro", message);
