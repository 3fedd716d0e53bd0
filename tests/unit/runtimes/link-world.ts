/** A relay, programs that are linked to it, and a Neuro, in virtual time: every message is delivered when the test says so. */
import type { Frame } from "../../../src/core/json.ts";
import type { Observation } from "../../../src/core/observation.ts";
import type { ConnectionHandler } from "../../../src/runtimes/connections.ts";
import { LinkHub } from "../../../src/runtimes/link/hub.ts";
import { LinkDriver } from "../../../src/runtimes/link/link-driver.ts";
import { NeuroLink } from "../../../src/runtimes/link/neuro-link.ts";
import type { ClientSocket, ClientSocketListener, Dialer } from "../../../src/websocket-client/dialer.ts";
import { check } from "../../harness/check.ts";

const RELAY = "wss://relay.example/link/neuro";

type Delivery = () => void;

/** One connection of a program to the relay. What is sent waits until it is delivered, in order for each direction. */
class Wire implements ClientSocket {
  readonly toRelay: Delivery[] = [];
  readonly toProgram: Delivery[] = [];
  readonly #handler: ConnectionHandler;
  readonly #listener: ClientSocketListener;
  #isCut = false;
  #isClosedByProgram = false;

  constructor(world: LinkWorld, listener: ClientSocketListener) {
    this.#listener = listener;
    this.#handler = world.hub.admit("neuro", { address: "192.0.2.1" }, undefined);
    this.toRelay.push(() => {
      this.toProgram.push(() => this.#isClosedByProgram || listener.opened());
      this.#handler.open({
        write: (frames) => {
          for (const frame of frames) this.toProgram.push(() => this.#isClosedByProgram || listener.received(frame));
          return 0;
        },
        close: (code, reason) => {
          this.toProgram.push(() => this.#isClosedByProgram || listener.closed(code, reason));
          this.toRelay.push(() => this.#handler.close(code, reason));
        },
        terminate: () => {},
        ping: () => {},
      });
    });
  }

  send(frame: Frame): number {
    this.toRelay.push(() => this.#handler.message(frame));
    return 0;
  }

  close(code = 1000, reason = ""): void {
    this.#isClosedByProgram = true;
    this.toRelay.push(() => this.#handler.close(code, reason));
  }

  /** The connection breaks: nothing that is under way arrives. */
  cut(): void {
    if (this.#isCut) return;
    this.#isCut = true;
    this.toRelay.length = this.toProgram.length = 0;
    this.toRelay.push(() => this.#handler.close(1006));
    if (!this.#isClosedByProgram) this.toProgram.push(() => this.#listener.closed(1006, "cut"));
  }
}

/** One connection of a program to Neuro. */
class NeuroConnection implements ClientSocket {
  readonly received: Frame[] = [];
  readonly listener: ClientSocketListener;
  readonly headers: Readonly<Record<string, string>>;
  state: "dialing" | "open" | "closed" = "dialing";

  constructor(headers: Readonly<Record<string, string>>, listener: ClientSocketListener) {
    this.headers = headers;
    this.listener = listener;
  }

  send(frame: Frame): number {
    check.equal(this.state, "open", "a frame for a Neuro that is connected");
    this.received.push(frame);
    return 0;
  }

  close(): void {
    this.state = "closed";
  }

  accept(): void {
    if (this.state !== "dialing") return;
    this.state = "open";
    this.listener.opened();
  }

  end(code: number): void {
    if (this.state === "closed") return;
    this.state = "closed";
    this.listener.closed(code, "ended by Neuro");
  }
}

/** One dial of the relay. */
export class RelayDial {
  readonly number: number;
  readonly received: Frame[] = [];
  readonly sent: Frame[] = [];
  state: "dialing" | "open" | "closed" = "dialing";
  closes = 0;
  socket: ClientSocket | undefined;

  constructor(number: number) {
    this.number = number;
  }

  send(): void {
    if (this.state !== "open") return;
    const frame = `relay ${this.number} ${this.sent.length}`;
    this.sent.push(frame);
    this.socket?.send(frame);
  }

  close(): void {
    if (this.state === "closed") return;
    this.state = "closed";
    this.socket?.close(1000, "");
  }
}

export class LinkWorld {
  now = 1_000;
  readonly wires: Wire[] = [];
  readonly neuros: NeuroConnection[] = [];
  readonly dials: RelayDial[] = [];
  readonly observations: Observation[] = [];
  readonly reports: string[] = [];
  readonly hub: LinkHub = new LinkHub({
    now: () => this.now,
    afterTurn: (run) => run(),
    observe: (observation) => this.observations.push(observation),
  });
  readonly #timers = new Map<object, { at: number; tick(): void }>();
  readonly #dialer: Dialer = this.hub.dialer(() => {
    throw new Error("the relay dials nothing else");
  });
  #neuroFrames = 0;

  /** Starts a program. */
  startProgram(): LinkDriver {
    const options = { relayUrl: RELAY, token: "t", neuroUrl: "ws://neuro.example" };
    const machine = new NeuroLink({
      ...options,
      report: (line) => this.reports.push(line),
      replaced: () => this.reports.push("replaced"),
    });
    const driver = new LinkDriver(machine, {
      dial: ({ url, headers }, listener) => {
        if (url === RELAY) {
          const wire = new Wire(this, listener);
          this.wires.push(wire);
          return wire;
        }
        const neuro = new NeuroConnection(headers, listener);
        this.neuros.push(neuro);
        return neuro;
      },
      clock: (tick) => ({
        now: () => this.now,
        random: () => 0.5,
        secret: () => "",
        wake: (at) => void (at === undefined ? this.#timers.delete(options) : this.#timers.set(options, { at, tick })),
      }),
    });
    driver.run((ctx) => machine.start(ctx));
    return driver;
  }

  /** The relay dials, unless it is dialing or connected. */
  dial(): void {
    if (this.dials.at(-1)?.state === "dialing" || this.dials.at(-1)?.state === "open") return;
    const dial = new RelayDial(this.dials.length);
    this.dials.push(dial);
    dial.socket = this.#dialer({ url: "link:neuro", headers: { "Neuro-Relay-Via": "a, b" } }, {
      opened: () => {
        check.equal(dial.state, "dialing");
        dial.state = "open";
      },
      received: (frame) => {
        check.equal(dial.state, "open");
        dial.received.push(frame);
      },
      relieved: () => {},
      closed: () => {
        check.that(dial.state !== "closed", "closed once, and never after its close");
        dial.state = "closed";
        dial.closes++;
      },
    });
  }

  neuroSends(): void {
    const neuro = this.neuros.at(-1);
    if (neuro?.state === "open") neuro.listener.received(`neuro ${this.neuros.length} ${this.#neuroFrames++}`);
  }

  /** Delivers the next message of one direction of a connection. */
  deliver(wire: number, direction: "toRelay" | "toProgram"): void {
    this.wires.at(wire)?.[direction].shift()?.();
  }

  advance(ms: number): void {
    this.now += ms;
    for (const [key, { at, tick }] of [...this.#timers]) {
      if (at > this.now) continue;
      this.#timers.delete(key);
      tick();
    }
  }

  /** Delivers everything, lets Neuro accept, and lets the relay dial again, until nothing changes. */
  settle(): void {
    for (let rounds = 0, quiet = 0; quiet < 4; quiet++) {
      check.that(++rounds < 200, "it comes to rest");
      for (const wire of this.wires) {
        while (wire.toRelay.length + wire.toProgram.length > 0) {
          wire.toRelay.shift()?.();
          wire.toProgram.shift()?.();
          quiet = 0;
        }
      }
      for (const neuro of this.neuros) neuro.accept();
      this.dial();
      this.advance(11_000);
    }
  }
}
