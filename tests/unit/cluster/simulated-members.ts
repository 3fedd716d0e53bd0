/**
 * Members of a cluster in virtual time: machines with two clocks each, pauses of processes, suspended machines, partitions, outages of the
 * directory, late and lost replies, and clocks that are set. The seed decides everything.
 *
 * The property: from the moment in which a session is declared dead, that session never may act, whatever its own clocks say. A machine that
 * was suspended is exempt until its wall clock is right again, because nothing on it can know.
 */
import { cautiousClock, type ClockReading, readClock } from "../../../src/cluster/cautious-clock.ts";
import {
  beatAnswered,
  type BeatReply,
  createMembership,
  leaseTimes,
  mayAct,
  type Membership,
  nextBeat,
  suspendIfOver,
} from "../../../src/cluster/membership.ts";
import type { NameTaken } from "../../../src/cluster/directory.ts";
import type { Millis } from "../../../src/core/ids.ts";
import { Random } from "../../../src/testing/random.ts";
import { SimulatedDirectory } from "./simulated-directory.ts";

/** A fault in the state machine or its use, on purpose: the simulation has to find each. */
export type Mutation =
  | "none"
  | "no-margin"
  | "monotonic-only"
  | "received-not-sent"
  | "expire-without-count"
  | "impatient-clock";

export interface SimulationResult {
  /** How often it was checked whether a session may act. */
  readonly checks: number;
  readonly violations: readonly string[];
  readonly expirations: number;
  /** The nodes that may act at the end, after 20 s without faults. */
  readonly holding: number;
}

const LEASE_MS = 2_000;
const STEP_MS = 20;
const RUN_MS = 60_000;
const CALM_MS = 20_000;
const NODES = 4;

interface Machine {
  /** Both clocks run at this rate of the real time. */
  readonly rate: number;
  clocks: ClockReading;
  /** The process does not run until then. */
  pausedUntil: Millis;
  /** The machine does not run until then, and its monotonic clock stands still. */
  suspendedUntil: Millis;
  cutOffUntil: Millis;
}

interface Node {
  readonly name: string;
  readonly machine: Machine;
  clock: ReturnType<typeof cautiousClock>;
  membership: Membership;
  beatAt: Millis;
  sessions: number;
}

interface Message {
  readonly at: Millis;
  deliver(): void;
}

export class MembersSimulation {
  readonly #random: Random;
  readonly #mutation: Mutation;
  readonly #directory = new SimulatedDirectory();
  readonly #nodes: Node[];
  #messages: Message[] = [];
  #now: Millis = 0;
  #directoryAwayUntil: Millis = 0;
  #checks = 0;
  #expirations = 0;
  readonly #violations: string[] = [];

  constructor(seed: number, mutation: Mutation = "none") {
    this.#random = new Random(seed);
    this.#mutation = mutation;
    this.#nodes = Array.from({ length: NODES }, (_, index) => this.#createNode(`n${index}`));
  }

  run(): SimulationResult {
    for (; this.#now < RUN_MS + CALM_MS; this.#now += STEP_MS) {
      if (this.#now < RUN_MS) this.#injectFaults();
      this.#deliver();
      for (const node of this.#nodes) this.#step(node);
      this.#check();
    }
    const holding = this.#nodes.filter((node) => mayAct(node.membership, this.#read(node))).length;
    return { checks: this.#checks, violations: this.#violations, expirations: this.#expirations, holding };
  }

  #createNode(name: string): Node {
    const clocks = { monotonic: 0, wall: 1_700_000_000_000 + this.#random.between(-5_000, 5_000) };
    const rate = 1 + this.#random.between(-400, 400) / 10_000;
    const machine = { rate, clocks, pausedUntil: 0, suspendedUntil: 0, cutOffUntil: 0 };
    const membership = this.#newMembership(name, 1);
    return { name, machine, clock: cautiousClock(clocks), membership, beatAt: 0, sessions: 1 };
  }

  #newMembership(name: string, sessions: number): Membership {
    const times = leaseTimes(LEASE_MS);
    const margin = this.#mutation === "no-margin" ? { ...times, marginMs: -times.marginMs } : times;
    return createMembership(`${name}.${sessions}`, margin);
  }

  #injectFaults(): void {
    const random = this.#random;
    const until = (maxMs: Millis): Millis => this.#now + random.between(100, maxMs);
    for (const { machine } of this.#nodes) {
      if (random.chance(0.002)) machine.pausedUntil = until(6_000);
      if (random.chance(0.0007)) machine.suspendedUntil = until(8_000);
      if (random.chance(0.002)) machine.cutOffUntil = until(6_000);
      if (random.chance(0.001)) this.#setWall(machine, random.between(-3_000, 7_000));
    }
    if (random.chance(0.001)) this.#directoryAwayUntil = until(5_000);
  }

  /** Why not back before a process has read the clock again: neither clock then shows how long its machine stood, which nothing can detect. */
  #setWall(machine: Machine, byMs: Millis): void {
    if (byMs < 0 && this.#now < Math.max(machine.pausedUntil, machine.suspendedUntil) + STEP_MS) return;
    machine.clocks = { ...machine.clocks, wall: machine.clocks.wall + byMs };
  }

  #read(node: Node): Millis {
    const { clocks } = node.machine;
    return readClock(node.clock, this.#mutation === "monotonic-only" ? { ...clocks, wall: node.clock.wall } : clocks);
  }

  #step(node: Node): void {
    const { machine } = node;
    const isSuspended = this.#now < machine.suspendedUntil;
    const passed = STEP_MS * machine.rate;
    const { monotonic, wall } = machine.clocks;
    machine.clocks = { monotonic: monotonic + (isSuspended ? 0 : passed), wall: wall + passed };
    if (isSuspended || this.#now < machine.pausedUntil) return;
    const now = this.#read(node);
    suspendIfOver(node.membership, now);
    if (node.membership.lease.is === "dead") {
      node.membership = this.#newMembership(node.name, ++node.sessions);
      node.beatAt = now;
    }
    if (now < node.beatAt) return;
    node.beatAt = now + node.membership.times.beatMs;
    this.#beat(node, now);
  }

  #beat(node: Node, sentAt: Millis): void {
    const { membership } = node;
    const beat = { session: membership.session, count: nextBeat(membership), place: node.name };
    this.#request(node, () => this.#directory.beat(beat), (reply: BeatReply | NameTaken) => {
      if (node.membership !== membership) return;
      if (reply.is === "nameTaken") throw new Error(`${membership.session}: ${reply.by.session} is no member any more`);
      const now = this.#read(node);
      const observedAt = this.#mutation === "impatient-clock" ? now : node.machine.clocks.monotonic;
      const since = this.#mutation === "received-not-sent" ? now : sentAt;
      for (const { session, count } of beatAnswered(membership, reply, { sentAt: since, now, observedAt }).expired) {
        const seen = this.#mutation === "expire-without-count" ? undefined : count;
        this.#request(node, () => this.#expire(session, seen), () => {});
      }
    });
  }

  #expire(session: string, count: number | undefined): void {
    const known = this.#directory.nodes.get(session)?.count;
    if (known !== undefined && this.#directory.expire(session, count ?? known)) this.#expirations++;
  }

  /** A request to the directory: it or its reply can be lost, and each takes up to 0.9 s. */
  #request<T>(node: Node, execute: () => T, answered: (reply: T) => void): void {
    const delay = (): Millis => this.#random.chance(0.1) ? this.#random.between(0, 900) : this.#random.between(0, 40);
    const isCutOff = (): boolean => this.#now < node.machine.cutOffUntil || this.#now < this.#directoryAwayUntil;
    this.#send(delay(), () => {
      if (isCutOff()) return;
      const reply = execute();
      this.#send(delay(), () => !isCutOff() && this.#whenRunning(node, () => answered(reply)));
    });
  }

  /** A process that does not run handles its messages when it continues. */
  #whenRunning(node: Node, act: () => void): void {
    const until = Math.max(node.machine.pausedUntil, node.machine.suspendedUntil);
    if (this.#now >= until) act();
    else this.#send(until - this.#now, () => this.#whenRunning(node, act));
  }

  #send(ms: Millis, deliver: () => void): void {
    this.#messages.push({ at: this.#now + ms, deliver });
  }

  #deliver(): void {
    const due = this.#messages.filter(({ at }) => at <= this.#now);
    this.#messages = this.#messages.filter(({ at }) => at > this.#now);
    for (const { deliver } of due) deliver();
  }

  #check(): void {
    for (const node of this.#nodes) {
      this.#checks++;
      if (!this.#directory.dead.has(node.membership.session)) continue;
      // Why a copy: to look at a process from outside must not read its clock for it.
      const clock = { ...node.clock };
      const { clocks } = node.machine;
      const now = readClock(clock, this.#mutation === "monotonic-only" ? { ...clocks, wall: clock.wall } : clocks);
      if (mayAct(node.membership, now)) {
        this.#violations.push(`at ${this.#now} ${node.membership.session} may act, and is dead`);
      }
    }
  }
}
