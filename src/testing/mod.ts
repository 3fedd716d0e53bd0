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
export { World, type WorldOptions } from "./world.ts";
export { type Answering, Network, type NetworkHealth, type Wire } from "./network.ts";
export { type AskedPut, HEALTHY, type StoreHealth, VirtualDisk } from "./store.ts";
export { type Cancel, giveWay, VirtualClock } from "./clock.ts";
export { Chance } from "./chance.ts";
export { SABOTAGE, Sabotage } from "./sabotage.ts";
export { CALLER, framesTo, Stage, type StageOptions } from "./stage.ts";
export { DOUBLE_MS, Player, type Surroundings } from "./fakes/player.ts";
export { FakeGame, type GameAction, type GameHabits, type GamePlan, type Waiting } from "./fakes/game.ts";
export { type Arrival, FakeIntegration, type IntegrationHabits, type IntegrationPlan } from "./fakes/integration.ts";
export { FakeWatcher, type Fate, type Order, type WatcherPlan } from "./fakes/watcher.ts";
export { type Call, FakeNeuro, type NeuroHabits, type OpenForce } from "./fakes/neuro.ts";
export { readStrictly, type StrictMessage } from "./fakes/strict.ts";
