/**
 * A whole relay in virtual time, and fakes of its clients and of Neuro: for tests of programs that use the relay.
 *
 * ```ts
 * const simulation = new SimulatedRelay({ settings: DEFAULTS, services, seed: 42 });
 * await simulation.started();
 * const socket = simulation.network.connect("neuro");
 * socket.onOpen = () => socket.send(JSON.stringify({ command: "startup", game: "Chess" }));
 * await simulation.advance(60_000);
 * ```
 *
 * @module
 */
export { SimulatedRelay, type SimulationOptions } from "./simulated-relay.ts";
export { type Accept, Network, type NetworkHealth, type TestSocket } from "./network.ts";
export { type DiskHealth, HEALTHY, type PendingPut, VirtualDisk } from "./disk.ts";
export { type Cancel, VirtualClock, yieldToTasks } from "./clock.ts";
export { Random } from "./random.ts";
export { INJECTED_PANIC, PanicInjection } from "./panic-injection.ts";
export {
  framesTo,
  type HarnessOptions,
  type Posted,
  ServiceHarness,
  type StepOutput,
  TEST_CONNECTION,
} from "./service-harness.ts";
export { DUPLICATE_MS, type FakeEnvironment, FakePeer } from "./fakes/peer.ts";
export { type AwaitedForce, FakeGame, type FakeGameAction, type GameBehavior, type GamePlan } from "./fakes/game.ts";
export {
  FakeIntegration,
  type IntegrationBehavior,
  type IntegrationPlan,
  type ReceivedCommand,
} from "./fakes/integration.ts";
export { type CommandStatus, FakeWatcher, type SentCommand, type WatcherPlan } from "./fakes/watcher.ts";
export { FakeNeuro, type FakeOpenForce, type NeuroBehavior, type SentAction } from "./fakes/neuro.ts";
export { readStrictly, type StrictCommand, type StrictMessage } from "./fakes/strict-reader.ts";
