/** Rooms that do as a test says, and a world around them. */
import { DEFAULTS } from "../../../src/core/defaults.ts";
import type { ServiceEvent } from "../../../src/core/event.ts";
import type { Millis } from "../../../src/core/ids.ts";
import type { RestoreInput, ServiceName } from "../../../src/core/service.ts";
import type { Settings } from "../../../src/core/settings.ts";
import type { StepContext } from "../../../src/core/context.ts";
import { supervise, type SupervisedService } from "../../../src/relay/mod.ts";
import { SimulatedRelay } from "../../../src/testing/simulated-relay.ts";

export interface Script {
  readonly name?: ServiceName;
  readonly resident?: readonly string[];
  readonly step: (event: ServiceEvent, ctx: StepContext) => void;
  readonly restore?: (input: RestoreInput) => void;
  readonly nextWakeup?: () => Millis | undefined;
}

/** A room that does what the script says, and remembers nothing of its own. */
export function scripted({ name = "neuro", resident = [], step, restore, nextWakeup }: Script): SupervisedService {
  return supervise<true>({
    name,
    resident,
    restore: (_settings, input) => {
      restore?.(input);
      return true;
    },
    step: (_state, event, ctx) => step(event, ctx),
    nextWakeup: () => nextWakeup?.(),
  });
}

/** A running relay with such rooms. */
export async function running(scripts: readonly Script[], settings: Settings = DEFAULTS): Promise<SimulatedRelay> {
  const world = new SimulatedRelay({ settings, services: () => scripts.map(scripted) });
  await world.started();
  return world;
}

/** A peer that keeps what it is sent. */
export interface Ear {
  readonly heard: string[];
  say(text: string): void;
  readonly closed: () => number | undefined;
}

/** Somebody connects by the game port; a byte rate makes them slow. */
export async function connected(world: SimulatedRelay, bytesPerMs?: number): Promise<Ear> {
  const heard: string[] = [];
  let code: number | undefined;
  const wire = world.network.connect("neuro", {}, bytesPerMs);
  wire.onFrame = (frame) => heard.push(String(frame));
  wire.onClose = (closed) => (code = closed);
  await world.advance(0);
  return { heard, say: (text) => wire.send(text), closed: () => code };
}
