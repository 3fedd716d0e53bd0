/** Makes rooms panic on purpose, in the middle of a step: after some of its effects were put, and before the others. */
import { Panic } from "../core/assert.ts";
import type { ServiceName } from "../core/service.ts";
import type { StepContext } from "../core/context.ts";
import type { SupervisedService } from "../relay/mod.ts";

/** How a panic that was made on purpose is recognised in a note. */
export const INJECTED_PANIC = "sabotage";

/** Lets one step of a room panic after some of its effects. */
export class PanicInjection {
  /** How many panics there were. */
  count = 0;
  #service: ServiceName | undefined;
  #effectsLeft = 0;

  /** The next step of the room that wants more than this many things done will panic. */
  plan(service: ServiceName, effects: number): void {
    this.#service = service;
    this.#effectsLeft = effects;
  }

  /** Nothing more will happen. */
  stop(): void {
    this.#service = undefined;
  }

  /** The same room, but open to sabotage. */
  wrap(room: SupervisedService): SupervisedService {
    return {
      name: room.name,
      resident: room.resident,
      step: (event, ctx) => room.step(event, this.#service === room.name ? this.#trap(ctx) : ctx),
      nextWakeup: () => room.nextWakeup(),
      restore: (settings, input) => room.restore(settings, input),
    };
  }

  #trap(ctx: StepContext): StepContext {
    let effectsLeft = this.#effectsLeft;
    const spend = (): void => {
      if (effectsLeft-- > 0) return;
      this.#service = undefined;
      this.count++;
      throw new Panic(INJECTED_PANIC);
    };
    return {
      now: ctx.now,
      random: () => ctx.random(),
      id: () => ctx.id(),
      secret: () => ctx.secret(),
      emit: (effect) => {
        spend();
        ctx.emit(effect);
      },
      post: (service, message) => {
        spend();
        ctx.post(service, message);
      },
      observe: (observation) => {
        spend();
        ctx.observe(observation);
      },
      count: (who, way, kind) => ctx.count(who, way, kind),
    };
  }
}
