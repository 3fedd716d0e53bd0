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
  wrap(service: SupervisedService): SupervisedService {
    return {
      name: service.name,
      resident: service.resident,
      step: (event, ctx) => service.step(event, this.#service === service.name ? this.#panickingContext(ctx) : ctx),
      nextWakeup: () => service.nextWakeup(),
      restore: (settings, input) => service.restore(settings, input),
    };
  }

  #panickingContext(ctx: StepContext): StepContext {
    let effectsLeft = this.#effectsLeft;
    const countEffect = (): void => {
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
        countEffect();
        ctx.emit(effect);
      },
      post: (service, message) => {
        countEffect();
        ctx.post(service, message);
      },
      observe: (observation) => {
        countEffect();
        ctx.observe(observation);
      },
      count: (who, way, kind) => ctx.count(who, way, kind),
    };
  }
}
