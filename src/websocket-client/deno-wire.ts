/** Raw connections on Deno. */
import type { Place, WireListener } from "./dial-raw.ts";
import { errorText } from "../core/text.ts";

const READ_BYTES = 65_536;

/** Connects. */
export function connect(place: Place, listener: WireListener): void {
  carry(place, listener).then(
    () => listener.closed(""),
    (error: unknown) => listener.closed(errorText(error)),
  );
}

/** Resolves when the connection has ended. */
async function carry({ hostname, port, isEncrypted }: Place, listener: WireListener): Promise<void> {
  const connection = isEncrypted
    ? await Deno.connectTls({ hostname, port }).then(async (tls) => {
      await tls.handshake(); // Why: before it nobody knows whether the certificate is good.
      return tls;
    })
    : await Deno.connect({ hostname, port });
  if ("setNoDelay" in connection) connection.setNoDelay(true);
  const outlet = new Outlet(connection, () => listener.drained());
  try {
    listener.connected(outlet);
    for (;;) {
      const bytes = new Uint8Array(READ_BYTES);
      const count = await connection.read(bytes);
      if (count === null) return;
      listener.received(bytes.subarray(0, count));
    }
  } finally {
    outlet.cut();
  }
}

/** One write at a time; what comes meanwhile is not taken. */
class Outlet {
  readonly #connection: Deno.Conn;
  readonly #drained: () => void;
  #writing: Promise<void> | undefined;
  #isCut = false;

  constructor(connection: Deno.Conn, drained: () => void) {
    this.#connection = connection;
    this.#drained = drained;
  }

  write(bytes: Uint8Array<ArrayBuffer>): number {
    if (this.#writing !== undefined || this.#isCut) return 0;
    this.#writing = this.#writeAll(bytes.slice()).then(() => {
      this.#writing = undefined;
      this.#drained();
    }, () => this.cut());
    return bytes.length;
  }

  end(): void {
    if (this.#writing === undefined) this.cut();
    else void this.#writing.then(() => this.cut());
  }

  cut(): void {
    if (this.#isCut) return;
    this.#isCut = true;
    try {
      this.#connection.close();
    } catch {
      return; // Why: the other end was faster.
    }
  }

  async #writeAll(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) at += await this.#connection.write(bytes.subarray(at));
  }
}
