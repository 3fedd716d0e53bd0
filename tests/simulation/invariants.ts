/** The invariants of a simulation: some are checked after each task, the others when the relay has recovered. */
import type { Millis } from "../../src/core/ids.ts";
import { isObject, type Json } from "../../src/core/json.ts";
import type { Observation } from "../../src/core/observation.ts";
import type { AwaitedForce } from "../../src/testing/fakes/game.ts";
import { INJECTED_PANIC } from "../../src/testing/panic-injection.ts";
import type { SimulatedRelay } from "../../src/testing/simulated-relay.ts";
import type { Participants } from "./participants.ts";

/** After this time the relay has received a force, even on the slowest network. */
const RECEIVED_MS: Millis = 1_000;

/** Checks each observation, and after each task the wakeups. Returns the count of each kind of observation. */
export function watchInvariants(simulation: SimulatedRelay, violations: string[]): ReadonlyMap<string, number> {
  const { clock } = simulation;
  const counts = new Map<string, number>();
  simulation.onObservation = (observation: Observation) => {
    counts.set(observation.is, (counts.get(observation.is) ?? 0) + 1);
    if (observation.is !== "panicked" || observation.reason === INJECTED_PANIC) return;
    violations.push(
      `at ${clock.now}: ${observation.service} panicked without injection: ${observation.reason}\n${observation.stack}`,
    );
  };
  let missed = 0;
  clock.afterTask = () => {
    // Why the engine: until it has started, there is no timer.
    const at = simulation.engine === undefined ? undefined : simulation.relay?.nextWakeup();
    if (at === undefined || at >= clock.now || at === missed) return;
    missed = at;
    violations.push(`at ${clock.now}: a deadline of ${at} has no wakeup`);
  };
  return counts;
}

/**
 * Forces that may be lost, collected at each panic: a panic loses what is not stored. The relay stores a force as soon as it arrives, so
 * a force may be lost only while its write is pending or has failed, and while it is undecided which of two connections is the game. A
 * force is not sent again after an action for it reached the game.
 */
export function trackAllowedLosses({ clock, disk }: SimulatedRelay, { games }: Participants): AllowedLosses {
  const allowed = new Set<AwaitedForce>();
  const onPanic = (): void => {
    for (const { name, force, contestedUntil } of games) {
      if (force === undefined) continue;
      const writes = [...disk.pending].filter(([, { at, value }]) => at >= force.since && isOf(name, force, value));
      const isWritten = writes.some(([key, { isConfirmed }]) => isConfirmed && disk.stored.has(key));
      const isReceived = clock.now - force.since >= RECEIVED_MS;
      const isContested = clock.now < contestedUntil;
      if (force.wasActedFor || isContested || (!isWritten && (writes.length > 0 || !isReceived))) allowed.add(force);
    }
  };
  const setAside = new Set<string>();
  return {
    allowed,
    setAside,
    onPanic,
    allow: (force) => void allowed.add(force),
    onQuarantine: (key) => void setAside.add(key),
  };
}

export interface AllowedLosses {
  readonly allowed: ReadonlySet<AwaitedForce>;
  /** Keys of messages that the store could not read in several attempts. The next start of the relay queues them again. */
  readonly setAside: ReadonlySet<string>;
  onPanic(): void;
  /** An operator cancelled the force. */
  allow(force: AwaitedForce): void;
  onQuarantine(key: string): void;
}

const isOf = (name: string, { names }: AwaitedForce, value: Json): boolean =>
  isObject(value) && value.id === `neuro:${name}` && isObject(value.force) && String(value.force.names) === String(names);

/** The violations after recovery, when every client is connected and every deadline has passed. */
export async function finalViolations(
  simulation: SimulatedRelay,
  participants: Participants,
  { allowed, setAside }: AllowedLosses,
): Promise<readonly string[]> {
  const { neuro, peers } = participants;
  return [
    ...neuro.violations.map((violation) => `Neuro: ${violation}`),
    ...peers.flatMap((peer) => peer.violations),
    ...peers.filter((peer) => !peer.isConnected).map(({ name }) => `${name} is not connected after recovery`),
    ...simulation.disk.overwritten.map((key) => `${key} was written twice`),
    ...(neuro.isConnected ? [] : ["Neuro is not connected after recovery"]),
    ...neuro.unanswered.map(({ id, name }) => `Neuro still waits for ${id} (${name})`),
    ...listViolations(participants),
    ...forceViolations(participants, allowed),
    ...deliveryViolations(participants, setAsideNumbers(simulation, setAside)),
    ...(await readinessViolations(simulation)),
  ];
}

/** Neuro's list is what the connected games and integrations have registered, each definition once. */
function listViolations({ neuro, games, integrations }: Participants): readonly string[] {
  const upstream = [...neuro.actions.values()].map(({ description }) => String(description)).sort();
  const registered = new Set([
    ...games.flatMap((game) => [...game.registered.values()]),
    ...integrations.flatMap((integration) => integration.actions),
  ].map(({ description }) => description));
  const missing = [...registered].filter((description) => !upstream.includes(description));
  const surplus = upstream.filter((description, at) =>
    !registered.has(description) || upstream.indexOf(description) !== at
  );
  return [
    ...missing.map((description) => `Neuro does not have: ${description}`),
    ...surplus.map((description) => `Neuro has, but no client does, or twice: ${description}`),
  ];
}

/** No game waits for a force forever. */
function forceViolations({ neuro, games }: Participants, allowed: ReadonlySet<AwaitedForce>): readonly string[] {
  const waits = games.filter(({ force }) => force !== undefined && !allowed.has(force));
  return [
    ...(neuro.force === undefined ? [] : [`Neuro's force is still open: ${neuro.force.query}`]),
    ...waits.map(({ name, force }) => `${name} still waits for its force: ${force?.names}`),
  ];
}

/** The commands that are set aside and still in the store. */
function setAsideNumbers({ disk }: SimulatedRelay, setAside: ReadonlySet<string>): ReadonlySet<number> {
  return new Set(
    [...disk.stored].filter(([key]) => setAside.has(key)).map(([, entry]) => {
      const message = isObject(entry) && typeof entry.body === "string" ? JSON.parse(entry.body) : undefined;
      return numberOf(message?.cmd);
    }),
  );
}

/** No message answered `queued` is lost, each recipient gets its messages in order, and repeats are flagged. */
function deliveryViolations(
  { watcher, integrations }: Participants,
  setAside: ReadonlySet<number>,
): readonly string[] {
  return integrations.flatMap(({ name, received, behavior }) => {
    // Why not refused ones: a crash between a late write and its delete may leave such a message in the store.
    const numbers = received.map(({ cmd, isRepeat }) => ({ number: numberOf(cmd), isRepeat }))
      .filter(({ number }) => watcher.commands.get(number)?.status !== "refused");
    const seen = new Set<number>();
    const wrong: string[] = [];
    let last = 0;
    for (const { number, isRepeat } of numbers) {
      if (seen.has(number)) {
        if (behavior.acks && !isRepeat) wrong.push(`${name} got ${number} again without the flag`);
        continue;
      }
      seen.add(number);
      // Why: a refused message may be in the store after a crash, and has no place in the order.
      if (watcher.commands.get(number)?.status === "refused") continue;
      if (number < last) wrong.push(`${name} got ${number} after ${last}`);
      last = Math.max(last, number);
    }
    // Why only with acks: without them the relay cannot know which frames a breaking socket lost.
    const lost = [...watcher.commands.values()].filter((order) =>
      behavior.acks && order.target === name && order.status === "queued" && !seen.has(order.number) &&
      !setAside.has(order.number)
    );
    return [...wrong, ...lost.map(({ number }) => `${number} for ${name} was queued and is lost`)];
  });
}

const numberOf = (cmd: Json): number => (isObject(cmd) && typeof cmd.number === "number" ? cmd.number : -1);

/** Both services are ready, and nothing is queued or pending in them. */
async function readinessViolations({ engine }: SimulatedRelay): Promise<readonly string[]> {
  if (engine === undefined) return ["the relay is not running after recovery"];
  const found: string[] = [];
  for (const service of ["neuro", "intermediary"] as const) {
    const answer = await engine.request({ of: service, get: "ready" }, { by: "test", scopes: ["admin"] });
    const isReady = "body" in answer && answer.body.ok;
    if (!isReady) found.push(`${service} is not ready after recovery: ${JSON.stringify(answer)}`);
  }
  const answer = await engine.request({ of: "neuro", get: "status" }, { by: "test", scopes: ["watch"] });
  for (const upstream of "body" in answer ? answer.body.upstreams : []) {
    const { force, waiting, pending, contexts_held: held } = upstream;
    const isQuiet = force === null && waiting.length === 0 && pending.length === 0 && held === 0;
    if (!isQuiet) {
      found.push(`something is queued or pending after recovery: ${JSON.stringify({ force, waiting, pending, held })}`);
    }
  }
  return found;
}
