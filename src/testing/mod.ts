/**
 * A whole relay on virtual time, and everybody who speaks with one: to test what you build on the relay, without waiting.
 *
 * ```ts
 * const world = new World({ settings: DEFAULTS, rooms, seed: 42 });
 * await world.started();
 * const wire = world.network.connect("neuro");
 * wire.onOpen = () => wire.send(JSON.stringify({ command: "startup", game: "Chess" }));
 * await world.pass(60_000);
 * ```
 *
 * @module
 */
export { SimulatedRelay, type SimulationOptions } from "./simulated-relay.ts";
export { type Accept, Network, type NetworkHealth, type TestSocket } from "./network.ts";
export { HEALTHY, type PendingPut, type StoreHealth, VirtualDisk } from "./disk.ts";
export { type Cancel, VirtualClock, yieldToTasks } from "./clock.ts";
export { Random } from "./random.ts";
export { INJECTED_PANIC, PanicInjection } from "./panic-injection.ts";
export {
  framesTo,
  type HarnessOptions,
  type Output,
  type Posted,
  ServiceHarness,
  TEST_CONNECTION,
} from "./service-harness.ts";
export { DOUBLE_MS, type Environment, FakePeer } from "./fakes/peer.ts";
export { FakeGame, type GameAction, type GameBehavior, type GamePlan, type WaitingForce } from "./fakes/game.ts";
export {
  FakeIntegration,
  type IntegrationBehavior,
  type IntegrationPlan,
  type ReceivedCommand,
} from "./fakes/integration.ts";
export { type CommandStatus, FakeWatcher, type SentCommand, type WatcherPlan } from "./fakes/watcher.ts";
export { FakeNeuro, type NeuroBehavior, type OpenForce, type SentAction } from "./fakes/neuro.ts";
export { readStrictly, type StrictMessage } from "./fakes/strict-reader.ts";
