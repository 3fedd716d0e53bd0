/**
 * Runs a state machine of `neuro-relay link`: gives it sockets, a clock and one timer.
 *
 * Invariant: effects are executed at once and in order.
 */
import { assertNever } from "../../core/assert.ts";
import type { StepContext } from "../../core/context.ts";
import type { Effect } from "../../core/effect.ts";
import type { LinkEvent } from "../../core/event.ts";
import { isLink, type Millis } from "../../core/ids.ts";
import type { Clock } from "../../engine/mod.ts";
import type { Dialer } from "../../websocket-client/dialer.ts";
import { Links } from "../links.ts";

/** More bytes than this wait for a socket: its machine gets `linkBackpressure`. */
export const BACKLOG_BYTES_MAX: number = 8 * 1_024 * 1_024;

/** An attempt to reach the relay or Neuro may take this long. */
export const DIAL_TIMEOUT_MS: Millis = 10_000;

export interface LinkMachine {
  handle(event: LinkEvent, ctx: StepContext): void;
  tick(ctx: StepContext): void;
  nextWakeup(): Millis | undefined;
}

export interface LinkDriverPorts {
  readonly dial: Dialer;
  clock(tick: () => void): Clock;
}

export class LinkDriver implements StepContext {
  now: Millis = 0;
  readonly #machine: LinkMachine;
  readonly #links: Links;
  readonly #clock: Clock;
  #count = 0;

  constructor(machine: LinkMachine, { dial, clock }: LinkDriverPorts) {
    this.#machine = machine;
    this.#links = new Links((event) => this.#handle(event as LinkEvent), dial); // Why the cast: `Links` pushes no other events.
    this.#clock = clock(() => this.run((ctx) => machine.tick(ctx)));
  }

  /** Runs one step. */
  run(step: (ctx: StepContext) => void): void {
    this.now = this.#clock.now();
    step(this);
    this.#clock.wake(this.#machine.nextWakeup());
  }

  /** Closes all sockets, and stops the timer. */
  close(): void {
    this.#links.close();
    this.#clock.wake(undefined);
  }

  emit(effect: Effect): void {
    switch (effect.do) {
      case "send": {
        const { to, frame } = effect;
        if (isLink(to) && this.#links.send(to, frame) > BACKLOG_BYTES_MAX) {
          this.#machine.handle({ is: "linkBackpressure", link: to }, this);
        }
        return;
      }
      case "dial":
        return this.#links.dial(effect.link, effect.url, effect.headers ?? {});
      case "closeLink":
        return this.#links.closeLink(effect.link, effect.code, effect.reason);
      case "reply":
      case "close":
      case "ping":
      case "attach":
      case "put":
      case "delete":
      case "load":
      case "saveFile":
      case "deleteFile":
      case "runJob":
      case "respond":
      case "drained":
      case "rebuild":
      case "observe":
        return;
      default:
        return assertNever(effect);
    }
  }

  random(): number {
    return this.#clock.random();
  }

  id(): string {
    return String(++this.#count);
  }

  secret(): string {
    return this.#clock.secret();
  }

  observe(): void {}

  post(): void {}

  count(): void {}

  #handle(event: LinkEvent): void {
    this.run((ctx) => this.#machine.handle(event, ctx));
  }
}
