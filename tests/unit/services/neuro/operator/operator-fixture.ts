/** A person who makes requests to the service. */
import { toRequestId } from "../../../../../src/core/ids.ts";
import type { Json } from "../../../../../src/core/json.ts";
import type { NeuroRequest } from "../../../../../src/core/request.ts";
import type { Scope } from "../../../../../src/core/settings.ts";
import type {
  ForceView,
  IntegrationControls,
  IntegrationDetail,
  IntegrationView,
  NeuroView,
  PendingView,
} from "../../../../../src/core/view.ts";
import { check } from "../../../../harness/check.ts";
import { type FakeGame, type FakeNeuro, Scenario, started } from "../fixture.ts";

const ALL_SCOPES: readonly Scope[] = ["watch", "command", "direct", "admin"];

/** A request without its service. */
export type Wanted = NeuroRequest extends infer Each ? Each extends NeuroRequest ? Omit<Each, "of"> : never : never;

export interface Answer {
  readonly body?: Json;
  readonly fault?: string;
  readonly reason?: string;
  /** The reply is sent once this is stored. */
  readonly after?: string;
}

export class Operator {
  readonly scenario: Scenario;
  readonly #scopes: readonly Scope[];
  static #calls = 0;

  constructor(scenario: Scenario, scopes: readonly Scope[] = ALL_SCOPES) {
    this.scenario = scenario;
    this.#scopes = scopes;
  }

  /** Makes a request and returns its id. */
  call(wanted: Wanted | { readonly get: "status" }): string {
    const requestId = toRequestId(`call-${++Operator.#calls}`);
    // Why the cast: a question without `of`, and with it again.
    const request = { of: "neuro", ...wanted } as NeuroRequest;
    this.scenario.step({ is: "requested", requestId, principal: { by: "web", scopes: this.#scopes }, request });
    return requestId;
  }

  /** The reply to a request. There must be at most one. */
  answer(call: string): Answer | undefined {
    const answers = this.scenario.effects.flatMap((
      effect,
    ) => (effect.do === "respond" && effect.requestId === call ? [effect] : []));
    check.that(answers.length <= 1, `${answers.length} answers to ${call}`);
    const [effect] = answers;
    if (effect === undefined) return undefined;
    const { do: _, requestId: __, ...answer } = effect;
    return answer;
  }

  /** Makes a request that is answered at once. */
  ask(wanted: Wanted | { readonly get: "status" }): Answer {
    const answer = this.answer(this.call(wanted));
    check.that(answer !== undefined, "no answer");
    return answer;
  }

  /** The fault of the reply; undefined if there is none. */
  fault(wanted: Wanted): string | undefined {
    return this.answer(this.call(wanted))?.fault;
  }

  pause(id: string, paused: boolean = true): void {
    this.control(id, { paused });
  }

  control(id: string, to: Partial<IntegrationControls>): IntegrationView {
    return this.#view(this.ask({ do: "setControls", id, to }));
  }

  stop(stopped: boolean = true): void {
    check.equal(this.ask({ do: "setGlobalControls", to: { stopped } }).fault, undefined);
  }

  integration(id: string): IntegrationView {
    return this.#view(this.ask({ get: "integration", id }));
  }

  detail(id: string): IntegrationDetail {
    return this.#view(this.ask({ get: "integration", id }));
  }

  status(): NeuroView {
    return this.#view(this.ask({ get: "status" }));
  }

  /** All forces, the current one first. */
  forces(): readonly ForceView[] {
    return this.status().upstreams.flatMap(({ force, waiting }) => (force === null ? waiting : [force, ...waiting]));
  }

  pendings(): readonly PendingView[] {
    return this.status().upstreams.flatMap(({ pending }) => pending);
  }

  /** The id of the only force. */
  forceId(): string {
    const [force, ...others] = this.forces();
    check.that(force !== undefined && others.length === 0, "not exactly one force");
    return force.id;
  }

  // Why the cast: the room's own views, as they are declared.
  #view<View>({ body, fault }: Answer): View {
    check.equal(fault, undefined);
    return body as View;
  }
}

/** A connected Neuro, a person, and two games that share one action. */
export interface Table {
  readonly scenario: Scenario;
  readonly neuro: FakeNeuro;
  readonly operator: Operator;
  readonly chess: FakeGame;
  readonly poker: FakeGame;
}

/** What Neuro was sent so far is already taken. */
export function table(): Table {
  const scenario = new Scenario();
  const neuro = scenario.neuro().open();
  const chess = started(scenario, "Chess", "a", "b", "wave");
  const poker = started(scenario, "Poker", "bet", "wave");
  neuro.heard();
  return { scenario, neuro, operator: new Operator(scenario), chess, poker };
}
