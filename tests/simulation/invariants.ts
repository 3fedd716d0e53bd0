/** What must be true of a play: at every instant, and when peace has come. */
import type { Millis } from "../../src/core/ids.ts";
import { isObject, type Json } from "../../src/core/json.ts";
import type { Observation } from "../../src/core/observation.ts";
import type { AwaitedForce } from "../../src/testing/fakes/game.ts";
import { DUPLICATE_MS } from "../../src/testing/fakes/peer.ts";
import { INJECTED_PANIC } from "../../src/testing/panic-injection.ts";
import type { SimulatedRelay } from "../../src/testing/simulated-relay.ts";
import type { Participants } from "./participants.ts";

/** By then the relay has heard of a force, however slow the network is. */
const RECEIVED_MS: Millis = 1_000;

/** Looks at every note as it is made, and at the relay after everything that happens. Returns how often each kind of note was made. */
export function watchInvariants(simulation: SimulatedRelay, violations: string[]): ReadonlyMap<string, number> {
  const { clock } = simulation;
  const counts = new Map<string, number>();
  simulation.onObservation = (observation: Observation) => {
    counts.set(observation.is, (counts.get(observation.is) ?? 0) + 1);
    if (observation.is !== "panicked" || observation.reason === INJECTED_PANIC) return;
    violations.push(
      `at ${clock.now}: ${observation.service} panicked by itself: ${observation.reason}\n${observation.stack}`,
    );
  };
  let missed = 0;
  clock.afterTask = () => {
    // Why the engine: while it starts, nobody has a timer yet.
    const at = simulation.engine === undefined ? undefined : simulation.relay?.nextWakeup();
    if (at === undefined || at >= clock.now || at === missed) return;
    missed = at;
    violations.push(`at ${clock.now}: a deadline of ${at} has no wakeup`);
  };
  return counts;
}

/**
 * Forces that a panic may have cost, added to as panics happen: the relay forgets what is not stored. It has to store a force at once,
 * so one may be lost while its write is on its way or has failed, and while it is not decided which of two connections the game
 * has. One that the game was acted for is not asked again.
 */
export function trackAllowedLosses({ clock, disk }: SimulatedRelay, { games }: Participants): AllowedLosses {
  const allowed = new Set<AwaitedForce>();
  const onPanic = (): void => {
    for (const { name, force, duplicatedAt } of games) {
      if (force === undefined) continue;
      const writes = [...disk.pending].filter(([, { at, value }]) => at >= force.since && isOf(name, force, value));
      const isWritten = writes.some(([key, { isConfirmed }]) => isConfirmed && disk.stored.has(key));
      const isReceived = clock.now - force.since >= RECEIVED_MS;
      const isDuplicated = clock.now - duplicatedAt < DUPLICATE_MS;
      if (force.wasActedFor || isDuplicated || (!isWritten && (writes.length > 0 || !isReceived))) allowed.add(force);
    }
  };
  return { allowed, onPanic, allow: (force) => allowed.add(force) };
}

export interface AllowedLosses {
  readonly allowed: ReadonlySet<AwaitedForce>;
  onPanic(): void;
  /** A person took it back. */
  allow(force: AwaitedForce): void;
}

const isOf = (name: string, { names }: AwaitedForce, value: Json): boolean =>
  isObject(value) && value.id === `neuro:${name}` && isObject(value.force) && String(value.force.names) === String(names);

/** What is wrong once everybody is there and everything had its time. */
export async function finalViolations(
  simulation: SimulatedRelay,
  participants: Participants,
  allowed: ReadonlySet<AwaitedForce>,
): Promise<readonly string[]> {
  const { neuro, peers } = participants;
  return [
    ...neuro.violations.map((breach) => `Neuro: ${breach}`),
    ...peers.flatMap((peer) => peer.violations),
    ...peers.filter((peer) => !peer.isConnected).map(({ name }) => `${name} is not connected in peace`),
    ...simulation.disk.overwritten.map((key) => `${key} was written twice`),
    ...(neuro.isConnected ? [] : ["Neuro is not connected in peace"]),
    ...neuro.unanswered.map(({ id, name }) => `Neuro still waits for ${id} (${name})`),
    ...listViolations(participants),
    ...forceViolations(participants, allowed),
    ...deliveryViolations(participants),
    ...(await readinessViolations(simulation)),
  ];
}

/** Neuro's list is what the live games and integrations have registered: each definition once. */
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
    ...surplus.map((description) => `Neuro has, though nobody does, or twice: ${description}`),
  ];
}

/** No game waits for a force for ever. */
function forceViolations({ neuro, games }: Participants, allowed: ReadonlySet<AwaitedForce>): readonly string[] {
  const waits = games.filter(({ force }) => force !== undefined && !allowed.has(force));
  return [
    ...(neuro.force === undefined ? [] : [`Neuro's force is still open: ${neuro.force.query}`]),
    ...waits.map(({ name, force }) => `${name} still waits for its force: ${force?.names}`),
  ];
}

/** Nothing answered `queued` is lost, order holds per recipient, and what came twice was flagged. */
function deliveryViolations({ watcher, integrations }: Participants): readonly string[] {
  return integrations.flatMap(({ name, received, behavior }) => {
    // Why not what was refused: a crash may come between a write that lands too late and its removal, and nobody was promised it.
    const numbers = received.map(({ cmd, isRepeat }) => ({ number: numberOf(cmd), isRepeat }))
      .filter(({ number }) => watcher.commands.get(number)?.status !== "refused");
    const seen = new Set<number>();
    const wrong: string[] = [];
    let last = 0;
    for (const { number, isRepeat } of numbers) {
      if (seen.has(number)) {
        if (behavior.acks && !isRepeat) wrong.push(`${name} got ${number} again, and it was not flagged`);
        continue;
      }
      seen.add(number);
      // Why: what was refused may be on the disk for all that, when a crash comes before it is taken away, and has no place in the order.
      if (watcher.commands.get(number)?.status === "refused") continue;
      if (number < last) wrong.push(`${name} got ${number} after ${last}`);
      last = Math.max(last, number);
    }
    // Why: of whoever never acknowledges, nobody knows what the dying socket swallowed.
    const lost = [...watcher.commands.values()].filter((order) =>
      behavior.acks && order.target === name && order.status === "queued" && !seen.has(order.number)
    );
    return [...wrong, ...lost.map(({ number }) => `${number} for ${name} was queued, and is lost`)];
  });
}

const numberOf = (cmd: Json): number => (isObject(cmd) && typeof cmd.number === "number" ? cmd.number : -1);

/** Both rooms are ready, and nothing waits in them. */
async function readinessViolations({ engine }: SimulatedRelay): Promise<readonly string[]> {
  if (engine === undefined) return ["the relay is down in peace"];
  const found: string[] = [];
  for (const service of ["neuro", "intermediary"] as const) {
    const answer = await engine.request({ of: service, get: "ready" }, { by: "judge", scopes: ["admin"] });
    const isReady = "body" in answer && answer.body.ok;
    if (!isReady) found.push(`${service} is not ready in peace: ${JSON.stringify(answer)}`);
  }
  const answer = await engine.request({ of: "neuro", get: "status" }, { by: "judge", scopes: ["watch"] });
  for (const upstream of "body" in answer ? answer.body.upstreams : []) {
    const { force, waiting, pending, contexts_held: held } = upstream;
    const isQuiet = force === null && waiting.length === 0 && pending.length === 0 && held === 0;
    if (!isQuiet) found.push(`something waits in peace: ${JSON.stringify({ force, waiting, pending, held })}`);
  }
  return found;
}
