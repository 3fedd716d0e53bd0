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
import type { Cast } from "./participants.ts";

type Wanted = NeuroRequest extends infer Each ? Each extends NeuroRequest ? Omit<Each, "of"> : never : never;

/** Longer than any action may take. */
const PATIENCE_MS: Millis = 30_000;
const AS = { by: "meddler", scopes: ["watch", "command", "direct", "admin"] } as const;

/** What is done, and how often. */
const DEEDS = [
  ...["control", "control", "control", "controls", "act", "answer", "answer", "veto", "decide", "decide"] as const,
  ...["disconnect", "say"] as const,
];

/** One call, and whether anything came of it. */
interface Call {
  readonly wanted: Wanted;
  readonly at: Millis;
  readonly engine: Engine;
  answers: number;
}

export class Meddler {
  readonly #world: SimulatedRelay;
  readonly #cast: Cast;
  readonly #chance: Random;
  /** Not in every life. */
  readonly #isAbout: boolean;
  /** Forces that nobody is asked for any more, because a person took them back. */
  readonly #excused: (force: AwaitedForce) => void;
  readonly #calls: Call[] = [];

  constructor(world: SimulatedRelay, cast: Cast, excuse: (force: AwaitedForce) => void) {
    this.#world = world;
    this.#cast = cast;
    this.#chance = world.random.branch();
    this.#isAbout = this.#chance.chance(0.6);
    this.#excused = excuse;
  }

  /** Does something, if there is a relay. */
  async meddle(): Promise<void> {
    const { engine } = this.#world;
    if (engine === undefined || !this.#isAbout) return;
    const status = await look<NeuroView>(engine, { get: "status" });
    const page = await look<Page<IntegrationView>>(engine, { get: "integrations" });
    const integration = this.#chance.oneOf(page?.items ?? []);
    if (status === undefined || integration === undefined || this.#world.engine !== engine) return;
    const forces = status.upstreams.flatMap(({ force, waiting }) => (force === null ? waiting : [force, ...waiting]));
    const force = this.#chance.oneOf(forces);
    const pendings = status.upstreams.flatMap(({ pending }) => pending);
    const pending = this.#chance.oneOf(pendings.filter(({ is }) => is === "approval")) ?? this.#chance.oneOf(pendings);
    const { id } = integration;
    switch (this.#chance.oneOf(DEEDS)) {
      case "control": {
        const field = this.#chance.pick("paused", "muted", "solo", "approval", "approval", "approval");
        this.#later({ do: "setControls", id, to: { [field]: false } }, field === "approval" ? 30_000 : 6_000);
        return this.#ask(engine, { do: "setControls", id, to: { [field]: true } });
      }
      case "controls": {
        const field = this.#chance.pick("stopped", "approval", "approval", "approval");
        this.#later({ do: "setGlobalControls", to: { [field]: false } }, field === "approval" ? 30_000 : 6_000);
        return this.#ask(engine, { do: "setGlobalControls", to: { [field]: true } });
      }
      case "act": {
        const name = this.#chance.pick("wave", "move", `only_${this.#chance.between(0, 9)}`, "toggle_spotify");
        return this.#ask(engine, { do: "sendAction", id, name, ...(name === "move" && { data: '{"x":1}' }) });
      }
      case "answer": {
        const name = this.#chance.oneOf(force?.actions ?? []);
        if (force === undefined || name === undefined) return;
        const data = /^(?:move|Say)/.test(name) ? { data: '{"x":2}' } : {};
        return this.#ask(engine, { do: "answerForce", force: force.id, name, ...data });
      }
      case "veto":
        if (force === undefined) return;
        for (const game of this.#cast.games) {
          if (game.name === force.name && game.force !== undefined) this.#excused(game.force);
        }
        return this.#ask(engine, { do: "cancelForce", force: force.id });
      case "decide":
        if (pending === undefined) return;
        return this.#ask(engine, { do: "decideAction", pending: pending.id, approve: this.#chance.chance(0.7) });
      case "disconnect":
        return this.#ask(engine, { do: "disconnect", id });
      case "say":
        return this.#ask(engine, { do: "sendContext", message: "Hello.", silent: true });
    }
  }

  /** Lifts all that was decided. */
  async lift(): Promise<void> {
    const { engine } = this.#world;
    if (engine === undefined) return;
    await look(engine, { do: "setGlobalControls", to: { stopped: false, approval: false } });
    const page = await look<Page<IntegrationView>>(engine, { get: "integrations" });
    for (const { id } of page?.items ?? []) {
      await look(engine, { do: "setControls", id, to: { paused: false, muted: false, solo: false, approval: false } });
    }
  }

  /** Calls that were answered twice, or never though their relay lives. */
  breaches(): readonly string[] {
    const { clock, engine } = this.#world;
    return this.#calls.flatMap(({ wanted, at, answers, engine: asked }) => {
      const isOwed = asked === engine && clock.now - at > PATIENCE_MS;
      return answers > 1 || (answers === 0 && isOwed) ? [`${answers} answers to ${JSON.stringify(wanted)} of ${at}`] : [];
    });
  }

  /** Nobody keeps anything from Neuro for long; but a relay that is down then never hears of it. */
  #later(wanted: Wanted, atMost: Millis): void {
    this.#world.clock.after(this.#chance.between(0, atMost), () => {
      const { engine } = this.#world;
      if (engine !== undefined) this.#ask(engine, wanted);
    });
  }

  #ask(engine: Engine, wanted: Wanted): void {
    const call: Call = { wanted, at: this.#world.clock.now, engine, answers: 0 };
    this.#calls.push(call);
    engine.request(request(wanted), AS).then(() => call.answers++);
  }
}

// Why the cast: a question without `of`, and with it again.
const request = (wanted: Wanted | { readonly get: "status" }): NeuroRequest => ({ of: "neuro", ...wanted }) as NeuroRequest;

/** What is answered at once; undefined when it is refused, or when the room is just being made anew. */
async function look<View>(engine: Engine, wanted: Wanted | { readonly get: "status" }): Promise<View | undefined> {
  let answer: RequestResult | undefined;
  engine.request(request(wanted), AS).then((given) => answer = given);
  await yieldToTasks();
  // Why the cast: the room's own view, as it is declared.
  return answer !== undefined && "body" in answer ? answer.body as unknown as View : undefined;
}
