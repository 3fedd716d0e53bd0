/**
 * One run of the simulation: a minute of injected faults, then recovery, then the final checks. The seed decides everything.
 *
 * The fakes record the violations that they can see themselves; `invariants.ts` checks what needs the whole: no queued message is lost,
 * order holds, lists agree, and no client waits forever.
 */
import { assertNever } from "../../src/core/assert.ts";
import type { SupervisedService } from "../../src/relay/mod.ts";
import { services } from "../../src/relay/services.ts";
import type { Settings } from "../../src/core/settings.ts";
import { HEALTHY } from "../../src/testing/disk.ts";
import { INJECTED_PANIC } from "../../src/testing/panic-injection.ts";
import { SimulatedRelay } from "../../src/testing/simulated-relay.ts";
import { createParticipants, NEURO_URL, type Participants, SETTINGS } from "./participants.ts";
import { finalViolations, trackAllowedLosses, watchInvariants } from "./invariants.ts";
import { SimulatedOperator } from "./operator.ts";

export interface SimulationResult {
  readonly seed: number;
  /** Violated invariants; must be empty. */
  readonly violations: readonly string[];
  /** The same seed gives the same hash, on every runtime. */
  readonly hash: string;
  /** Observations by kind: shows that the run had enough events to prove something. */
  readonly observationCounts: ReadonlyMap<string, number>;
}

export interface RunOptions {
  readonly seed: number;
  /** Faults that are not injected: to find out which of them a failure needs. */
  readonly without?: readonly FaultKind[];
  /** By default without policies. */
  readonly settings?: Settings;
  /** Called with each frame that either end receives, and each observation. */
  readonly onTrace?: (line: string) => void;
  /** Replaces a service: to test that the simulation finds faults. */
  readonly wrap?: (service: SupervisedService) => SupervisedService;
}

export const FAULT_KINDS = ["disconnect", "duplicate", "slow", "store", "crash", "panic", "neuro", "operator"] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

const FAULTY_MS = 60_000;
/** Longer than every deadline while the clients are connected. */
const RECOVERY_MS = 200_000;
/** Several times the tasks of the busiest seed; more means that a deadline stays due. */
const TASKS_MAX = 50_000;

/** Runs one seed. It never throws: an exception is a violation, too. */
export async function simulate(options: RunOptions): Promise<SimulationResult> {
  const { seed, settings = SETTINGS, wrap = (service) => service } = options;
  const simulation = new SimulatedRelay({ settings, services: (given) => services(given).map(wrap), seed });
  simulation.clock.tasksLeft = TASKS_MAX;
  const violations: string[] = [];
  const observationCounts = watchInvariants(simulation, violations);
  try {
    await runPhases(simulation, options, violations);
  } catch (error) {
    violations.push(error instanceof Error ? `${error.stack}` : String(error));
  }
  return { seed, violations, hash: simulation.traceHash, observationCounts };
}

async function runPhases(
  simulation: SimulatedRelay,
  { without = [], onTrace }: RunOptions,
  violations: string[],
): Promise<void> {
  const participants = createParticipants(simulation);
  const faults = new Set(FAULT_KINDS.filter((kind) => !without.includes(kind)));
  // Why only one of them: if both services panic within the same second, unsaved state of both is lost.
  const panickingService = simulation.random.pick("neuro", "intermediary");
  let isNeuroUp = true;
  simulation.network.accept = (
    url,
  ) => (url === NEURO_URL && isNeuroUp ? (socket) => participants.neuro.accept(socket) : undefined);
  simulation.network.health = { delayMinMs: 1, delayMaxMs: simulation.random.pick(2, 40, 300) };
  const losses = trackAllowedLosses(simulation, participants);
  const operator = new SimulatedOperator(simulation, participants, losses.allow);
  const { onObservation } = simulation;
  simulation.onObservation = (observation) => {
    onObservation(observation);
    if (observation.is === "panicked" && observation.service === "neuro") losses.onPanic();
    if (observation.is === "entry_quarantined") losses.onQuarantine(observation.key);
  };
  if (onTrace !== undefined) trace(simulation, onTrace);
  if (faults.has("store")) degradeStore(simulation);
  simulation.start();
  for (const peer of participants.peers) simulation.clock.after(simulation.random.between(0, 5_000), () => peer.connect());
  if (faults.has("slow")) {
    for (const game of participants.games.slice(0, 2)) game.bytesPerMs = simulation.random.between(1, 50);
  }
  const end = simulation.clock.now + FAULTY_MS;
  while (simulation.clock.now < end) {
    await simulation.advance(simulation.random.between(200, 4_000));
    const kind = simulation.random.oneOf([...faults]);
    if (faults.has("operator")) await operator.act();
    if (kind === "neuro") isNeuroUp = disconnectNeuro(simulation, participants);
    else if (kind === "panic") simulation.panics.plan(panickingService, simulation.random.between(0, 3));
    else if (kind !== undefined) injectFault(kind, simulation, participants);
  }
  isNeuroUp = true;
  await recover(simulation, participants, operator);
  violations.push(...await finalViolations(simulation, participants, losses), ...operator.violations());
}

function degradeStore(simulation: SimulatedRelay): void {
  const { random } = simulation;
  simulation.disk.health = {
    delayMinMs: 0,
    delayMaxMs: random.pick(1, 50, 500),
    fails: random.pick(0, 0.02, 0.1),
    hangs: random.pick(0, 0.02),
    hangMs: random.pick(1_000, 10_000),
  };
}

/** Breaks the connection to Neuro. Returns whether she accepts connections again at once. */
function disconnectNeuro(simulation: SimulatedRelay, { neuro }: Participants): boolean {
  neuro.drop(simulation.random.between(0, 500));
  return simulation.random.chance(0.6);
}

function injectFault(
  kind: Exclude<FaultKind, "neuro" | "panic">,
  simulation: SimulatedRelay,
  participants: Participants,
): void {
  const { random } = simulation;
  const peer = random.oneOf(participants.peers);
  switch (kind) {
    case "disconnect":
      return peer?.drop(random.pick(0, 100, 5_000));
    case "duplicate":
      return random.oneOf(participants.games)?.duplicate();
    case "crash":
      simulation.crash();
      simulation.clock.after(
        random.between(0, 3_000),
        () => simulation.engine === undefined && simulation.relay === undefined && simulation.start(),
      );
      return;
    case "slow":
    case "store":
    case "operator": // Why nothing: these last for the whole faulty phase.
      return;
    default:
      return assertNever(kind);
  }
}

/** Ends all faults, connects every client, and lets no client start anything new. */
async function recover(
  simulation: SimulatedRelay,
  { neuro, games, integrations, watcher, peers }: Participants,
  operator: SimulatedOperator,
): Promise<void> {
  simulation.disk.health = HEALTHY;
  simulation.network.health = { delayMinMs: 1, delayMaxMs: 10 };
  simulation.panics.stop();
  if (simulation.relay === undefined) simulation.start();
  watcher.everyMs = 0;
  for (const game of games) {
    game.behavior = { ...game.behavior, everyMs: 0, fails: 0, answers: "all", answerMaxMs: 100 };
    game.bytesPerMs = undefined;
  }
  for (const integration of integrations) integration.behavior = { ...integration.behavior, forgets: 0 };
  neuro.behavior = { ...neuro.behavior, actsEveryMs: 0, thinkMaxMs: 500 };
  for (const peer of peers) {
    peer.returnMs = 1_000;
    peer.connect();
  }
  // Why the wait: a relay that was just started accepts requests only when it is ready, and its store may hang.
  await simulation.advance(10_000);
  for (let ms = 0; simulation.engine === undefined && ms < 30_000; ms += 1_000) await simulation.advance(1_000);
  await operator.releaseControls();
  await simulation.advance(RECOVERY_MS);
}

/** Traces all frames and observations. */
function trace(simulation: SimulatedRelay, onTrace: (line: string) => void): void {
  const { onTraffic } = simulation.network;
  const time = (): string => String(simulation.clock.now % 10_000_000).padStart(7);
  simulation.network.onTraffic = (what) => {
    onTraffic(what);
    onTrace(`${time()} ${what}`);
  };
  const { onObservation } = simulation;
  simulation.onObservation = (observation) => {
    onObservation(observation);
    // Why: the stack of an injected panic contains no information.
    const { stack: _, ...shown } = observation.is === "panicked" && observation.reason === INJECTED_PANIC
      ? observation
      : { ...observation, stack: undefined };
    onTrace(`${time()} * ${JSON.stringify(shown)}`);
  };
}
