/**
 * The relay as a neuron: its declaration, the statistics that it sends, and the handling of received values.
 *
 * To Neuro it is an integration like any other, connected as long as the bus is.
 *
 * Invariants: B1 it is joined exactly while its neuron's link is open; B2 an action of Neuro is answered at once; B3 its own observations
 * change no statistic, so recording observations never causes more of them.
 */
import { assertNever } from "../../core/assert.ts";
import type { StepContext } from "../../core/context.ts";
import { NALLELY_PEER } from "../../core/ids.ts";
import { isObject, parsePlainJson } from "../../core/json.ts";
import type { Action, GameMessage, NeuroMessage } from "../../core/neuro-messages.ts";
import type { NallelyReaction, Observation } from "../../core/observation.ts";
import type { ServiceMessage } from "../../core/service-message.ts";
import type { NallelyAction, NallelyInput, NallelySettings } from "../../core/settings.ts";
import { failed, ok, type Result } from "../../core/result.ts";
import type { NallelyParameter } from "../../core/view.ts";
import { clamp, type NeuronSpec, type ParameterDeclaration, readDeclaration } from "./declaration.ts";
import { type NeuronInput, type NeuronMachine, sendValue } from "./neuron.ts";
import { type RuleViolation, violation } from "./rule-violation.ts";
import {
  createStats,
  type PublishStat,
  publishUnsent,
  recordObservation,
  type RelayStats,
  STAT_PARAMETERS,
} from "./stats.ts";
import { createTrigger, evaluateTrigger, renderTemplate, type Trigger } from "./trigger.ts";

export interface Bridge {
  readonly settings: NallelySettings;
  readonly neuron: NeuronMachine;
  readonly stats: RelayStats;
  readonly triggers: readonly Trigger[];
  readonly actions: ReadonlyMap<string, NallelyAction>;
  isJoined: boolean;
}

const DATA_DEPTH_MAX = 8;

/** The neuron that the settings describe, or the rule that they break. */
export function bridgeSpec(settings: NallelySettings): NeuronSpec | RuleViolation {
  const parameters = new Map<string, ParameterDeclaration>(Object.entries(STAT_PARAMETERS));
  const inputs = new Set<string>();
  for (const { parameter, range } of settings.inputs) {
    if (inputs.has(parameter)) continue; // Why: one input may have several thresholds.
    if (parameters.has(parameter)) return declaredTwice(parameter);
    inputs.add(parameter);
    parameters.set(parameter, { direction: "in", range });
  }
  for (const { parameter, range } of settings.actions) {
    if (parameters.has(parameter)) return declaredTwice(parameter);
    parameters.set(parameter, { direction: "out", range });
  }
  return readDeclaration({ name: settings.name, parameters: Object.fromEntries(parameters), rate: settings.rate });
}

const declaredTwice = (parameter: string): RuleViolation =>
  violation("parameter-twice", `parameter ${parameter} is declared twice`);

export const createBridge = (settings: NallelySettings, neuron: NeuronMachine): Bridge => ({
  settings,
  neuron,
  stats: createStats(),
  triggers: settings.inputs.map(createTrigger),
  actions: new Map(settings.actions.map((action) => [action.name, action])),
  isJoined: false,
});

/** The neuron's link is open: sends every statistic that the neuron has not just sent again, and connects to Neuro. */
export function handleBusOpened(bridge: Bridge, ctx: StepContext): void {
  const { byName } = bridge.neuron.outputs;
  publishUnsent(bridge.stats, (name) => byName.get(name)?.lastSent === undefined, publishTo(bridge, ctx));
  joinNeuro(bridge, ctx);
}

/** Connects to Neuro as an integration and registers the actions. */
function joinNeuro(bridge: Bridge, ctx: StepContext): void {
  bridge.isJoined = true;
  postToNeuro({ is: "integrationJoined", peer: NALLELY_PEER, name: bridge.settings.name }, ctx);
  const actions = [...bridge.actions.values()].map(actionOf);
  if (actions.length > 0) sendToNeuro({ command: "actions/register", actions }, ctx);
}

/** Disconnects from Neuro. */
export function leaveNeuro(bridge: Bridge, ctx: StepContext): void {
  if (!bridge.isJoined) return;
  bridge.isJoined = false;
  postToNeuro({ is: "integrationLeft", peer: NALLELY_PEER }, ctx);
}

/** An observation of any service. */
export function handleObservation(bridge: Bridge, observation: Observation, ctx: StepContext): void {
  recordObservation(bridge.stats, observation, ctx.now, publishTo(bridge, ctx));
  // Why: a rebuilt service does not know which integrations had joined.
  if (observation.is === "service_rebuilt" && observation.service === "neuro" && bridge.isJoined) joinNeuro(bridge, ctx);
}

/** Sends statistics as outputs of the bridge's neuron. */
export const publishTo = ({ neuron }: Bridge, ctx: StepContext): PublishStat => (name, value) =>
  void sendValue(neuron, { name, value }, ctx);

/** A value arrived for an input. */
export function handleInput(bridge: Bridge, { spec, latest }: NeuronInput, ctx: StepContext): void {
  if (latest === undefined) return;
  for (const trigger of bridge.triggers) {
    if (trigger.input.parameter !== spec.name) continue;
    const outcome = evaluateTrigger(trigger, latest, ctx.now);
    if (outcome === "fired") fireTrigger(bridge, trigger.input, latest, ctx);
    else if (outcome === "limited") observeInput(trigger.input, latest, "limited", ctx);
  }
}

function fireTrigger(bridge: Bridge, input: NallelyInput, value: number, ctx: StepContext): void {
  if (input.context !== undefined) {
    observeInput(input, value, "context", ctx);
    sendToNeuro({ command: "context", message: renderTemplate(input.context, value), silent: input.silent }, ctx);
  }
  if (input.force !== undefined && bridge.actions.size > 0) {
    observeInput(input, value, "force", ctx);
    const query = renderTemplate(input.force, value);
    const names = [...bridge.actions.keys()];
    sendToNeuro({ command: "actions/force", query, ephemeral: true, priority: "low", names }, ctx);
  }
  if (input.choose !== undefined) {
    observeInput(input, value, "choose", ctx);
    const data = renderTemplate(input.data, value);
    postToNeuro({ is: "actionChosen", from: bridge.settings.name, name: input.choose, data }, ctx);
  }
}

const observeInput = (
  { parameter }: NallelyInput,
  value: number,
  reaction: NallelyReaction,
  ctx: StepContext,
): void => ctx.observe({ is: "nallely_input", parameter, value, did: reaction });

/** A message of Neuro to the relay as an integration. */
export function handleNeuroMessage(bridge: Bridge, message: NeuroMessage, ctx: StepContext): void {
  switch (message.command) {
    case "actions/reregister_all":
      return joinNeuro(bridge, ctx);
    case "action": {
      const outcome = performAction(bridge, message, ctx);
      const success = typeof outcome === "number";
      const text = success ? `set to ${outcome}` : outcome;
      return sendToNeuro({ command: "action/result", id: message.id, success, message: text }, ctx);
    }
    case "startup":
    case "speech_finished":
    case "shutdown/graceful":
    case "shutdown/immediate":
    case "other":
      return;
    default:
      return assertNever(message);
  }
}

/** Returns the value that was set, or the reason why none was. */
function performAction(
  { actions, neuron }: Bridge,
  { name, data }: { readonly name: string; readonly data?: string },
  ctx: StepContext,
): number | string {
  const action = actions.get(name);
  if (action === undefined) return "there is no such action";
  const { parameter, range } = action;
  const parsed = parsePlainJson(data ?? "", DATA_DEPTH_MAX);
  const value = isObject(parsed) ? parsed.value : undefined;
  if (typeof value !== "number") return `data must be {"value": <number from ${range[0]} to ${range[1]}>}`;
  if (neuron.link.state.is !== "open") return "the Nallely session is offline";
  const clamped = clamp(value, range);
  sendValue(neuron, { name: parameter, value: clamped }, ctx);
  ctx.observe({ is: "nallely_output", parameter, value: clamped, action: name });
  return clamped;
}

/** What an operator can set: the outputs of the actions, and the inputs, each once. */
export function settableParameters({ settings: { inputs, actions } }: Bridge): readonly NallelyParameter[] {
  const settable = new Map<string, NallelyParameter>();
  for (const { parameter: name, range: [min, max] } of actions) settable.set(name, { name, side: "out", min, max });
  // Why the first: one input may have several thresholds.
  for (const { parameter: name, range: [min, max] } of inputs) {
    if (!settable.has(name)) settable.set(name, { name, side: "in", min, max });
  }
  return [...settable.values()];
}

/** An operator sets a value: of an output as Neuro would, of an input as if it had arrived. */
export function setValue(
  bridge: Bridge,
  { parameter, value }: { readonly parameter: string; readonly value: number },
  ctx: StepContext,
): Result<undefined> {
  const { neuron } = bridge;
  const found = settableParameters(bridge).find(({ name }) => name === parameter);
  if (found === undefined) return failed("notFound", `no parameter ${parameter.slice(0, 64)} can be set`);
  const { side, min, max } = found;
  if (!(value >= min && value <= max)) {
    return failed("badMessage", `${parameter} takes a number from ${min} to ${max}, and not ${value}`);
  }
  if (neuron.link.state.is !== "open") return failed("notNow", "the Nallely session is offline");
  if (side === "out") sendValue(neuron, { name: parameter, value }, ctx);
  else {
    const input = neuron.inputs.get(parameter);
    if (input === undefined) return failed("notFound", `no input ${parameter.slice(0, 64)} is declared`);
    input.latest = value;
    handleInput(bridge, input, ctx);
  }
  return ok(undefined);
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

const sendToNeuro = (message: GameMessage, ctx: StepContext): void =>
  postToNeuro({ is: "gameMessage", peer: NALLELY_PEER, message }, ctx);

const postToNeuro = (message: ServiceMessage, ctx: StepContext): void => ctx.post("neuro", message);
