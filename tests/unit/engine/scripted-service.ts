/** Services whose steps a test scripts, in a simulated relay. */
import { DEFAULTS } from "../../../src/core/defaults.ts";
import type { ServiceEvent } from "../../../src/core/event.ts";
import type { Millis } from "../../../src/core/ids.ts";
import type { ObservationName } from "../../../src/core/observation.ts";
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
  readonly observes?: (name: ObservationName) => boolean;
  readonly countsUntil?: (name: ObservationName) => Millis;
  readonly wantsChange?: (of: ServiceName) => boolean;
}

/** A service without a state that runs the script. Without `observes`, the Intermediary receives all observations, and no other service. */
export function scripted(script: Script): SupervisedService {
  const { name = "neuro", resident = [], step, restore, nextWakeup, observes = () => name === "intermediary" } = script;
  const { wantsChange = () => false, countsUntil = () => 0 } = script;
  return supervise<true>({
    name,
    resident,
    restore: (_settings, input) => {
      restore?.(input);
      return true;
    },
    step: (_state, event, ctx) => step(event, ctx),
    nextWakeup: () => nextWakeup?.(),
    observes: (_state, observation) => observes(observation),
    countsUntil: (_state, observation) => countsUntil(observation),
    wantsChange: (_state, of) => wantsChange(of),
  });
}

/** A running relay with scripted services. */
export async function running(scripts: readonly Script[], settings: Settings = DEFAULTS): Promise<SimulatedRelay> {
  const simulation = new SimulatedRelay({ settings, services: () => scripts.map(scripted) });
  await simulation.started();
  return simulation;
}

/** A peer that records what it receives. */
export interface TestPeer {
  readonly received: string[];
  send(text: string): void;
  readonly closed: () => number | undefined;
}

/** Connects a peer to the game port, optionally with a limited read rate. */
export async function connect(simulation: SimulatedRelay, bytesPerMs?: number): Promise<TestPeer> {
  const received: string[] = [];
  let code: number | undefined;
  const socket = simulation.network.connect("neuro", {}, bytesPerMs);
  socket.onFrame = (frame) => received.push(String(frame));
  socket.onClose = (closed) => (code = closed);
  await simulation.advance(0);
  return { received, send: (text) => socket.send(text), closed: () => code };
}
