/**
 * The relay as Neuro, when no upstream is configured. It keeps the list of actions, offers each force to integrations and watchers, and
 * decides itself if none of them chooses within `choice_timeout`. It also acts without a force, and makes mistakes, if the behaviour of
 * the integration asks for that. The rest of the service treats it like any other upstream.
 *
 * A force is `offered`, then perhaps `thinking`, then `awaiting_result`. After a failed result the relay decides it again, up to
 * `retries` times.
 *
 * Invariants: SD1 at most one force is open, and a newer one replaces it; SD2 a force that is `awaiting_result` has exactly one action
 * without a result; SD3 an action that is sent is registered and has data that fits its schema, no matter who chose it, unless the
 * behaviour asks for the opposite; SD4 a choice that comes after the decision is refused; SD5 while a force is decided or open, or a
 * voluntary action has no result, it does not act without a force.
 * Knows nothing of: games, sockets, the deadline of a result.
 */
import { assertNever } from "../../../core/assert.ts";
import { earlier } from "../../../core/deadlines.ts";
import type { FaultName } from "../../../core/fault.ts";
import type { ForceMessage, GameMessage, NeuroMessage, ResultMessage } from "../../../core/neuro-messages.ts";
import { failed, ok, type Result } from "../../../core/result.ts";
import type { ServiceEvent } from "../../../core/event.ts";
import type { Millis } from "../../../core/ids.ts";
import type { BackendSettings } from "../../../core/settings.ts";
import type { StepContext } from "../../../core/context.ts";
import { answerDelay, ignoresForce } from "./behaviour.ts";
import {
  askModel,
  giveModelUp,
  NO_ANSWER,
  readDecision,
  remember,
  sampleChoice,
  schemaOf,
  sendAction,
  sendDecision,
} from "./decide.ts";
import type { Decider, DeciderForce } from "./decider-state.ts";
import { followImpulse, noticeContext, scheduleImpulses, voluntaryDecided } from "./voluntary.ts";
import { checkData } from "../codec/validate-data.ts";

/** An action that a person, an integration or a watcher chose for Neuro. */
export interface Choice {
  readonly from: string;
  readonly name: string;
  readonly data: string;
}

const NOTHING: readonly NeuroMessage[] = [];
const DISPLAY_NAMES: ReadonlyMap<string, string> = new Map([["neuro", "Neuro-sama"], ["evil", "Evil Neuro"]]);

/**
 * The settings have changed. The language model is asked again, whatever it refused before. Returns the messages that she sends: she
 * introduces herself again if she is somebody else.
 */
export function reconfigure(decider: Decider, settings: BackendSettings, ctx: StepContext): readonly NeuroMessage[] {
  const { character, display_name, session_id } = decider.settings;
  const isSame = character === settings.character && display_name === settings.display_name &&
    session_id === settings.session_id;
  decider.settings = settings;
  decider.modelFailure = undefined;
  if (settings.decider === "openai") decider.memory.trim(settings.openai);
  else decider.memory.clear();
  behaviourChanged(decider, ctx);
  return isSame ? NOTHING : [introduction(settings, ctx)];
}

/** The behaviour towards some integrations has changed. */
export function behaviourChanged(decider: Decider, ctx: StepContext): void {
  for (const name of decider.actions.keys()) scheduleImpulses(decider, name, ctx);
}

/** Handles a message of `from` for Neuro, and returns the messages that she answers at once. */
export function handleMessage(
  decider: Decider,
  message: GameMessage,
  from: string,
  ctx: StepContext,
): readonly NeuroMessage[] {
  switch (message.command) {
    case "startup":
      return answerStartup(decider, ctx);
    case "context":
      remember(decider, `${from}: ${message.message}`);
      if (!message.silent) noticeContext(decider, from, ctx);
      return NOTHING;
    case "actions/register":
      for (const action of message.actions) decider.actions.set(action.name, { action, schema: undefined });
      for (const { name } of message.actions) scheduleImpulses(decider, name, ctx);
      return NOTHING;
    case "actions/unregister":
      for (const name of message.names) decider.actions.delete(name);
      if (decider.force !== undefined && registeredNames(decider, decider.force).length === 0) decider.force = undefined;
      return NOTHING;
    case "actions/force":
      return openForce(decider, message, ctx);
    case "action/result":
      return handleResult(decider, message, from, ctx);
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
  const { force, voluntary } = decider;
  if (voluntary?.job === event.job) return voluntaryDecided(decider, voluntary.from, event, ctx);
  if (force?.state.is !== "thinking" || force.state.job !== event.job) return NOTHING;
  if (event.isFinal === true) {
    giveModelUp(decider, event.reason ?? NO_ANSWER, ctx);
    return actBySample(decider, force, ctx);
  }
  const decision = readDecision(decider, registeredNames(decider, force), event.output);
  if (typeof decision !== "string") return sendDecision(decider, decision, { force, from: force.message.from }, ctx);
  force.invalidAnswers++;
  force.rejection = decision;
  if (force.invalidAnswers < decider.settings.openai.attempts) return requestDecision(decider, force, ctx);
  const reason = event.reason ?? decision;
  ctx.observe({ is: "input_refused", from: "openai", fault: "jobLost", reason: `${reason}; decided at random instead` });
  return actBySample(decider, force, ctx);
}

/** Decides the force whose `choice_timeout` is over, and acts without a force where it is time for that. */
export function decideDue(decider: Decider, ctx: StepContext): readonly NeuroMessage[] {
  const { force } = decider;
  const isDue = force?.state.is === "offered" && force.state.deadline !== undefined && force.state.deadline <= ctx.now;
  const messages = isDue ? decideForce(decider, force, ctx) : NOTHING;
  const voluntary = decider.impulses.due(ctx.now).flatMap((from) => followImpulse(decider, from, ctx));
  return voluntary.length === 0 ? messages : [...messages, ...voluntary];
}

export const nextWakeup = ({ force, impulses }: Decider): Millis | undefined =>
  earlier(force?.state.is === "offered" ? force.state.deadline : undefined, impulses.earliest());

function decideForce(decider: Decider, force: DeciderForce, ctx: StepContext): readonly NeuroMessage[] {
  force.state = { is: "offered", deadline: undefined };
  // Why nothing else: the force stays open until its game gives up, as it does when Neuro does not answer.
  return ignoresForce(decider.host.behaviourOf(force.message.from), decider.random) ? NOTHING : decide(decider, force, ctx);
}

function answerStartup(decider: Decider, ctx: StepContext): readonly NeuroMessage[] {
  decider.actions.clear();
  decider.unanswered.clear();
  decider.force = undefined;
  decider.voluntary = undefined;
  return [introduction(decider.settings, ctx)];
}

/** Who she is, and the id of a session of hers. */
function introduction({ character, display_name, session_id }: BackendSettings, ctx: StepContext): NeuroMessage {
  const displayName = display_name === "" ? DISPLAY_NAMES.get(character) ?? character : display_name;
  const sessionId = session_id === "" ? ctx.id() : session_id;
  return { command: "startup", session: { sessionId, characterId: character, displayName } };
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
    decider.host.report(message.from ?? "unknown", { id: "force_names_unknown", detail }, ctx);
  }
  if (unknown.length === message.names.length) return NOTHING;
  decider.force = force;
  decider.voluntary = undefined;
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
  const delay = answerDelay(decider.host.behaviourOf(force.message.from), decider.random);
  force.state = { is: "offered", deadline: ctx.now + decider.settings.choice_timeout + delay };
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

/** If no action has valid data, the force waits for a choice. */
function actBySample(decider: Decider, force: DeciderForce, ctx: StepContext): readonly NeuroMessage[] {
  const names = registeredNames(decider, force);
  if (names.length === 0) return NOTHING;
  const { failures, message: { from } } = force;
  const choice = sampleChoice(decider, { names, from, failures }, ctx);
  if (choice !== undefined) return sendDecision(decider, choice, { force, from }, ctx);
  force.state = { is: "offered", deadline: undefined };
  return NOTHING;
}

function requestDecision(decider: Decider, force: DeciderForce, ctx: StepContext): readonly NeuroMessage[] {
  const { message: { state, query }, rejection } = force;
  const job = askModel(decider, { names: registeredNames(decider, force), state, query, wrong: rejection }, ctx);
  force.state = { is: "thinking", job };
  return NOTHING;
}

function handleResult(
  decider: Decider,
  { id = "", success, message }: ResultMessage,
  from: string,
  ctx: StepContext,
): readonly NeuroMessage[] {
  const force = decider.unanswered.get(id);
  if (force === undefined) {
    ctx.observe({ is: "result_ignored", from: "unknown", why: "unknown" });
    return NOTHING;
  }
  decider.unanswered.delete(id);
  remember(decider, `${from}: ${success ? "done" : "failed"}${message === undefined ? "" : `: ${message}`}`);
  if (typeof force === "string" || force !== decider.force) return NOTHING;
  if (!success) force.failures++;
  if (success || force.failures > decider.settings.retries) {
    decider.force = undefined;
    return NOTHING;
  }
  force.rejection = message ?? "the action failed";
  force.invalidAnswers = 0;
  if (decider.settings.decider === "none") offerForce(decider, force, ctx);
  else {
    const delay = answerDelay(decider.host.behaviourOf(force.message.from), decider.random);
    if (delay === 0) return decide(decider, force, ctx);
    force.state = { is: "offered", deadline: ctx.now + delay };
  }
  return NOTHING;
}

const registeredNames = (decider: Decider, { message }: DeciderForce): readonly string[] =>
  message.names.filter((name) => decider.actions.has(name));
