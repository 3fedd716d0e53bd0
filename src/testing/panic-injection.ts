/** Injects a panic into a step of a service, after some of its effects were emitted and before the others. */
import { Panic } from "../core/assert.ts";
import type { ServiceName } from "../core/service.ts";
import type { StepContext } from "../core/context.ts";
import type { SupervisedService } from "../relay/mod.ts";

/** The reason in the observation of an injected panic. */
export const INJECTED_PANIC = "injected panic";

/** Injects one planned panic at a time into the services that it wraps. */
export class PanicInjection {
  /** Panics injected so far. */
  count = 0;
  #service: ServiceName | undefined;
  #effectsLeft = 0;

  /** The next step of the service with more than this many effects, messages and observations panics. */
  plan(service: ServiceName, effects: number): void {
    this.#service = service;
    this.#effectsLeft = effects;
  }

  /** Cancels the planned panic. */
  stop(): void {
    this.#service = undefined;
  }

  /** The same service, in which panics can be injected. */
  wrap(service: SupervisedService): SupervisedService {
    return {
      name: service.name,
      resident: service.resident,
      step: (event, ctx) => service.step(event, this.#service === service.name ? this.#panickingContext(ctx) : ctx),
      nextWakeup: () => service.nextWakeup(),
      nameOf: (peer) => service.nameOf(peer),
      observes: (name) => service.observes?.(name) === true,
      countsUntil: (name) => service.countsUntil(name),
      wantsChange: (of) => service.wantsChange(of),
      ignores: (name) => service.ignores?.(name) === true,
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
