/**
 * A whole cluster in virtual time: real nodes, with their real relays, gateways, leases and output fences, a strict fake Neuro, and fake games,
 * integrations and a watcher. Processes are paused and killed, machines are suspended, clocks are set, Redis is away or cut off, nodes cannot reach
 * each other, requests and replies are late or lost. The seed decides everything but the ids.
 *
 * The properties: one speaker (no frame of an earlier connection is written after the first frame of a later one of another node), the protocol towards
 * Neuro and games, no queued command lost, and after a while without faults one owner with the actions of all games.
 */
import { DEFAULTS, PUBLISHED_TOKEN, UPSTREAM_DEFAULTS } from "../../../../src/core/defaults.ts";
import type { ListenerName } from "../../../../src/core/service.ts";
import type { Settings } from "../../../../src/core/settings.ts";
import { openLog } from "../../../../src/observability/mod.ts";
import { ClusterNode } from "../../../../src/runtimes/cluster/cluster-node.ts";
import { SECRET_HEADER } from "../../../../src/runtimes/cluster/node-connections.ts";
import type { ConnectionHandler } from "../../../../src/runtimes/connections.ts";
import type { ServerRuntime } from "../../../../src/runtimes/server-runtime.ts";
import type { VirtualClock } from "../../../../src/testing/clock.ts";
import { FakeGame } from "../../../../src/testing/fakes/game.ts";
import { FakeIntegration } from "../../../../src/testing/fakes/integration.ts";
import { FakeNeuro } from "../../../../src/testing/fakes/neuro.ts";
import type { FakeEnvironment } from "../../../../src/testing/fakes/peer.ts";
import { FakeWatcher } from "../../../../src/testing/fakes/watcher.ts";
import type { Network, TestSocket } from "../../../../src/testing/network.ts";
import { Random } from "../../../../src/testing/random.ts";
import type { ByteStream } from "../../../../src/websocket-client/raw-socket.ts";
import { type Machine, Machine as VirtualMachine, Machines } from "./machines.ts";
import { VirtualRedis } from "./redis.ts";
import { type Pipe, VirtualNetwork } from "./streams.ts";

/** A fault on purpose: the simulation has to find each. `membership.test.ts` has those of the leases. */
export type WholeMutation =
  | "none"
  /** A node holds its lease for four times as long as the others wait. */
  | "no-margin"
  /** Frames are collected below the check of the lease. */
  | "fence-above-batching";

const NODES = 3;
const FAULTY_MS = 45_000;
const CALM_MS = 30_000;
const NEURO_PORT = 9_000;
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
  /** Frames that nodes have written to Neuro, and connections that they opened. */
  frames = 0;
  speakers = 0;
  readonly #random: Random;
  readonly #mutation: WholeMutation;
  readonly #world = new Machines();
  readonly #network: VirtualNetwork;
  readonly #redis: VirtualRedis;
  readonly #nodes: SimulatedNode[];
  readonly #cuts = new Map<string, number>();
  /** The last connection that has spoken to Neuro. */
  #speaker: Pipe | undefined;

  constructor(seed: number, mutation: WholeMutation = "none") {
    this.#random = new Random(seed);
    this.#mutation = mutation;
    this.#redis = new VirtualRedis(this.#world, this.#random.branch());
    this.#network = new VirtualNetwork({
      world: this.#world,
      random: this.#random.branch(),
      cutUntil: (one, other) => one === undefined || other === undefined ? 0 : this.#cuts.get(pairOf(one, other)) ?? 0,
      written: (pipe) => this.#written(pipe),
    });
    this.#nodes = Array.from({ length: NODES }, (_, index) => {
      const rate = 1 + this.#random.between(-200, 200) / 10_000;
      const machine = new VirtualMachine(`n${index}`, rate, this.#random.between(-3_000, 3_000), this.#world);
      return { machine, node: undefined, sockets: new Set() };
    });
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
    const environment = (): FakeEnvironment => ({
      clock: this.#world as unknown as VirtualClock, // Why the casts: the fakes use only what these have.
      random: random.branch(),
      network: this.#clients() as unknown as Network,
    });
    const neuro = new FakeNeuro(this.#world as unknown as VirtualClock, random.branch(), {
      ...{
        actsEveryMs: random.pick(1_000, 3_000),
        thinkMinMs: 50,
        thinkMaxMs: 1_000,
        restartsIds: false,
        introduces: true,
      },
    });
    this.#network.listen(undefined, () => this.#acceptAtNeuro(neuro), NEURO_PORT);
    const games = ["Chess", "Pong", "Slay"].map((name) =>
      new FakeGame(name, {
        actions: ["wave", `only_${name.toLowerCase()}`].map((action) => ({ name: action, description: `Does ${action}.` })),
        behavior: {
          ...{ startsEachTime: random.chance(0.5), answers: "all", fails: 0.1, answerMinMs: 1, answerMaxMs: 200 },
          ...{ isSloppy: false, everyMs: random.pick(500, 2_000), disposes: false },
        },
      }, environment())
    );
    const lights = new FakeIntegration("lights", {
      actions: [],
      behavior: { token: PUBLISHED_TOKEN, acks: true, forgets: 0 },
    }, environment());
    const watcher = new FakeWatcher("eye", { token: PUBLISHED_TOKEN, targets: ["lights"], everyMs: 500 }, environment());
    const peers = [...games, lights, watcher];
    for (const node of this.#nodes) await this.#start(node);
    await this.#world.advance(3_000);
    for (const peer of peers) {
      peer.returnMs = 500;
      peer.connect();
    }
    const end = this.#world.now + FAULTY_MS;
    while (this.#world.now < end) {
      await this.#world.advance(random.between(300, 4_000));
      await this.#injectFault();
    }
    watcher.everyMs = 0;
    await this.#recover();
    for (const game of games) game.behavior = { ...game.behavior, everyMs: 0, fails: 0 };
    await this.#world.advance(CALM_MS);
    this.violations.push(
      ...neuro.violations.filter((text) => !isOfDelay(text)),
      ...peers.flatMap(({ violations }) => violations),
    );
    // Why several times: a relay may just have moved to the node that is first for it.
    let atEnd = this.#endViolations(neuro, games, peers);
    for (let again = 0; again < 4 && atEnd.length > 0; again++) {
      await this.#world.advance(5_000);
      atEnd = this.#endViolations(neuro, games, peers);
    }
    this.violations.push(...atEnd);
    this.#checkCommands(watcher, lights);
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
      "nakurity-clients": [{
        ...UPSTREAM_DEFAULTS,
        url: `ws://127.0.0.1:${NEURO_PORT}`,
        backoff: { base: 100, cap: 1_000 },
        dial_timeout: 2_000,
      }],
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
              this.#mutation === "fence-above-batching" && endpoint.port === NEURO_PORT ? batched(stream, machine) : stream,
            ),
          received: (bytes) => listener.received(bytes),
          drained: () => listener.drained(),
          closed: (reason) => listener.closed(reason),
        }),
      writeOutput: () => Promise.resolve(0),
    };
  }

  /** A node has written to Neuro. */
  #written(pipe: Pipe): void {
    if (pipe.server.machine !== undefined) return;
    if (pipe.frames++ === 0) return; // The request of the handshake.
    this.frames++;
    const speaker = this.#speaker;
    if (speaker !== undefined && speaker !== pipe && speaker.client !== pipe.client && pipe.openedAt < speaker.openedAt) {
      this.violations.push(
        `at ${this.#world.now} ${pipe.client.name} writes to Neuro after ${speaker.client.name} has begun`,
      );
    }
    if (speaker !== pipe) this.speakers++;
    if (speaker === undefined || pipe.openedAt >= speaker.openedAt) this.#speaker = pipe;
  }

  #acceptAtNeuro(neuro: FakeNeuro): ConnectionHandler {
    const end = new ClientSocketEnd();
    return {
      greets: false,
      open: (socket) => {
        end.isOpen = true;
        end.sends = (frame) => socket.write([frame]);
        end.closes = (code) => socket.close(code, "");
        end.cuts = () => socket.terminate();
        neuro.accept(end);
      },
      message: (frame) => end.onFrame(frame),
      close: (code) => end.closed(code),
      buffered() {},
      drain() {},
      pong() {},
      controlFrame() {},
    };
  }

  /** The network as the fakes see it: each client has a node, the next one when it connects again. */
  #clients(): Pick<Network, "connect"> {
    let next = this.#random.between(0, NODES - 1);
    return {
      connect: (listener: ListenerName): TestSocket => {
        const end = new ClientSocketEnd();
        const simulated = this.#nodes[next++ % NODES];
        this.#world.schedule(this.#random.between(0, 5), () => this.#open(listener, end, simulated), undefined);
        return end;
      },
    };
  }

  #open(listener: ListenerName, end: ClientSocketEnd, simulated: SimulatedNode | undefined): void {
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
      const request = new Request("http://127.0.0.1/", { headers: { upgrade: "websocket", host: "127.0.0.1" } });
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
    const until = (maxMs: number): number => this.#world.now + random.between(100, maxMs);
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

  #endViolations(
    neuro: FakeNeuro,
    games: readonly FakeGame[],
    peers: readonly { readonly name: string; readonly isConnected: boolean }[],
  ): readonly string[] {
    const found: string[] = [];
    if (!neuro.isConnected) found.push("in the end nobody is connected to Neuro");
    const offline = peers.filter(({ isConnected }) => !isConnected).map(({ name }) => name);
    if (offline.length > 0) found.push(`in the end ${offline} are not connected`);
    const wanted = new Set(games.flatMap(({ registered }) => [...registered.keys()]));
    const known = [...neuro.actions.keys()];
    const missing = [...wanted].filter((name) => !known.some((one) => one.endsWith(name)));
    if (missing.length > 0) found.push(`in the end Neuro does not know ${missing}, only ${known}`);
    const { own, nodes } = this.#redis.directory;
    if (!nodes.has(own.get("default")?.session ?? "")) found.push("in the end no member owns the relay");
    return found;
  }

  #checkCommands(watcher: FakeWatcher, lights: FakeIntegration): void {
    const seen = new Map<number, number>();
    for (const { cmd, isRepeat } of lights.received) {
      const { number } = cmd as { readonly number: number };
      if (!isRepeat) seen.set(number, (seen.get(number) ?? 0) + 1);
      else if (!seen.has(number)) seen.set(number, 0);
    }
    for (const { number, status } of watcher.commands.values()) {
      if (status === "queued" && !seen.has(number)) this.violations.push(`command ${number} was queued and never arrived`);
      if ((seen.get(number) ?? 0) > 1) this.violations.push(`command ${number} arrived twice without redelivered`);
    }
  }
}

/** Neuro waits 20 s for a result; faults that add up can last longer. */
const isOfDelay = (violation: string): boolean => /no result for .* in time/.test(violation);

const pairOf = (one: Machine, other: Machine): string => [one.name, other.name].sort().join(" ");

/** A socket that a fake holds. */
class ClientSocketEnd implements TestSocket {
  isOpen = false;
  onOpen: () => void = () => {};
  onFrame: TestSocket["onFrame"] = () => {};
  onClose: (code: number) => void = () => {};
  sends: TestSocket["send"] = () => {};
  closes: (code: number) => void = () => {};
  cuts: () => void = () => {};

  send(frame: Parameters<TestSocket["send"]>[0]): void {
    if (this.isOpen) this.sends(frame);
  }

  close(): void {
    if (!this.isOpen) return;
    this.closes(1000);
    this.closed(1000);
  }

  cut(): void {
    if (!this.isOpen) return;
    this.cuts();
    this.closed(1006);
  }

  closed(code: number): void {
    this.isOpen = false;
    const { onClose } = this;
    this.onClose = () => {};
    onClose(code);
  }
}

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
