/**
 * A process that takes as much of one listener as the relay gives: peers that fill every table at full speed and come back when they are
 * closed, and connections that say nothing. Its argument is an `Occupation` as JSON.
 */
import { argv } from "node:process";
import { PUBLISHED_TOKEN } from "../../src/core/defaults.ts";
import { Random } from "../../src/testing/random.ts";
import { mutatedRequest } from "../fuzz/mutated-request.ts";
import { messageFrame } from "../fuzz/sockets/raw-frames.ts";
import { RawPeer } from "../fuzz/sockets/raw-peer.ts";
import { BRAIN_TABLES, type Filler, GAME_TABLES, INTEGRATION_TABLES, text, WATCHER_TABLES } from "./memory.ts";

export type OccupiedListener = "intermediary" | "neuro" | "brain" | "proxy" | "web";

export interface Occupation {
  readonly listener: OccupiedListener;
  readonly port: number;
  /** Addresses of this machine that the connections come from. */
  readonly addresses: readonly string[];
  readonly peers: number;
  /** Connections that say nothing. */
  readonly silent: number;
  readonly ms: number;
}

const fillersOf = (tables: Readonly<Record<string, Filler>>): readonly Filler[] => Object.values(tables);
const FILLERS: Readonly<Record<OccupiedListener, readonly Filler[]>> = {
  intermediary: [...fillersOf(INTEGRATION_TABLES), ...fillersOf(WATCHER_TABLES)],
  neuro: fillersOf(GAME_TABLES),
  brain: fillersOf(BRAIN_TABLES),
  proxy: [(at) => text(at)],
  web: [],
};

async function fill({ listener, port, addresses, ms }: Occupation, number: number): Promise<void> {
  const random = new Random(number);
  const fillers = FILLERS[listener];
  const from = addresses[number % addresses.length] ?? "127.0.0.1";
  for (const end = performance.now() + ms; performance.now() < end;) {
    const peer = await RawPeer.open({ port, from });
    if (peer === undefined) {
      await pause(50);
      continue;
    }
    if (listener === "web") await request(peer, random, end);
    else if (await peer.upgrade("/")) await send(peer, fillers[number % fillers.length] ?? text, { listener, number, end });
    peer.drop(false);
  }
}

async function send(peer: RawPeer, filler: Filler, { listener, number, end }: Sending): Promise<void> {
  if (listener === "intermediary") {
    const type = number % FILLERS.intermediary.length < fillersOf(INTEGRATION_TABLES).length ? "integration" : "neuro-os";
    await peer.write(messageFrame(JSON.stringify({ type, name: `occupier-${number}`, auth_token: PUBLISHED_TOKEN })));
  }
  for (let at = 0; performance.now() < end && peer.isOpen; at++) {
    const message = filler(at);
    // Why no end when nothing is read: the relay delays games above their rate.
    await peer.write(messageFrame(typeof message === "string" ? message : JSON.stringify(message)));
    peer.take();
    if (at % 8 === 0) await pause(0);
  }
}

interface Sending {
  readonly listener: OccupiedListener;
  readonly number: number;
  readonly end: number;
}

async function request(peer: RawPeer, random: Random, end: number): Promise<void> {
  while (performance.now() < end && peer.isOpen) {
    const { path, method, body = "" } = mutatedRequest(random);
    await peer.write(`${method} ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
    peer.take();
    await pause(0);
  }
}

async function beSilent({ port, addresses, silent, ms, listener }: Occupation): Promise<void> {
  const held: RawPeer[] = [];
  for (let at = 0; at < silent; at++) {
    const peer = await RawPeer.open({ port, from: addresses[at % addresses.length] ?? "127.0.0.1" });
    if (peer === undefined) continue;
    held.push(peer);
    // Why half of them: a connection before its upgrade is limited by other means.
    if (at % 2 === 0 && listener !== "web") void peer.upgrade("/");
  }
  await pause(ms);
  for (const peer of held) peer.drop(false);
}

// Why a real clock: a real process is tested.
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const occupation: Occupation = JSON.parse(argv[2] ?? "{}");
const peers = Array.from({ length: occupation.peers }, (_, number) => fill(occupation, number));
await Promise.all([...peers, beSilent(occupation)]);
process.exit(0);
