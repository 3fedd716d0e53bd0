/**
 * A process that sends chaotic input to all listeners of a relay over real sockets, and plays a hostile Neuro. Why a process of its own:
 * its work must not delay the clients whose round trips are measured.
 *
 * Its argument is an `Attack` as JSON; it prints the number of inputs of each kind.
 */
import { argv } from "node:process";
import type { ServerWebSocket } from "bun";
import type { Frame } from "../../../src/core/json.ts";
import { Random } from "../../../src/testing/random.ts";
import { mutatedFrame, type Vocabulary } from "../mutate.ts";
import { mutatedRequest } from "../mutated-request.ts";
import { type FuzzTarget, TARGETS } from "../targets.ts";
import { GAME, UPSTREAM } from "../valid-messages.ts";
import { chaoticFrames, messageFrame } from "./raw-frames.ts";
import { RawPeer } from "./raw-peer.ts";

/** Ports of the listeners that an attack uses. */
export interface AttackedPorts {
  readonly intermediary: number;
  readonly neuro: number;
  readonly brain: number;
  readonly proxy: number;
  readonly web: number;
}

export interface Attack {
  readonly ports: AttackedPorts;
  /** The port that the hostile Neuro listens on. */
  readonly neuroPort: number;
  readonly inputs: number;
  readonly seed: number;
}

export type InputKind = "messages" | "frames" | "requests" | "garbage" | "from Neuro";

const STRANGERS = 24;
const HEARD_MAX = 30;
/** Inputs of one connection, at most. */
const INPUTS_MAX = 300;
const GREETED = TARGETS.filter(({ listener }) => listener !== undefined);
const PROXY: FuzzTarget = { name: "proxy", listener: "proxy", phrases: GAME };

class Attacker {
  readonly counts: Record<InputKind, number> = { messages: 0, frames: 0, requests: 0, garbage: 0, "from Neuro": 0 };
  readonly #attack: Attack;
  readonly #heard: string[] = [];
  #left: number;

  constructor(attack: Attack) {
    this.#attack = attack;
    this.#left = attack.inputs;
  }

  async run(): Promise<void> {
    const { neuroPort, seed } = this.#attack;
    const random = new Random(seed);
    const links = new Set<ServerWebSocket>();
    const neuro = Bun.serve({
      hostname: "127.0.0.1",
      port: neuroPort,
      fetch: (request, server) => server.upgrade(request) ? undefined : new Response(null, { status: 400 }),
      websocket: {
        open: (socket) => void links.add(socket),
        message: (_, text) => this.#listen(String(text)),
        close: (socket) => void links.delete(socket),
      },
    });
    const strangers = Array.from({ length: STRANGERS }, () => this.#stranger(random.branch()));
    await Promise.all([...strangers, this.#neuro(links, random.branch())]);
    await neuro.stop(true);
  }

  #count(kind: InputKind): boolean {
    if (this.#left <= 0) return false;
    this.#left--;
    this.counts[kind]++;
    return true;
  }

  async #stranger(random: Random): Promise<void> {
    while (this.#left > 0) {
      const lot = random.fraction();
      if (lot < 0.35) await this.#talk(random);
      else if (lot < 0.75) await this.#request(random);
      else await this.#garble(random);
    }
  }

  /** Connects from one of a few addresses, or from any other one. */
  #connect(listener: keyof AttackedPorts, random: Random): Promise<RawPeer | undefined> {
    const from = random.chance(0.8)
      ? `127.0.0.${random.between(2, 9)}`
      : `127.${random.between(1, 250)}.${random.between(0, 250)}.${random.between(1, 250)}`;
    return RawPeer.open({ port: this.#attack.ports[listener], from });
  }

  /** A WebSocket connection with messages and broken frames. */
  async #talk(random: Random): Promise<void> {
    const target = random.chance(0.1) ? PROXY : random.oneOf(GREETED) ?? PROXY;
    const listener = target.listener as keyof AttackedPorts;
    const isOnWeb = listener !== "proxy" && random.chance(0.2);
    const prefix = isOnWeb ? `/${listener}` : "";
    const path = `${prefix}${random.pick("/", "/", "/", `/game/chaos-${random.between(0, 9)}`, "/game/x/voice")}`;
    const peer = await this.#connect(isOnWeb ? "web" : listener, random);
    if (peer === undefined || !await peer.upgrade(path)) return peer?.drop(false);
    const { greeting, phrases } = target;
    if (greeting !== undefined) {
      await peer.write(messageFrame(JSON.stringify({ ...greeting, name: `chaos-${random.between(0, 99)}` })));
    }
    const vocabulary = { phrases, heard: this.#heard };
    const isChaotic = random.chance(0.5);
    for (let count = random.between(1, INPUTS_MAX); count > 0 && peer.isOpen; count--) {
      if (random.chance(0.002)) peer.pause();
      if (!await this.#say(peer, vocabulary, { random, isChaotic })) break;
      this.#listen(peer.take());
    }
    await this.#leave(peer, random);
  }

  async #say(peer: RawPeer, vocabulary: Vocabulary, { random, isChaotic }: Manner): Promise<boolean> {
    const isBroken = isChaotic && random.chance(0.3);
    if (!this.#count(isBroken ? "frames" : "messages")) return false;
    const message: Frame = mutatedFrame(random, vocabulary);
    const isRead = await peer.write(isBroken ? chaoticFrames(message, random) : messageFrame(message));
    if (random.chance(0.05)) await pause(random.pick(0, 1, 20));
    return isRead;
  }

  async #leave(peer: RawPeer, random: Random): Promise<void> {
    if (random.chance(0.2)) await pause(random.between(0, 1_000));
    if (random.chance(0.5)) return peer.drop(random.chance(0.5));
    peer.end();
    await pause(random.between(0, 200));
    peer.drop(false);
  }

  /** Requests on one connection, pipelined or not. */
  async #request(random: Random): Promise<void> {
    const first = mutatedRequest(random);
    const peer = await this.#connect(first.listener, random);
    for (let count = random.between(1, 30); peer?.isOpen === true && count > 0; count--) {
      if (!this.#count("requests")) break;
      const { path, method, headers, body } = count === 1 ? first : mutatedRequest(random);
      const fields = Object.entries({ host: "127.0.0.1", ...headers, ...(body !== undefined && lengthOf(body)) });
      const text = `${method} ${path} HTTP/1.1\r\n${fields.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n${
        body ?? ""
      }`;
      await peer.write(random.chance(0.05) ? text.slice(0, random.between(0, text.length)) : text);
      if (random.chance(0.7)) await pause(random.pick(0, 1, 5));
      peer.take();
    }
    if (peer !== undefined) await this.#leave(peer, random);
  }

  /** Bytes that are no request, parts of one, or nothing. */
  async #garble(random: Random): Promise<void> {
    const peer = await this.#connect(random.pick("intermediary", "neuro", "brain", "proxy", "web"), random);
    if (peer === undefined || !this.#count("garbage")) return peer?.drop(false);
    const bytes = Uint8Array.from({ length: random.between(0, 2_000) }, () => random.between(0, 255));
    const lines = Array.from(
      { length: random.between(1, 200) },
      (_, at) => `x-${at}: ${"y".repeat(random.between(0, 500))}`,
    );
    await peer.write(
      random.pick<Uint8Array | string>(bytes, "", "GET /", `GET / HTTP/1.1\r\n${lines.join("\r\n")}`, "\r\n".repeat(99)),
    );
    await pause(random.pick(0, 0, 50, 2_000));
    await this.#leave(peer, random);
  }

  /** The hostile Neuro: a few inputs at a time, whenever the relay is connected. */
  async #neuro(links: ReadonlySet<ServerWebSocket>, random: Random): Promise<void> {
    while (this.#left > 0) {
      for (const link of links) {
        for (let count = random.between(1, 20); count > 0 && this.#count("from Neuro"); count--) {
          const frame = mutatedFrame(random, { phrases: UPSTREAM, heard: this.#heard });
          link.send(typeof frame === "string" ? frame : new Uint8Array(frame));
        }
        if (random.chance(0.02)) link.terminate();
      }
      await pause(random.between(5, 20));
    }
  }

  /** Remembers ids and names in what the relay sent. */
  #listen(text: string): void {
    for (const [, word = ""] of text.matchAll(/"(?:id|name|session_id)":"([^"\\]{1,80})"/g)) this.#heard.push(word);
    this.#heard.splice(0, this.#heard.length - HEARD_MAX);
  }
}

interface Manner {
  readonly random: Random;
  /** Some frames are ones that the protocol forbids. */
  readonly isChaotic: boolean;
}

const lengthOf = (body: string): Readonly<Record<string, string>> => ({
  "content-length": String(new TextEncoder().encode(body).length),
});

// Why a real clock: a real process is tested.
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const attacker = new Attacker(JSON.parse(argv[2] ?? "{}"));
await attacker.run();
console.log(JSON.stringify(attacker.counts));
process.exit(0);
