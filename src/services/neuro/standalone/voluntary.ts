/** What the relay does in the place of Neuro without a force: when, and in which integration. */
import { assertNever } from "../../../core/assert.ts";
import type { ServiceEvent } from "../../../core/event.ts";
import type { NeuroMessage } from "../../../core/neuro-messages.ts";
import type { StepContext } from "../../../core/context.ts";
import { answerDelay, intervalUntilNext } from "./behaviour.ts";
import { askModel, giveModelUp, NO_ANSWER, readDecision, sampleChoice, sendDecision } from "./decide.ts";
import type { Decider } from "./decider-state.ts";

const NOTHING: readonly NeuroMessage[] = [];

/** Neuro may react to what the integration has told her. */
export function noticeContext(decider: Decider, from: string, ctx: StepContext): void {
  const behaviour = decider.host.behaviourOf(from);
  if (behaviour.voluntary === "never") return;
  const at = ctx.now + answerDelay(behaviour, decider.random);
  decider.impulses.set(from, Math.min(at, decider.impulses.get(from) ?? at));
}

/** Starts the timers of the integrations with this action, if they have none, and stops those that a behaviour does not ask for. */
export function scheduleImpulses({ host, impulses, random }: Decider, action: string, ctx: StepContext): void {
  for (const from of host.ownersOf(action)) {
    const behaviour = host.behaviourOf(from);
    if (behaviour.voluntary === "never") impulses.clear(from);
    else if (behaviour.voluntary === "timer" && impulses.get(from) === undefined) {
      impulses.set(from, ctx.now + intervalUntilNext(behaviour, random));
    }
  }
}

/** Acts in an integration without a force, unless Neuro has something else to do. */
export function followImpulse(decider: Decider, from: string, ctx: StepContext): readonly NeuroMessage[] {
  const { host, impulses, random, actions } = decider;
  const behaviour = host.behaviourOf(from);
  const names = host.actionsOf(from).filter((name) => actions.has(name));
  if (names.length === 0 || behaviour.voluntary === "never") return NOTHING;
  if (behaviour.voluntary === "timer") impulses.set(from, ctx.now + intervalUntilNext(behaviour, random));
  if (isBusy(decider)) return NOTHING;
  switch (decider.settings.decider) {
    case "none":
      return NOTHING;
    case "openai":
      if (decider.modelFailure !== undefined) return actVoluntarily(decider, from, names, ctx);
      decider.voluntary = { from, job: askModel(decider, { names }, ctx) };
      return NOTHING;
    case "first":
    case "random":
      return actVoluntarily(decider, from, names, ctx);
    default:
      return assertNever(decider.settings.decider);
  }
}

/** A force that was not answered is over for the relay, and no reason to be busy. Neither is what an integration need not answer. */
function isBusy({ host, force, voluntary, unanswered }: Decider): boolean {
  const isDeciding = force?.state.is === "thinking" ||
    (force?.state.is === "offered" && force.state.deadline !== undefined);
  return isDeciding || host.hasForce() || voluntary !== undefined || unanswered.values().some((why) => why === "voluntary");
}

function actVoluntarily(
  decider: Decider,
  from: string,
  names: readonly string[],
  ctx: StepContext,
): readonly NeuroMessage[] {
  const choice = sampleChoice(decider, { names, from, failures: 0 }, ctx);
  return choice === undefined ? NOTHING : sendDecision(decider, choice, { force: undefined, from }, ctx);
}

/** The language model has chosen a voluntary action, or has declined. An invalid answer counts as that, too. */
export function voluntaryDecided(
  decider: Decider,
  from: string,
  { output, isFinal, reason }: ServiceEvent & { is: "jobFinished" },
  ctx: StepContext,
): readonly NeuroMessage[] {
  decider.voluntary = undefined;
  if (isFinal === true) giveModelUp(decider, reason ?? NO_ANSWER, ctx);
  if (isBusy(decider)) return NOTHING;
  const decision = readDecision(decider, decider.host.actionsOf(from), output);
  return typeof decision === "string" ? NOTHING : sendDecision(decider, decision, { force: undefined, from }, ctx);
}
