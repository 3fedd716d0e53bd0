/** A decider in virtual time for which a game has registered actions. Its effects are recorded. */
import type { Action, GameMessage, NeuroMessage } from "../../../../../src/core/neuro-messages.ts";
import { DEFAULTS } from "../../../../../src/core/defaults.ts";
import type { ServiceName } from "../../../../../src/core/service.ts";
import type { ServiceMessage } from "../../../../../src/core/service-message.ts";
import type { StepOutput } from "../../../../../src/testing/mod.ts";
import { type JobId, jobId } from "../../../../../src/core/ids.ts";
import type { Json, JsonObject } from "../../../../../src/core/json.ts";
import type { Observation } from "../../../../../src/core/observation.ts";
import type { BackendSettings } from "../../../../../src/core/settings.ts";
import type { StepContext } from "../../../../../src/core/context.ts";
import { hintFor } from "../../../../../src/core/diagnostics/catalogue.ts";
import { RetainedBytes } from "../../../../../src/core/retained-bytes.ts";
import { resolveBehaviour } from "../../../../../src/services/neuro/standalone/behaviour.ts";
import {
  createDecider,
  type Decider,
  type DeciderHost,
} from "../../../../../src/services/neuro/standalone/decider-state.ts";
import {
  chooseAction,
  decideDue,
  handleMessage,
  jobFinished,
  nextWakeup,
} from "../../../../../src/services/neuro/standalone/decider.ts";
import { check } from "../../../../harness/check.ts";

export const SCHEMA: JsonObject = {
  type: "object",
  properties: { to: { enum: ["a1", "a2", "a3"] }, speed: { type: "integer", minimum: 1, maximum: 1_000 } },
  required: ["to"],
};
export const MOVE: Action = { name: "move", description: "Moves.", schema: SCHEMA };
export const PASS: Action = { name: "pass", description: "Passes." };
export const WAVE: Action = { name: "wave", description: "Waves." };
export const FORCE: GameMessage = {
  command: "actions/force",
  state: "board",
  query: "Your move",
  ephemeral: false,
  priority: "low",
  names: ["move", "pass"],
  from: "Chess",
};

/** The only integration is Chess, which owns every action. Its problems are observed, and `decider` says how to behave. */
export const hostOf = (decider: () => Decider): DeciderHost => ({
  retained: new RetainedBytes(),
  report: (from, { id, detail }, ctx) => ctx.observe({ is: "input_repaired", from, what: id, hint: hintFor(id, detail) }),
  behaviourOf: () => resolveBehaviour(decider().settings.behaviour, undefined),
  actionsOf: (from) => from === "Chess" ? [...decider().actions.keys()] : [],
  hasForce: () => decider().force !== undefined,
  ownersOf: () => ["Chess"],
});

/** A decider to which a game has registered `move`, `pass` and `wave`, and its surroundings. */
export class Play implements StepContext {
  readonly decider: Decider;
  now = 1_000;
  effects: StepOutput[] = [];
  observations: Observation[] = [];
  said: NeuroMessage[] = [];
  #ids = 0;

  constructor(settings: Partial<BackendSettings> = {}) {
    this.decider = createDecider({ ...DEFAULTS["nakurity-backend"], ...settings }, hostOf(() => this.decider));
    this.hear({ command: "actions/register", actions: [MOVE, PASS, WAVE] });
  }

  id(): string {
    return String(++this.#ids);
  }
  secret(): string {
    return this.id();
  }
  random(): number {
    throw new Error("the decider has its own, seeded, chance");
  }
  emit(effect: StepOutput): void {
    this.effects.push(effect);
  }
  post(service: ServiceName, message: ServiceMessage): void {
    this.effects.push({ do: "post", service, message });
  }
  observe(observation: Observation): void {
    this.observations.push(observation);
  }
  count(): void {}

  #take(said: readonly NeuroMessage[]): readonly NeuroMessage[] {
    this.said.push(...said);
    return said;
  }
  hear(message: GameMessage): readonly NeuroMessage[] {
    return this.#take(handleMessage(this.decider, message, "Chess", this));
  }
  choose(name: string, data = "", from = "watcher"): readonly NeuroMessage[] {
    const chosen = chooseAction(this.decider, { from, name, data }, this);
    return this.#take(chosen.ok ? chosen.value : []);
  }
  pass(ms: number): readonly NeuroMessage[] {
    const said: NeuroMessage[] = [];
    const until = this.now + ms;
    for (let at = nextWakeup(this.decider); at !== undefined && at <= until; at = nextWakeup(this.decider)) {
      this.now = at;
      said.push(...this.#take(decideDue(this.decider, this)));
    }
    this.now = until;
    return said;
  }
  ran(output: Json | undefined, job: JobId | undefined = this.job): readonly NeuroMessage[] {
    const event = output === undefined ? { fault: "jobLost" as const } : { output };
    return this.#take(jobFinished(this.decider, { is: "jobFinished", job: job ?? jobId("none"), ...event }, this));
  }
  /** The current job fails. */
  fails(reason: string, { isFinal = false } = {}): readonly NeuroMessage[] {
    const event = { is: "jobFinished", job: this.job ?? jobId("none"), fault: "jobLost", reason, isFinal } as const;
    return this.#take(jobFinished(this.decider, event, this));
  }
  /** Sends the result of the last action. */
  result(success: boolean, message?: string): readonly NeuroMessage[] {
    const last = this.said.findLast((message) => message.command === "action");
    check.that(last !== undefined, "no action to answer");
    return this.hear({ command: "action/result", id: last.id, success, ...(message !== undefined && { message }) });
  }

  get state(): string {
    return this.decider.force?.state.is ?? "idle";
  }
  get job(): JobId | undefined {
    const state = this.decider.force?.state;
    return state?.is === "thinking" ? state.job : undefined;
  }
  get offers(): readonly StepOutput[] {
    return this.effects.filter((effect) => effect.do === "post");
  }
  get asked(): readonly JsonObject[] {
    return this.effects.flatMap((effect) => (effect.do === "runJob" ? [effect.input as JsonObject] : []));
  }
  get refused(): readonly string[] {
    return this.observations.flatMap((observation) => (observation.is === "input_refused" ? [observation.reason] : []));
  }
}

export const names = (said: readonly NeuroMessage[]): readonly string[] =>
  said.map((message) => (message.command === "action" ? message.name : message.command));
