/** A TCP connection that says anything: requests and WebSocket frames, well-formed or not. Nothing about it can fail its caller. */
import { connect, type Socket } from "node:net";

export interface Endpoint {
  readonly port: number;
  /** The address of this machine that the connection comes from. */
  readonly from: string;
}

/** Bytes of the replies that are kept. */
const HEARD_BYTES_MAX = 65_536;
/** How long a write may wait until the relay reads. */
const WRITE_MS = 500;

export class RawPeer {
  readonly #socket: Socket;
  #heard = "";
  #isOpen = true;
  #wake: () => void = () => {};

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on("data", (bytes) => {
      this.#heard = (this.#heard + bytes.toString("latin1")).slice(-HEARD_BYTES_MAX);
      this.#wake();
    });
    socket.on("drain", () => this.#wake());
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      this.#isOpen = false;
      this.#wake();
    });
  }

  /** Connects; undefined if the connection is refused. */
  static open({ port, from }: Endpoint): Promise<RawPeer | undefined> {
    return new Promise((resolve) => {
      const socket = connect({ port, host: "127.0.0.1", localAddress: from });
      socket.once("error", () => resolve(undefined));
      socket.once("connect", () => resolve(new RawPeer(socket)));
    });
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** What came since the last call. */
  take(): string {
    const heard = this.#heard;
    this.#heard = "";
    return heard;
  }

  /** Writes, and waits for a moment if the relay does not read. Returns whether it did. */
  async write(bytes: Uint8Array | string): Promise<boolean> {
    if (!this.#isOpen) return false;
    if (this.#socket.write(bytes)) return true;
    return await this.#until(() => this.#socket.writableLength === 0, WRITE_MS);
  }

  /** Asks for an upgrade. Returns whether it was granted. */
  async upgrade(path: string): Promise<boolean> {
    const lines = [`GET ${path} HTTP/1.1`, "Host: 127.0.0.1", "Upgrade: websocket", "Connection: Upgrade"];
    const key = ["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13"];
    await this.write(`${[...lines, ...key].join("\r\n")}\r\n\r\n`);
    await this.#until(() => this.#heard.includes("\r\n\r\n"), WRITE_MS);
    return this.take().startsWith("HTTP/1.1 101");
  }

  /** Does not read any more. */
  pause(): void {
    this.#socket.pause();
  }

  /** Closes its direction only. */
  end(): void {
    this.#socket.end();
  }

  /** Drops the connection, by a reset or without. */
  drop(isReset: boolean): void {
    if (isReset) this.#socket.resetAndDestroy();
    else this.#socket.destroy();
  }

  async #until(holds: () => boolean, ms: number): Promise<boolean> {
    for (const end = performance.now() + ms; this.#isOpen && !holds();) {
      const left = end - performance.now();
      if (left <= 0) return false;
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      const timer = setTimeout(resolve, left);
      await promise;
      clearTimeout(timer);
    }
    return this.#isOpen;
  }
}
