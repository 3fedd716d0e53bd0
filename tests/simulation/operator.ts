/**
 * A person who meddles, in most lives: pauses, stops, approves, answers, takes back and sends, by chance, and lifts everything in the end.
 *
 * Whatever was asked has to be answered, once its process lives on; and nobody who is well behaved may notice more than that Neuro is
 * slow, or forgetful.
 */
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

/** Longer than any action may take. */
const REPLY_TIMEOUT_MS: Millis = 30_000;
const PRINCIPAL = { by: "meddler", scopes: ["watch", "command", "direct", "admin"] } as const;

/** What is done, and how often. */
const OPERATIONS = [
  ...["control", "control", "control", "controls", "act", "answer", "answer", "veto", "decide", "decide"] as const,
  ...["disconnect", "say"] as const,
];

/** One call, and whether anything came of it. */
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
  /** Not in every life. */
  readonly #isActive: boolean;
  /** Forces that nobody is asked for any more, because a person took them back. */
  readonly #allowLoss: (force: AwaitedForce) => void;
  readonly #requests: OperatorRequest[] = [];

  constructor(simulation: SimulatedRelay, participants: Participants, allowLoss: (force: AwaitedForce) => void) {
    this.#simulation = simulation;
    this.#participants = participants;
    this.#random = simulation.random.branch();
    this.#isActive = this.#random.chance(0.6);
    this.#allowLoss = allowLoss;
  }

  /** Does something, if there is a relay. */
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
    switch (this.#random.oneOf(OPERATIONS)) {
      case "control": {
        const field = this.#random.pick("paused", "muted", "solo", "approval", "approval", "approval");
        this.#undoLater({ do: "setControls", id, to: { [field]: false } }, field === "approval" ? 30_000 : 6_000);
        return this.#send(engine, { do: "setControls", id, to: { [field]: true } });
      }
      case "controls": {
        const field = this.#random.pick("stopped", "approval", "approval", "approval");
        this.#undoLater({ do: "setGlobalControls", to: { [field]: false } }, field === "approval" ? 30_000 : 6_000);
        return this.#send(engine, { do: "setGlobalControls", to: { [field]: true } });
      }
      case "act": {
        const name = this.#random.pick("wave", "move", `only_${this.#random.between(0, 9)}`, "toggle_spotify");
        return this.#send(engine, { do: "sendAction", id, name, ...(name === "move" && { data: '{"x":1}' }) });
      }
      case "answer": {
        const name = this.#random.oneOf(force?.actions ?? []);
        if (force === undefined || name === undefined) return;
        const data = /^(?:move|Say)/.test(name) ? { data: '{"x":2}' } : {};
        return this.#send(engine, { do: "answerForce", force: force.id, name, ...data });
      }
      case "veto":
        if (force === undefined) return;
        for (const game of this.#participants.games) {
          if (game.name === force.name && game.force !== undefined) this.#allowLoss(game.force);
        }
        return this.#send(engine, { do: "cancelForce", force: force.id });
      case "decide":
        if (pending === undefined) return;
        return this.#send(engine, { do: "decideAction", pending: pending.id, approve: this.#random.chance(0.7) });
      case "disconnect":
        return this.#send(engine, { do: "disconnect", id });
      case "say":
        return this.#send(engine, { do: "sendContext", message: "Hello.", silent: true });
    }
  }

  /** Lifts all that was decided. */
  async releaseControls(): Promise<void> {
    const { engine } = this.#simulation;
    if (engine === undefined) return;
    await requestNow(engine, { do: "setGlobalControls", to: { stopped: false, approval: false } });
    const page = await requestNow<Page<IntegrationView>>(engine, { get: "integrations" });
    for (const { id } of page?.items ?? []) {
      await requestNow(engine, {
        do: "setControls",
        id,
        to: { paused: false, muted: false, solo: false, approval: false },
      });
    }
  }

  /** Calls that were answered twice, or never though their relay lives. */
  violations(): readonly string[] {
    const { clock, engine } = this.#simulation;
    return this.#requests.flatMap(({ operation, sentAt, replies, engine: asked }) => {
      const isOwed = asked === engine && clock.now - sentAt > REPLY_TIMEOUT_MS;
      return replies > 1 || (replies === 0 && isOwed)
        ? [`${replies} answers to ${JSON.stringify(operation)} of ${sentAt}`]
        : [];
    });
  }

  /** Nobody keeps anything from Neuro for long; but a relay that is down then never hears of it. */
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

// Why the cast: a question without `of`, and with it again.
const request = (operation: NeuroOperation | { readonly get: "status" }): NeuroRequest =>
  ({ of: "neuro", ...operation }) as NeuroRequest;

/** What is answered at once; undefined when it is refused, or when the room is just being made anew. */
async function requestNow<View>(
  engine: Engine,
  operation: NeuroOperation | { readonly get: "status" },
): Promise<View | undefined> {
  let result: RequestResult | undefined;
  engine.request(request(operation), PRINCIPAL).then((reply) => result = reply);
  await yieldToTasks();
  // Why the cast: the room's own view, as it is declared.
  return result !== undefined && "body" in result ? result.body as unknown as View : undefined;
}
