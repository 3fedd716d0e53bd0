/** TCP and TLS connections on Deno. */
import process from "node:process";
import { errorText } from "../core/text.ts";
import type { ByteStream, ByteStreamListener, Endpoint } from "./raw-socket.ts";

const READ_BYTES = 65_536;

/** Connects. Returns a function that gives the attempt up. */
export const connect = (endpoint: Endpoint, listener: ByteStreamListener): () => void =>
  endpoint.isEncrypted ? connectTls(endpoint, listener) : connectTcp(endpoint, listener);

function connectTcp(endpoint: Endpoint, listener: ByteStreamListener): () => void {
  const attempt = new AbortController();
  readUntilEnd(endpoint, listener, attempt.signal).then(
    () => listener.closed(""),
    (error: unknown) => listener.closed(errorText(error)),
  );
  return () => attempt.abort();
}

/** Resolves when the connection has ended. */
async function readUntilEnd(
  { hostname, port }: Endpoint,
  listener: ByteStreamListener,
  signal: AbortSignal,
): Promise<void> {
  const connection = await Deno.connect({ hostname, port, signal });
  connection.setNoDelay(true);
  const stream = new TcpByteStream(connection, () => listener.drained());
  try {
    listener.connected(stream);
    const bytes = new Uint8Array(READ_BYTES); // Why one: a new one for each read takes four times as long as the read.
    for (;;) {
      const count = await connection.read(bytes);
      if (count === null) return;
      listener.received(bytes.subarray(0, count));
      await stream.resumed;
    }
  } finally {
    stream.terminate();
  }
}

/** Writes one buffer at a time; while it does, it accepts no other. */
class TcpByteStream implements ByteStream {
  readonly #connection: Deno.Conn;
  readonly #drained: () => void;
  #writing: Promise<void> | undefined;
  #isClosed = false;
  #paused: PromiseWithResolvers<void> | undefined;

  constructor(connection: Deno.Conn, drained: () => void) {
    this.#connection = connection;
    this.#drained = drained;
  }

  write(bytes: Uint8Array<ArrayBuffer>): number {
    if (this.#writing !== undefined || this.#isClosed) return 0;
    this.#writing = this.#writeAll(bytes.slice()).then(() => {
      this.#writing = undefined;
      this.#drained();
    }, () => this.terminate());
    return bytes.length;
  }

  end(): void {
    if (this.#writing === undefined) this.terminate();
    else void this.#writing.then(() => this.terminate());
  }

  /** Undefined unless it is paused. */
  get resumed(): Promise<void> | undefined {
    return this.#paused?.promise;
  }

  pause(): void {
    this.#paused ??= Promise.withResolvers();
  }

  resume(): void {
    this.#paused?.resolve();
    this.#paused = undefined;
  }

  terminate(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.resume();
    try {
      this.#connection.close();
    } catch {
      return; // Why: the peer has closed it already.
    }
  }

  async #writeAll(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) at += await this.#connection.write(bytes.subarray(at));
  }
}

/** Why Node's TLS: Deno's own connection cannot be closed before its handshake has ended, and would hold its socket forever. */
function connectTls({ hostname, port }: Endpoint, listener: ByteStreamListener): () => void {
  const { connect } = process.getBuiltinModule("node:tls");
  let failure = "";
  let isBlocked = false;
  const socket = connect({ host: hostname, port, servername: /^[\d.]+$|:/.test(hostname) ? "" : hostname });
  socket.setNoDelay(true);
  const stream: ByteStream = {
    write(bytes) {
      if (isBlocked) return 0;
      isBlocked = !socket.write(bytes.slice());
      return bytes.length;
    },
    end: () => void socket.end(),
    terminate: () => void socket.destroy(),
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
  };
  socket.on("secureConnect", () => listener.connected(stream));
  socket.on("data", (bytes: Uint8Array) => listener.received(bytes));
  socket.on("drain", () => {
    isBlocked = false;
    listener.drained();
  });
  socket.on("error", (error: Error) => void (failure = error.message));
  socket.on("close", () => listener.closed(failure));
  return () => void socket.destroy();
}
