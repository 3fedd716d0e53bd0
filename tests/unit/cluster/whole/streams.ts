/**
 * TCP in virtual time: bytes arrive in order, late, or when a partition is over. A server answers the handshake of a WebSocket and reads its frames, so the
 * dialer, its batching and the output fence of a node are the real ones.
 */
import { createHash } from "node:crypto";
import type { Millis } from "../../../../src/core/ids.ts";
import type { Frame } from "../../../../src/core/json.ts";
import type { ConnectionHandler, ServerSocket } from "../../../../src/runtimes/connections.ts";
import type { ByteStream, ByteStreamListener, Endpoint } from "../../../../src/websocket-client/raw-socket.ts";
import type { Random } from "../../../../src/testing/random.ts";
import type { Machine, Machines } from "./machines.ts";

type Side = "client" | "server";

/** Accepts a handshake: returns the handler of the socket, or undefined. */
export type AcceptSocket = (path: string, headers: ReadonlyMap<string, string>) => ConnectionHandler | undefined;

export interface VirtualServer {
  readonly machine: Machine | undefined;
  readonly process: number;
  accept: AcceptSocket;
}

export interface NetworkPorts {
  readonly world: Machines;
  readonly random: Random;
  /** Until when nothing passes between two machines. */
  cutUntil(one: Machine | undefined, other: Machine | undefined): Millis;
  /** A machine has written to a server that is no node. */
  written(pipe: Pipe): void;
}

const END = 2;
const TEXT = 1;
const CLOSE = 8;
const PING = 9;
const PONG = 10;

export class VirtualNetwork {
  readonly servers = new Map<number, VirtualServer>();
  readonly ports: NetworkPorts;
  readonly pipes = new Set<Pipe>();
  #port = 20_000;

  constructor(ports: NetworkPorts) {
    this.ports = ports;
  }

  /** Opens a server; its port is returned. */
  listen(machine: Machine | undefined, accept: AcceptSocket, port = ++this.#port): number {
    this.servers.set(port, { machine, process: machine?.process ?? 0, accept });
    return port;
  }

  /** `connect` of a runtime on this machine. */
  connect(machine: Machine, { port }: Endpoint, listener: ByteStreamListener): () => void {
    const { world, random } = this.ports;
    const server = this.servers.get(port);
    let isCancelled = false;
    const cut = this.ports.cutUntil(machine, server?.machine) - world.now;
    machine.after(Math.max(0, cut) + random.between(0, 3), () => {
      if (isCancelled) return;
      const isListening = server !== undefined && server.process === (server.machine?.process ?? 0);
      if (!isListening) return listener.closed("refused");
      const pipe = new Pipe(machine, server, listener, this);
      this.pipes.add(pipe);
      listener.connected(pipe.streamOf("client"));
    });
    return () => {
      isCancelled = true;
    };
  }

  /** The process of a machine has ended: its connections are reset, and its servers are gone. */
  reset(machine: Machine): void {
    for (const pipe of [...this.pipes]) {
      if (pipe.client === machine) pipe.breakFor("server");
      else if (pipe.server.machine === machine) pipe.breakFor("client");
    }
  }
}

/** One connection. */
export class Pipe {
  readonly client: Machine;
  readonly server: VirtualServer;
  readonly openedAt: Millis;
  /** The frames that the client has written. */
  frames = 0;
  readonly #network: VirtualNetwork;
  readonly #clientProcess: number;
  readonly #listener: ByteStreamListener;
  readonly #socket: ServerEnd;
  #isOpen = true;
  /** When the last bytes in this direction arrive. */
  readonly #at: Record<Side, Millis> = { client: 0, server: 0 };
  #isPaused = false;
  #kept: (() => void)[] = [];

  constructor(client: Machine, server: VirtualServer, listener: ByteStreamListener, network: VirtualNetwork) {
    this.client = client;
    this.server = server;
    this.openedAt = network.ports.world.now;
    this.#clientProcess = client.process;
    this.#listener = listener;
    this.#network = network;
    this.#socket = new ServerEnd(server, this.streamOf("server"));
  }

  streamOf(side: Side): ByteStream {
    const other = side === "client" ? "server" : "client";
    return {
      write: (bytes) => {
        if (!this.#isOpen) return bytes.length;
        if (side === "client") this.#network.ports.written(this);
        const copy = bytes.slice();
        this.#deliver(other, () => other === "server" ? this.#socket.received(copy) : this.#listener.received(copy));
        return bytes.length;
      },
      end: () => this.#deliver(other, () => this.#closed(other)),
      terminate: () => {
        if (!this.#isOpen) return;
        this.#isOpen = false;
        this.#network.pipes.delete(this);
        this.#later(other, () => other === "server" ? this.#socket.closed() : this.#listener.closed("reset"));
      },
      pause: () => {
        this.#isPaused = true;
      },
      resume: () => {
        this.#isPaused = false;
        for (const act of this.#kept.splice(0)) act();
      },
    };
  }

  /** The other end was killed. */
  breakFor(side: Side): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#network.pipes.delete(this);
    this.#later(side, () => side === "server" ? this.#socket.closed() : this.#listener.closed("reset"));
  }

  #closed(side: Side): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#network.pipes.delete(this);
    if (side === "server") this.#socket.closed();
    else this.#listener.closed("");
    const other = side === "client" ? "server" : "client";
    this.#later(other, () => other === "server" ? this.#socket.closed() : this.#listener.closed(""));
  }

  /** Why again after a partition: TCP repeats what was lost. */
  #deliver(side: Side, act: () => void): void {
    this.#later(side, () => {
      if (!this.#isOpen) return;
      if (side === "client" && this.#isPaused) this.#kept.push(act);
      else act();
    });
  }

  #later(side: Side, act: () => void): void {
    const { world, random, cutUntil } = this.#network.ports;
    const [machine, process] = side === "client"
      ? [this.client, this.#clientProcess]
      : [this.server.machine, this.server.process];
    const delay = random.chance(0.05) ? random.between(0, 200) : random.between(0, 3);
    this.#at[side] = Math.max(this.#at[side], world.now + delay);
    const arrive = (): void => {
      if (machine !== undefined && machine.process !== process) return;
      const cut = cutUntil(this.client, this.server.machine);
      if (cut <= world.now) return act();
      world.schedule(cut - world.now, arrive, machine);
    };
    world.schedule(this.#at[side] - world.now, arrive, machine);
  }
}

/** The server's end of a connection: reads the handshake, then frames of a client. */
class ServerEnd {
  readonly #server: VirtualServer;
  readonly #stream: ByteStream;
  #bytes = new Uint8Array();
  #handler: ConnectionHandler | undefined;
  #isOver = false;

  constructor(server: VirtualServer, stream: ByteStream) {
    this.#server = server;
    this.#stream = stream;
  }

  received(bytes: Uint8Array): void {
    if (this.#isOver) return;
    const joined = new Uint8Array(this.#bytes.length + bytes.length);
    joined.set(this.#bytes);
    joined.set(bytes, this.#bytes.length);
    this.#bytes = joined;
    if (this.#handler === undefined && !this.#handshake()) return;
    while (this.#readFrame());
  }

  closed(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#handler?.close(1006);
  }

  #handshake(): boolean {
    const text = new TextDecoder("latin1").decode(this.#bytes);
    const end = text.indexOf("\r\n\r\n");
    if (end < 0) return false;
    this.#bytes = this.#bytes.slice(end + 4);
    const [request = "", ...lines] = text.slice(0, end).split("\r\n");
    const headers = new Map(lines.map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
    }));
    const handler = this.#server.accept(request.split(" ")[1] ?? "/", headers);
    if (handler === undefined) {
      this.#write("HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n");
      this.#stream.end();
      return false;
    }
    const accept = createHash("sha1")
      .update(`${headers.get("sec-websocket-key")}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
    const head =
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}`;
    this.#write(`${head}\r\n\r\n`);
    this.#handler = handler;
    handler.open(this.#socket());
    return true;
  }

  #socket(): ServerSocket {
    return {
      write: (frames) => {
        for (const frame of frames) this.#send(typeof frame === "string" ? TEXT : END, frame);
        return 0;
      },
      close: (code) => {
        this.#send(CLOSE, Uint8Array.of(code >> 8, code & 255));
        this.#stream.end();
      },
      terminate: () => this.#stream.terminate(),
      ping: () => this.#send(PING, ""),
    };
  }

  #send(opcode: number, frame: Frame): void {
    if (this.#isOver) return;
    const payload = typeof frame === "string" ? new TextEncoder().encode(frame) : frame;
    const head = payload.length < 126
      ? Uint8Array.of(0x80 | opcode, payload.length)
      : payload.length < 65_536
      ? Uint8Array.of(0x80 | opcode, 126, payload.length >> 8, payload.length & 255)
      : Uint8Array.of(0x80 | opcode, 127, 0, 0, 0, 0, ...[24, 16, 8, 0].map((shift) => (payload.length >> shift) & 255));
    const bytes = new Uint8Array(head.length + payload.length);
    bytes.set(head);
    bytes.set(payload, head.length);
    this.#stream.write(bytes);
  }

  #write(text: string): void {
    this.#stream.write(new TextEncoder().encode(text));
  }

  /** Reads one masked frame; false if it is not complete. */
  #readFrame(): boolean {
    const bytes = this.#bytes;
    if (this.#isOver || bytes.length < 2) return false;
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    const opcode = (bytes[0] ?? 0) & 15;
    let [length, at] = [(bytes[1] ?? 0) & 127, 2];
    if (length === 126) {
      if (bytes.length < 4) return false;
      [length, at] = [view.getUint16(2), 4];
    } else if (length === 127) {
      if (bytes.length < 10) return false;
      [length, at] = [Number(view.getBigUint64(2)), 10];
    }
    if (bytes.length < at + 4 + length) return false;
    const mask = bytes.slice(at, at + 4);
    const payload = bytes.slice(at + 4, at + 4 + length).map((byte, index) => byte ^ (mask[index & 3] ?? 0));
    this.#bytes = bytes.slice(at + 4 + length);
    this.#handle(opcode, payload);
    return true;
  }

  #handle(opcode: number, payload: Uint8Array): void {
    const handler = this.#handler;
    if (handler === undefined) return;
    if (opcode === TEXT) return handler.message(new TextDecoder().decode(payload));
    if (opcode === END) return handler.message(payload);
    if (opcode === PING) return this.#send(PONG, payload);
    if (opcode === PONG) return handler.pong();
    if (opcode !== CLOSE) return;
    this.#isOver = true;
    handler.close(payload.length < 2 ? 1005 : new DataView(payload.buffer).getUint16(0));
    this.#stream.end();
  }
}
