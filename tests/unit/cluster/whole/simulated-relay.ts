/** One relay of a simulated cluster: its Neuro, its clients, and what must hold for it whichever node owns it. */
import { PUBLISHED_TOKEN } from "../../../../src/core/defaults.ts";
import type { ConnectionHandler } from "../../../../src/runtimes/connections.ts";
import type { VirtualClock } from "../../../../src/testing/clock.ts";
import { FakeGame } from "../../../../src/testing/fakes/game.ts";
import { FakeIntegration } from "../../../../src/testing/fakes/integration.ts";
import { FakeNeuro } from "../../../../src/testing/fakes/neuro.ts";
import type { FakeEnvironment } from "../../../../src/testing/fakes/peer.ts";
import { FakeWatcher } from "../../../../src/testing/fakes/watcher.ts";
import type { TestSocket } from "../../../../src/testing/network.ts";
import type { Random } from "../../../../src/testing/random.ts";
import type { SimulatedDirectory } from "../simulated-directory.ts";
import type { Machines } from "./machines.ts";
import type { Pipe } from "./streams.ts";

export interface SimulatedRelayPlan {
  readonly name: string;
  /** Where its Neuro listens. */
  readonly port: number;
  readonly games: readonly string[];
}

export class SimulatedRelay {
  readonly plan: SimulatedRelayPlan;
  readonly violations: string[] = [];
  /** Frames that nodes have written to its Neuro, and connections that they opened. */
  frames = 0;
  speakers = 0;
  readonly #neuro: FakeNeuro;
  readonly #games: readonly FakeGame[];
  readonly #lights: FakeIntegration;
  readonly #watcher: FakeWatcher;
  readonly #world: Machines;
  /** The last connection that has spoken to Neuro. */
  #speaker: Pipe | undefined;

  constructor(plan: SimulatedRelayPlan, random: Random, world: Machines, environment: () => FakeEnvironment) {
    this.plan = plan;
    this.#world = world;
    this.#neuro = new FakeNeuro(world as unknown as VirtualClock, random.branch(), {
      ...{ actsEveryMs: random.pick(1_000, 3_000), thinkMinMs: 50, thinkMaxMs: 1_000 },
      ...{ restartsIds: false, introduces: true },
    });
    this.#games = plan.games.map((name) =>
      new FakeGame(name, {
        actions: ["wave", `only_${name.toLowerCase()}`].map((action) => ({ name: action, description: `Does ${action}.` })),
        behavior: {
          ...{ startsEachTime: random.chance(0.5), answers: "all", fails: 0.1, answerMinMs: 1, answerMaxMs: 200 },
          ...{ isSloppy: false, everyMs: random.pick(500, 2_000), disposes: false },
        },
      }, environment())
    );
    const behavior = { token: PUBLISHED_TOKEN, acks: true, forgets: 0 };
    this.#lights = new FakeIntegration("lights", { actions: [], behavior }, environment());
    this.#watcher = new FakeWatcher("eye", { token: PUBLISHED_TOKEN, targets: ["lights"], everyMs: 500 }, environment());
  }

  get #peers(): readonly (FakeGame | FakeIntegration | FakeWatcher)[] {
    return [...this.#games, this.#lights, this.#watcher];
  }

  connect(): void {
    for (const peer of this.#peers) {
      peer.returnMs = 500;
      peer.connect();
    }
  }

  /** No command is sent any more. */
  endCommands(): void {
    this.#watcher.everyMs = 0;
  }

  /** Games say nothing by themselves any more. */
  calm(): void {
    for (const game of this.#games) game.behavior = { ...game.behavior, everyMs: 0, fails: 0 };
  }

  /** A node has written to Neuro. */
  written(pipe: Pipe): void {
    if (pipe.frames++ === 0) return; // The request of the handshake.
    this.frames++;
    const speaker = this.#speaker;
    if (speaker !== undefined && speaker !== pipe && speaker.client !== pipe.client && pipe.openedAt < speaker.openedAt) {
      this.#violated(`${pipe.client.name} writes to Neuro after ${speaker.client.name} has begun`);
    }
    if (speaker !== pipe) this.speakers++;
    if (speaker === undefined || pipe.openedAt >= speaker.openedAt) this.#speaker = pipe;
  }

  /** A connection to Neuro. */
  acceptAtNeuro(): ConnectionHandler {
    const end = new ClientSocketEnd();
    return {
      greets: false,
      open: (socket) => {
        end.isOpen = true;
        end.sends = (frame) => socket.write([frame]);
        end.closes = (code) => socket.close(code, "");
        end.cuts = () => socket.terminate();
        this.#neuro.accept(end);
      },
      message: (frame) => end.onFrame(frame),
      close: (code) => end.closed(code),
      buffered() {},
      drain() {},
      pong() {},
      controlFrame() {},
    };
  }

  /** What the fakes have found. */
  get protocolViolations(): readonly string[] {
    const found = [
      ...this.#neuro.violations.filter((text) => !isOfDelay(text)),
      ...this.#peers.flatMap((peer) => peer.violations),
    ];
    return found.map((text) => `${this.plan.name}: ${text}`);
  }

  /** What is missing after a while without faults. */
  endViolations({ own, nodes }: SimulatedDirectory): readonly string[] {
    const found: string[] = [];
    if (!this.#neuro.isConnected) found.push("nobody is connected to Neuro");
    const offline = this.#peers.filter(({ isConnected }) => !isConnected).map(({ name }) => name);
    if (offline.length > 0) found.push(`${offline} are not connected`);
    const wanted = new Set(this.#games.flatMap(({ registered }) => [...registered.keys()]));
    const known = [...this.#neuro.actions.keys()];
    const missing = [...wanted].filter((name) => !known.some((one) => one.endsWith(name)));
    if (missing.length > 0) found.push(`Neuro does not know ${missing}, only ${known}`);
    if (!nodes.has(own.get(this.plan.name)?.session ?? "")) found.push("no member owns the relay");
    return found.map((text) => `${this.plan.name}: in the end, at ${this.#world.now}, ${text}`);
  }

  checkCommands(): void {
    const seen = new Map<number, number>();
    for (const { cmd, isRepeat } of this.#lights.received) {
      const { number } = cmd as { readonly number: number };
      if (!isRepeat) seen.set(number, (seen.get(number) ?? 0) + 1);
      else if (!seen.has(number)) seen.set(number, 0);
    }
    for (const { number, status } of this.#watcher.commands.values()) {
      if (status === "queued" && !seen.has(number)) this.#violated(`command ${number} was queued and never arrived`);
      if ((seen.get(number) ?? 0) > 1) this.#violated(`command ${number} arrived twice without redelivered`);
    }
  }

  /** Commands that arrived so far. */
  get commandsReceived(): number {
    return this.#lights.received.length;
  }

  /** Everything was acknowledged before: nothing may have arrived since then. */
  checkNothingSince(count: number): void {
    for (const { cmd } of this.#lights.received.slice(count)) {
      this.#violated(`${JSON.stringify(cmd)} arrives again, after it was acknowledged and all nodes were started again`);
    }
  }

  #violated(what: string): void {
    this.violations.push(`${this.plan.name}: at ${this.#world.now} ${what}`);
  }
}

/** Neuro waits 20 s for a result; faults that add up can last longer. */
const isOfDelay = (violation: string): boolean => /no result for .* in time/.test(violation);

/** A socket that a fake holds. */
export class ClientSocketEnd implements TestSocket {
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
