/** TCP and TLS connections on Deno. */
import { errorText } from "../core/text.ts";
import type { ByteStream, ByteStreamListener, Endpoint } from "./raw-socket.ts";

const READ_BYTES = 65_536;

/** Connects. */
export function connect(endpoint: Endpoint, listener: ByteStreamListener): void {
  readUntilEnd(endpoint, listener).then(
    () => listener.closed(""),
    (error: unknown) => listener.closed(errorText(error)),
  );
}

/** Resolves when the connection has ended. */
async function readUntilEnd(endpoint: Endpoint, listener: ByteStreamListener): Promise<void> {
  const connection = await open(endpoint);
  if ("setNoDelay" in connection) connection.setNoDelay(true);
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

async function open({ hostname, port, isEncrypted }: Endpoint): Promise<Deno.TcpConn | Deno.TlsConn> {
  if (!isEncrypted) return await Deno.connect({ hostname, port });
  const connection = await Deno.connectTls({ hostname, port });
  await connection.handshake(); // Why: the certificate is checked only here.
  return connection;
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
