/**
 * A whole cluster in virtual time: real nodes, with their real relays, gateways, leases and output fences, a strict fake Neuro, and fake games,
 * integrations and a watcher. Processes are paused and killed, machines are suspended, clocks are set, Redis is away or cut off, nodes cannot reach
 * each other, requests and replies are late or lost. The seed decides everything but the ids.
 *
 * The properties, of each relay: one speaker (no frame of an earlier connection is written after the first frame of a later one of another node), one
 * writer of its entries, the protocol towards Neuro and games, no queued command lost, after a while without faults one owner with the actions of all
 * games, and the same after all nodes were killed and started again, with no command that was acknowledged before.
 */
import { DEFAULTS, UPSTREAM_DEFAULTS } from "../../../../src/core/defaults.ts";
import type { ListenerName } from "../../../../src/core/service.ts";
import type { Settings } from "../../../../src/core/settings.ts";
import { openLog } from "../../../../src/observability/mod.ts";
import { ClusterNode } from "../../../../src/runtimes/cluster/cluster-node.ts";
import { SECRET_HEADER } from "../../../../src/runtimes/cluster/node-connections.ts";
import type { ConnectionHandler } from "../../../../src/runtimes/connections.ts";
import type { ServerRuntime } from "../../../../src/runtimes/server-runtime.ts";
import type { VirtualClock } from "../../../../src/testing/clock.ts";
import type { FakeEnvironment } from "../../../../src/testing/fakes/peer.ts";
import type { Network, TestSocket } from "../../../../src/testing/network.ts";
import { Random } from "../../../../src/testing/random.ts";
import type { ByteStream } from "../../../../src/websocket-client/raw-socket.ts";
import { type Machine, Machine as VirtualMachine, Machines } from "./machines.ts";
import { VirtualRedis } from "./redis.ts";
import { ClientSocketEnd, SimulatedRelay, type SimulatedRelayPlan } from "./simulated-relay.ts";
import { VirtualNetwork } from "./streams.ts";

/** A fault on purpose: the simulation has to find each. `membership.test.ts` has those of the leases. */
export type WholeMutation =
  | "none"
  /** A node holds its lease for four times as long as the others wait. */
  | "no-margin"
  /** Frames are collected below the check of the lease. */
  | "fence-above-batching"
  /** Redis takes the write of an owner whose record is not the present one. */
  | "unfenced-store";

const NODES = 3;
const FAULTY_MS = 45_000;
const CALM_MS = 30_000;
/** The relays, and the port of the Neuro of each. */
const PLANS: readonly SimulatedRelayPlan[] = [
  { name: "default", port: 9_000, games: ["Chess", "Pong", "Slay"] },
  { name: "show-a", port: 9_001, games: ["Go"] },
  { name: "show-b", port: 9_002, games: ["Tetris"] },
];
const LEASE_MS = 2_000;
const SECRET = "a secret of the nodes, at least 32 characters";
const BATCH_MS = 1_900;

interface SimulatedNode {
  readonly machine: Machine;
  node: ClusterNode | undefined;
  /** The sockets of clients at this node. */
  readonly sockets: Set<ClientSocketEnd>;
}

export class ClusterSimulation {
  readonly violations: string[] = [];
  /** Takes what nodes log, and faults. */
  onTrace: (line: string) => void = () => {};
  readonly #random: Random;
  readonly #mutation: WholeMutation;
  readonly #world = new Machines();
  readonly #network: VirtualNetwork;
  readonly #redis: VirtualRedis;
  readonly #nodes: SimulatedNode[];
  readonly #cuts = new Map<string, number>();
  readonly #relays: readonly SimulatedRelay[];

  constructor(seed: number, mutation: WholeMutation = "none") {
    this.#random = new Random(seed);
    this.#mutation = mutation;
    this.#redis = new VirtualRedis(this.#world, this.#random.branch(), mutation === "unfenced-store");
    this.#network = new VirtualNetwork({
      world: this.#world,
      random: this.#random.branch(),
      cutUntil: (one, other) => one === undefined || other === undefined ? 0 : this.#cuts.get(pairOf(one, other)) ?? 0,
      written: (pipe) =>
        this.#relays.find(({ plan }) => this.#network.servers.get(plan.port) === pipe.server)?.written(pipe),
    });
    this.#nodes = Array.from({ length: NODES }, (_, index) => {
      const rate = 1 + this.#random.between(-200, 200) / 10_000;
      const machine = new VirtualMachine(`n${index}`, rate, this.#random.between(-3_000, 3_000), this.#world);
      return { machine, node: undefined, sockets: new Set() };
    });
    this.#relays = PLANS.map((plan) => {
      const environment = (): FakeEnvironment => ({
        clock: this.#world as unknown as VirtualClock, // Why the casts: the fakes use only what these have.
        random: this.#random.branch(),
        network: this.#clientsOf(plan.name) as unknown as Network,
      });
      const relay = new SimulatedRelay(plan, this.#random.branch(), this.#world, environment);
      this.#network.listen(undefined, () => relay.acceptAtNeuro(), plan.port);
      return relay;
    });
  }

  /** Frames that nodes have written to Neuro. */
  get frames(): number {
    return this.#relays.reduce((sum, { frames }) => sum + frames, 0);
  }

  /** Connections to Neuro that have spoken. */
  get speakers(): number {
    return this.#relays.reduce((sum, { speakers }) => sum + speakers, 0);
  }

  async run(): Promise<readonly string[]> {
    const random = this.#random.branch();
    const restore = this.#world.install(() => random.fraction());
    try {
      await this.#runPhases();
    } catch (error) {
      this.violations.push(error instanceof Error ? `${error.stack}` : String(error));
    } finally {
      restore();
    }
    return this.violations;
  }

  async #runPhases(): Promise<void> {
    const random = this.#random;
    for (const node of this.#nodes) await this.#start(node);
    await this.#world.advance(3_000);
    for (const relay of this.#relays) relay.connect();
    const end = this.#world.now + FAULTY_MS;
    while (this.#world.now < end) {
      await this.#world.advance(random.between(300, 4_000));
      await this.#injectFault();
    }
    for (const relay of this.#relays) relay.endCommands();
    await this.#recover();
    for (const relay of this.#relays) relay.calm();
    await this.#world.advance(CALM_MS);
    await this.#checkEnd();
    for (const relay of this.#relays) relay.checkCommands();
    await this.#startAllAgain();
    this.violations.push(...this.#redis.violations);
    for (const { violations, protocolViolations } of this.#relays) {
      this.violations.push(...violations, ...protocolViolations);
    }
  }

  /** What must hold after a while without faults. Why several times: a relay may just have moved to the node that is first for it. */
  async #checkEnd(): Promise<void> {
    const find = () => this.#relays.flatMap((relay) => relay.endViolations(this.#redis.directory));
    let found = find();
    for (let again = 0; again < 4 && found.length > 0; again++) {
      await this.#world.advance(5_000);
      found = find();
    }
    this.violations.push(...found);
  }

  /** All nodes are killed: what is stored then has to be what the last owners knew. */
  async #startAllAgain(): Promise<void> {
    const received = this.#relays.map(({ commandsReceived }) => commandsReceived);
    for (const node of this.#nodes) this.#kill(node);
    await this.#world.advance(1_000);
    for (const node of this.#nodes) await this.#start(node);
    await this.#world.advance(15_000);
    await this.#checkEnd();
    for (const [index, relay] of this.#relays.entries()) relay.checkNothingSince(received[index] ?? 0);
  }

  async #start(simulated: SimulatedNode): Promise<void> {
    const { machine } = simulated;
    const settings = this.#settingsOf(machine);
    const log = await openLog(
      settings.log,
      (line) =>
        this.onTrace(
          `${this.#world.now % 1_000_000} ${this.#world.current?.name}.${this.#world.current?.process} ${line.slice(25)}`,
        ),
    );
    await this.#world.run(machine, () => {
      const node = new ClusterNode(
        settings,
        {
          runtime: this.#runtimeOf(machine),
          log,
          webToken: "token",
          options: {},
          print() {},
          surroundings: { relays: () => Promise.resolve([]), nodes: () => Promise.resolve([]) },
          otherReasons: () => Promise.resolve([]),
        },
        this.#redis.storageOf(machine),
        (port) => `127.0.0.1:${port}`,
      );
      simulated.node = node;
      node.start().catch((error: unknown) => void this.violations.push(`${machine.name} does not start: ${error}`));
    });
  }

  #settingsOf({ name }: Machine): Settings {
    const hasNoMargin = this.#mutation === "no-margin" && name === "n0";
    return {
      ...DEFAULTS,
      relays: { ...DEFAULTS.relays, names: PLANS.map((plan) => plan.name) },
      "nakurity-clients": PLANS.map((plan) => ({
        ...UPSTREAM_DEFAULTS,
        id: plan.name,
        relays: [plan.name],
        url: `ws://127.0.0.1:${plan.port}`,
        backoff: { base: 100, cap: 1_000 },
        dial_timeout: 2_000,
      })),
      brain: { ...DEFAULTS.brain, enabled: false },
      web: { ...DEFAULTS.web, token: "token" },
      queue: { ...DEFAULTS.queue, max_attempts: 1_000 },
      // Why longer: others wait for the shorter one, as if a node held its lease longer than it may.
      cluster: {
        ...DEFAULTS.cluster,
        enabled: true,
        node: name,
        port: 0,
        secret: SECRET,
        lease: hasNoMargin ? 4 * LEASE_MS : LEASE_MS,
      },
    };
  }

  #runtimeOf(machine: Machine): ServerRuntime {
    return {
      listen: (_, { fetch }) => {
        const port = this.#network.listen(machine, (path, headers) => {
          let accepted: ConnectionHandler | undefined;
          const request = new Request(`http://127.0.0.1${path}`, {
            headers: { [SECRET_HEADER]: headers.get(SECRET_HEADER) ?? "" },
          });
          void fetch(request, {
            address: "127.0.0.1",
            upgrade: (handler) => {
              accepted = handler;
              return new Response();
            },
          });
          return accepted;
        });
        return { port, stopAccepting() {}, close: () => Promise.resolve() };
      },
      afterTurn: (run) => void machine.after(0, run),
      dial: () => {
        throw new Error("not used by nodes");
      },
      linkDial: () => {
        throw new Error("not used by nodes");
      },
      connect: (endpoint, listener) =>
        this.#network.connect(machine, endpoint, {
          ...listener,
          connected: (stream) =>
            listener.connected(
              this.#mutation === "fence-above-batching" && isNeuro(endpoint.port) ? batched(stream, machine) : stream,
            ),
          received: (bytes) => listener.received(bytes),
          drained: () => listener.drained(),
          closed: (reason) => listener.closed(reason),
        }),
      writeOutput: () => Promise.resolve(0),
    };
  }

  /** The network as the fakes see it: each client has a node, the next one when it connects again. */
  #clientsOf(relay: string): Pick<Network, "connect"> {
    let next = this.#random.between(0, NODES - 1);
    return {
      connect: (listener: ListenerName): TestSocket => {
        const end = new ClientSocketEnd();
        const simulated = this.#nodes[next++ % NODES];
        this.#world.schedule(this.#random.between(0, 5), () => this.#open({ relay, listener }, end, simulated), undefined);
        return end;
      },
    };
  }

  #open(
    { relay, listener }: { readonly relay: string; readonly listener: ListenerName },
    end: ClientSocketEnd,
    simulated: SimulatedNode | undefined,
  ): void {
    const node = simulated?.node;
    if (simulated === undefined || node === undefined) return end.closed(1006);
    const { machine } = simulated;
    const { process } = machine;
    let arrivesAt = 0;
    const toNode = (act: () => void): void => {
      arrivesAt = Math.max(arrivesAt, this.#world.now + this.#random.between(0, 3));
      this.#world.schedule(arrivesAt - this.#world.now, () => machine.process === process && act(), machine);
    };
    const toClient = (act: () => void): void => void this.#world.after(1, act);
    let handler: ConnectionHandler | undefined;
    end.sends = (frame) => toNode(() => handler?.message(frame));
    end.closes = () => toNode(() => handler?.close(1000));
    end.cuts = () => toNode(() => handler?.close(1006));
    simulated.sockets.add(end);
    toNode(() => {
      const request = new Request(`http://127.0.0.1/r/${relay}/`, { headers: { upgrade: "websocket", host: "127.0.0.1" } });
      void node.fetch(request, listener, {
        address: "127.0.0.1",
        upgrade: (accepted) => {
          handler = accepted;
          end.isOpen = true;
          accepted.open({
            write: (frames) => {
              for (const frame of frames) toClient(() => end.isOpen && end.onFrame(frame));
              return 0;
            },
            close: (code) => toClient(() => end.closed(code)),
            terminate: () => toClient(() => end.closed(1006)),
            ping: () => toNode(() => accepted.pong()),
          });
          toClient(() => end.onOpen());
          return new Response();
        },
      });
    });
  }

  async #injectFault(): Promise<void> {
    const random = this.#random;
    const simulated = random.oneOf(this.#nodes);
    if (simulated?.node === undefined) return;
    const { machine } = simulated;
    // Why longer ones: most mutants show only after a node was replaced.
    const until = (maxMs: number): number =>
      this.#world.now + random.between(this.#mutation === "none" ? 100 : LEASE_MS, maxMs);
    const kind = this.#mutation === "none"
      ? random.pick("pause", "suspend", "cutOff", "redis", "partition", "kill", "stop", "clock")
      : random.pick("pause", "cutOff"); // Why: others find a mutant less often.
    this.onTrace(`${this.#world.now % 1_000_000} ${machine.name} ** ${kind}`);
    switch (kind) {
      case "pause":
        machine.pausedUntil = until(5_000);
        return;
      case "suspend": {
        const ms = random.between(100, 6_000);
        machine.pausedUntil = this.#world.now + ms;
        machine.suspendedMs += ms * machine.rate;
        return;
      }
      case "cutOff":
        this.#redis.cutOffUntil.set(machine, until(5_000));
        return;
      case "redis":
        this.#redis.awayUntil = until(5_000);
        return;
      case "partition": {
        const other = random.oneOf(this.#nodes.filter((one) => one !== simulated));
        if (other !== undefined) this.#cuts.set(pairOf(machine, other.machine), until(5_000));
        return;
      }
      case "kill":
        this.#kill(simulated);
        this.#world.after(random.between(500, 4_000), () => void this.#start(simulated));
        return;
      case "stop":
        await this.#world.run(machine, () => {
          const { node } = simulated;
          const { process } = machine;
          void node?.drain().then(() => node.close()).then(() => {
            if (machine.process !== process) return;
            this.#kill(simulated);
            this.#world.after(random.between(500, 2_000), () => void this.#start(simulated));
          });
        });
        return;
      case "clock":
        // Why not back right after a pause: neither clock then shows how long the machine stood, which nothing can detect.
        if (machine.isRunning) machine.wallOffset += random.between(0, 3_000);
        return;
    }
  }

  #kill(simulated: SimulatedNode): void {
    const { machine, sockets } = simulated;
    simulated.node = undefined;
    machine.process++;
    this.#network.reset(machine);
    for (const socket of sockets) this.#world.after(1, () => socket.closed(1006));
    sockets.clear();
  }

  async #recover(): Promise<void> {
    this.#redis.awayUntil = 0;
    this.#redis.cutOffUntil.clear();
    this.#cuts.clear();
    await this.#world.advance(15_000);
  }
}

const isNeuro = (port: number): boolean => PLANS.some((plan) => plan.port === port);

const pairOf = (one: Machine, other: Machine): string => [one.name, other.name].sort().join(" ");

/** Frames leave late, after the check of the lease: what a fence above the batching would let through. */
function batched(stream: ByteStream, machine: Machine): ByteStream {
  return {
    write: (bytes) => {
      const copy = bytes.slice();
      machine.after(BATCH_MS, () => stream.write(copy));
      return bytes.length;
    },
    end: () => stream.end(),
    terminate: () => stream.terminate(),
    pause: () => stream.pause(),
    resume: () => stream.resume(),
  };
}
