/** The state of the decider, and what it has to know of the integrations. */
import type { DiagnosticId } from "../../../core/diagnostics/catalogue.ts";
import { Deadlines } from "../../../core/deadlines.ts";
import type { JobId, Millis } from "../../../core/ids.ts";
import type { Action, ForceMessage } from "../../../core/neuro-messages.ts";
import { RetainedBytes } from "../../../core/retained-bytes.ts";
import { Memory } from "./memory.ts";
import { seededRandom } from "../../../core/random.ts";
import type { BackendSettings, Behaviour } from "../../../core/settings.ts";
import type { StepContext } from "../../../core/context.ts";
import type { CompiledSchema } from "../codec/validate-data.ts";

/** What the decider knows of the integrations, by their names. */
export interface DeciderHost {
  /** The account of what the decider keeps. */
  readonly retained: RetainedBytes;
  /** Reports a problem of an integration to its author. */
  report(from: string, problem: { readonly id: DiagnosticId; readonly detail: string }, ctx: StepContext): void;
  /** How the decider behaves towards an integration; of another sender, as the settings say. */
  behaviourOf(from: string | undefined): Behaviour;
  /** The actions of an integration, by the names that Neuro has for them. */
  actionsOf(from: string): readonly string[];
  /** Neuro has a force that is not overdue, or its names are still those of the last one, so the next one waits. */
  hasForce(): boolean;
  /** The integrations with an action. */
  ownersOf(action: string): readonly string[];
}

export interface Decider {
  readonly host: DeciderHost;
  /** Replaced as a whole when the settings change. */
  settings: BackendSettings;
  readonly actions: Map<string, KnownAction>;
  /** Those with a compiled schema, the one that was compiled first is first. */
  readonly compiled: Set<KnownAction>;
  force: DeciderForce | undefined;
  /**
   * Actions without a result: the force that they are for, or why they were sent without one. An integration need not answer an
   * `unregistered` one.
   */
  readonly unanswered: Map<string, DeciderForce | "voluntary" | "unregistered">;
  /** Names of the force that was decided last; until then a choice among them is refused as late. */
  recentlyDecided: { readonly names: readonly string[]; readonly until: Millis };
  /** For a language model; empty with every other decider. */
  readonly memory: Memory;
  readonly random: () => number;
  /** When it acts without a force, at most one time for each integration. */
  readonly impulses: Deadlines;
  /** The language model was asked for a voluntary action in this integration. */
  voluntary: { readonly from: string; readonly job: JobId } | undefined;
  /** Why the language model is not asked any more, until the settings change; undefined while it is. */
  modelFailure: string | undefined;
}

export interface KnownAction {
  readonly action: Action;
  /** Compiled when it is used; undefined before, after `COMPILED_MAX` others, and if the action takes no data. */
  schema: CompiledSchema | undefined;
}

export interface DeciderForce {
  readonly message: ForceMessage;
  state: DecisionState;
  /** Answers of the language model to this decision that were invalid. */
  invalidAnswers: number;
  /** Results with `success: false`. */
  failures: number;
  /** The reason why the last answer or action failed. */
  rejection: string | undefined;
}

export type DecisionState =
  /** Until this deadline integrations and watchers may choose; then the relay decides. Undefined: the relay does not decide. */
  | { readonly is: "offered"; readonly deadline: Millis | undefined }
  /** The language model was asked. */
  | { readonly is: "thinking"; readonly job: JobId }
  | { readonly is: "awaiting_result" };

export const createDecider = (settings: BackendSettings, host: DeciderHost): Decider => ({
  settings,
  host,
  actions: new Map(),
  compiled: new Set(),
  force: undefined,
  unanswered: new Map(),
  recentlyDecided: { names: [], until: 0 },
  memory: new Memory(new RetainedBytes(host.retained)),
  random: seededRandom(settings.seed),
  impulses: new Deadlines(),
  voluntary: undefined,
  modelFailure: undefined,
});
