/** TCP and TLS connections on Deno. */
import { errorText } from "../core/text.ts";
import type { ByteStream, ByteStreamListener, Endpoint } from "./raw-socket.ts";

const READ_BYTES = 65_536;

/** Connects. Returns a function that gives the attempt up. */
export function connect(endpoint: Endpoint, listener: ByteStreamListener): () => void {
  const attempt = new Attempt();
  readUntilEnd(endpoint, listener, attempt).then(
    () => listener.closed(""),
    (error: unknown) => listener.closed(errorText(error)),
  );
  return () => attempt.cancel();
}

/** A connection that is being established. Cancelling closes it, because a TLS handshake that the peer never answers has no end. */
class Attempt {
  #connection: Deno.Conn | undefined;
  #is: "pending" | "done" | "cancelled" = "pending";

  /** This connection is closed when the attempt is given up. */
  hold(connection: Deno.Conn): void {
    this.#connection = connection;
    if (this.#is === "cancelled") closeQuietly(connection);
  }

  finish(): void {
    if (this.#is === "pending") this.#is = "done";
  }

  cancel(): void {
    if (this.#is !== "pending") return;
    this.#is = "cancelled";
    if (this.#connection !== undefined) closeQuietly(this.#connection);
  }
}

function closeQuietly(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch {
    return; // Why: it is closed already.
  }
}

/** Resolves when the connection has ended. */
async function readUntilEnd(endpoint: Endpoint, listener: ByteStreamListener, attempt: Attempt): Promise<void> {
  const connection = await open(endpoint, attempt);
  attempt.finish();
  const stream = new DenoByteStream(connection, () => listener.drained());
  try {
    listener.connected(stream);
    for (;;) {
      const bytes = new Uint8Array(READ_BYTES);
      const count = await connection.read(bytes);
      if (count === null) return;
      listener.received(bytes.subarray(0, count));
    }
  } finally {
    stream.terminate();
  }
}

async function open(
  { hostname, port, isEncrypted }: Endpoint,
  attempt: Attempt,
): Promise<Deno.TcpConn | Deno.TlsConn> {
  const tcp = await Deno.connect({ hostname, port });
  attempt.hold(tcp);
  tcp.setNoDelay(true);
  if (!isEncrypted) return tcp;
  const tls = await Deno.startTls(tcp, { hostname });
  attempt.hold(tls);
  await tls.handshake(); // Why: the certificate is checked only here.
  return tls;
}

/** Writes one buffer at a time; while it does, it accepts no other. */
class DenoByteStream implements ByteStream {
  readonly #connection: Deno.Conn;
  readonly #drained: () => void;
  #writing: Promise<void> | undefined;
  #isClosed = false;

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

  terminate(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    closeQuietly(this.#connection);
  }

  async #writeAll(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) at += await this.#connection.write(bytes.subarray(at));
  }
}
