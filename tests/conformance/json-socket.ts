/** A WebSocket client for JSON messages, which keeps them until a test waits for them. */
import { connect, type Socket } from "node:net";

/** A received message. The test knows its fields. */
// deno-lint-ignore no-explicit-any -- Why: tests look into whatever the relay sent.
export type Message = Readonly<Record<string, any>>;

const PATIENCE_MS = 8_000;

export interface Closed {
  readonly code: number;
  readonly reason: string;
}

export class JsonSocket {
  readonly socket: WebSocket;
  readonly closed: Promise<Closed>;
  /** Received messages that no test has taken. */
  readonly messages: Message[] = [];
  #wake: () => void = () => {};

  constructor(socket: WebSocket) {
    this.socket = socket;
    socket.binaryType = "arraybuffer";
    socket.onmessage = ({ data }) => {
      this.messages.push(typeof data === "string" ? parsed(data) : { bytes: data });
      this.#wake();
    };
    this.closed = new Promise((resolve) => {
      socket.onclose = ({ code, reason }) => {
        resolve({ code, reason });
        this.#wake();
      };
    });
  }

  static async open(
    url: string,
    options: { headers?: Record<string, string>; protocols?: string[] } = {},
  ): Promise<JsonSocket> {
    const socket = new WebSocket(url, options);
    const line = new JsonSocket(socket);
    await new Promise<void>((resolve, reject) => {
      socket.onopen = () => resolve();
      socket.onerror = (event) => reject(new Error("message" in event ? String(event.message) : "failed"));
    });
    return line;
  }

  get isOpen(): boolean {
    return this.socket.readyState === WebSocket.OPEN;
  }

  send(message: Message | string | Uint8Array<ArrayBuffer>): void {
    const isRaw = typeof message === "string" || message instanceof Uint8Array;
    this.socket.send(isRaw ? message : JSON.stringify(message));
  }

  /** Takes the first message that passes, now or later. */
  async next(passes: (message: Message) => boolean = () => true, what = "a message"): Promise<Message> {
    const until = performance.now() + PATIENCE_MS;
    for (;;) {
      const at = this.messages.findIndex(passes);
      const [found] = at < 0 ? [] : this.messages.splice(at, 1);
      if (found !== undefined) return found;
      if (performance.now() > until || this.socket.readyState === WebSocket.CLOSED) {
        throw new Error(`waited for ${what}; there is ${JSON.stringify(this.messages).slice(0, 500)}`);
      }
      await this.#sleep(until - performance.now());
    }
  }

  close(): Promise<Closed> {
    this.socket.close(1000);
    return this.closed;
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, Math.max(1, ms));
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

function parsed(text: string): Message {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : { value };
  } catch {
    return { text };
  }
}

/** A WebSocket client over TCP that can stop reading. */
export async function pausedClient(url: string): Promise<{ send(text: string): void; readonly socket: Socket }> {
  const { hostname, port, pathname } = new URL(url);
  const socket = connect(Number(port), hostname);
  const lines = [
    `GET ${pathname} HTTP/1.1`,
    `Host: ${hostname}:${port}`,
    ...["Upgrade: WebSocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"],
    ...["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "", ""],
  ];
  socket.on("error", () => {});
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve).once("error", reject);
  });
  socket.write(lines.join("\r\n"));
  await new Promise<void>((resolve) => socket.once("data", () => resolve()));
  return {
    socket,
    send(text) {
      const body = Buffer.from(text);
      const head = body.length < 126 ? [0x81, 0x80 | body.length] : [0x81, 0xfe, body.length >> 8, body.length & 255];
      socket.write(Buffer.concat([Buffer.from([...head, 0, 0, 0, 0]), body]));
    },
  };
}

/** Waits until something holds. */
export async function until(holds: () => boolean, what: string): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`waited for ${what}`);
    await Bun.sleep(5);
  }
}
