/**
 * A simulated operator, in 60 % of the runs: at random it pauses, stops, requires approval, answers and cancels forces and sends
 * messages; at the end it releases every control.
 *
 * Every request must get exactly one reply if its process keeps running, and clients that follow the protocol see no violation.
 */
import { assertNever } from "../../src/core/assert.ts";
import type { Millis } from "../../src/core/ids.ts";
import type { NeuroRequest } from "../../src/core/request.ts";
import type { IntegrationView, NeuroView, Page } from "../../src/core/view.ts";
import type { Engine, RequestResult } from "../../src/engine/mod.ts";
import { yieldToTasks } from "../../src/testing/clock.ts";
import type { Random } from "../../src/testing/random.ts";
import type { AwaitedForce } from "../../src/testing/fakes/game.ts";
import type { SimulatedRelay } from "../../src/testing/simulated-relay.ts";
import type { Participants } from "./participants.ts";

type NeuroOperation = NeuroRequest extends infer Each ? Each extends NeuroRequest ? Omit<Each, "of"> : never : never;

/** Longer than the deadline of any action. */
const REPLY_TIMEOUT_MS: Millis = 30_000;
const PRINCIPAL = { by: "operator", scopes: ["watch", "command", "direct", "admin"] } as const;

/** The operations; repeated ones are more frequent. */
const OPERATIONS = [
  ...["setControls", "setControls", "setControls", "setGlobalControls", "sendAction", "answerForce"] as const,
  ...["answerForce", "cancelForce", "decideAction", "decideAction", "disconnect", "sendContext"] as const,
] as const;

/** One request, and its replies. */
interface OperatorRequest {
  readonly operation: NeuroOperation;
  readonly sentAt: Millis;
  readonly engine: Engine;
  replies: number;
}

export class SimulatedOperator {
  readonly #simulation: SimulatedRelay;
  readonly #participants: Participants;
  readonly #random: Random;
  /** True in 60 % of the runs. */
  readonly #isActive: boolean;
  /** Called with a force that the operator cancels. */
  readonly #allowLoss: (force: AwaitedForce) => void;
  readonly #requests: OperatorRequest[] = [];

  constructor(simulation: SimulatedRelay, participants: Participants, allowLoss: (force: AwaitedForce) => void) {
    this.#simulation = simulation;
    this.#participants = participants;
    this.#random = simulation.random.branch();
    this.#isActive = this.#random.chance(0.6);
    this.#allowLoss = allowLoss;
  }

  /** Carries out a random operation, if the relay is running. */
  async act(): Promise<void> {
    const { engine } = this.#simulation;
    if (engine === undefined || !this.#isActive) return;
    const status = await requestNow<NeuroView>(engine, { get: "status" });
    const page = await requestNow<Page<IntegrationView>>(engine, { get: "integrations" });
    const integration = this.#random.oneOf(page?.items ?? []);
    if (status === undefined || integration === undefined || this.#simulation.engine !== engine) return;
    const forces = status.upstreams.flatMap(({ force, waiting }) => (force === null ? waiting : [force, ...waiting]));
    const force = this.#random.oneOf(forces);
    const pendings = status.upstreams.flatMap(({ pending }) => pending);
    const pending = this.#random.oneOf(pendings.filter(({ is }) => is === "approval")) ?? this.#random.oneOf(pendings);
    const { id } = integration;
    const operation = this.#random.pick(...OPERATIONS);
    switch (operation) {
      case "setControls": {
        const field = this.#random.pick("paused", "muted", "solo", "approval", "approval", "approval");
        this.#undoLater({ do: "setControls", id, to: { [field]: false } }, field === "approval" ? 30_000 : 6_000);
        return this.#send(engine, { do: "setControls", id, to: { [field]: true } });
      }
      case "setGlobalControls": {
        const field = this.#random.pick("stopped", "approval", "approval", "approval");
        this.#undoLater({ do: "setGlobalControls", to: { [field]: false } }, field === "approval" ? 30_000 : 6_000);
        return this.#send(engine, { do: "setGlobalControls", to: { [field]: true } });
      }
      case "sendAction": {
        const name = this.#random.pick("wave", "move", `only_${this.#random.between(0, 9)}`, "toggle_spotify");
        return this.#send(engine, { do: "sendAction", id, name, ...(name === "move" && { data: '{"x":1}' }) });
      }
      case "answerForce": {
        const name = this.#random.oneOf(force?.actions ?? []);
        if (force === undefined || name === undefined) return;
        const data = /^(?:move|Say)/.test(name) ? { data: '{"x":2}' } : {};
        return this.#send(engine, { do: "answerForce", force: force.id, name, ...data });
      }
      case "cancelForce":
        if (force === undefined) return;
        for (const game of this.#participants.games) {
          if (game.name === force.name && game.force !== undefined) this.#allowLoss(game.force);
        }
        return this.#send(engine, { do: "cancelForce", force: force.id });
      case "decideAction":
        if (pending === undefined) return;
        return this.#send(engine, { do: "decideAction", pending: pending.id, approve: this.#random.chance(0.7) });
      case "disconnect":
        return this.#send(engine, { do: "disconnect", id });
      case "sendContext":
        return this.#send(engine, { do: "sendContext", message: "Hello.", silent: true });
      default:
        return assertNever(operation);
    }
  }

  /** Releases every control, and approves what waits for it. */
  async releaseControls(): Promise<void> {
    const { engine } = this.#simulation;
    if (engine === undefined) return;
    await requestNow(engine, { do: "setGlobalControls", to: { stopped: false, approval: false, behaviour: null } });
    const page = await requestNow<Page<IntegrationView>>(engine, { get: "integrations" });
    for (const { id, admission } of page?.items ?? []) {
      if (admission === "pending") await requestNow(engine, { do: "decideIntegration", id, approve: true });
      await requestNow(engine, {
        do: "setControls",
        id,
        to: { paused: false, muted: false, solo: false, approval: false, behaviour: null },
      });
    }
  }

  /** Requests with more than one reply, or without one although their process is still running. */
  violations(): readonly string[] {
    const { clock, engine } = this.#simulation;
    return this.#requests.flatMap(({ operation, sentAt, replies, engine: receiver }) => {
      const isOverdue = receiver === engine && clock.now - sentAt > REPLY_TIMEOUT_MS;
      return replies > 1 || (replies === 0 && isOverdue)
        ? [`${replies} replies to ${JSON.stringify(operation)} of ${sentAt}`]
        : [];
    });
  }

  /** Sends an operation that undoes another one after at most `atMost`, unless the relay is not running then. */
  #undoLater(operation: NeuroOperation, atMost: Millis): void {
    this.#simulation.clock.after(this.#random.between(0, atMost), () => {
      const { engine } = this.#simulation;
      if (engine !== undefined) this.#send(engine, operation);
    });
  }

  #send(engine: Engine, operation: NeuroOperation): void {
    const sent: OperatorRequest = { operation, sentAt: this.#simulation.clock.now, engine, replies: 0 };
    this.#requests.push(sent);
    engine.request(request(operation), PRINCIPAL).then(() => sent.replies++);
  }
}

// Why the cast: the operation is a request without `of`.
const request = (operation: NeuroOperation | { readonly get: "status" }): NeuroRequest =>
  ({ of: "neuro", ...operation }) as NeuroRequest;

/** The reply, if it comes at once; undefined if the request is refused or the service is being rebuilt. */
async function requestNow<View>(
  engine: Engine,
  operation: NeuroOperation | { readonly get: "status" },
): Promise<View | undefined> {
  let result: RequestResult | undefined;
  engine.request(request(operation), PRINCIPAL).then((reply) => result = reply);
  await yieldToTasks();
  // Why the cast: the body has the type that the service declares for this query.
  return result !== undefined && "body" in result ? result.body as unknown as View : undefined;
}
