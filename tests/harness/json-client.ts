/** A WebSocket client for tests with real sockets: received messages are kept in order until a test takes them. */

/** One JSON message. */
// deno-lint-ignore no-explicit-any -- Why: tests look into whatever a peer was sent.
export type Message = any;

export class JsonClient {
  readonly #socket: WebSocket;
  readonly #received: Message[] = [];
  readonly closed: Promise<number>;
  #wake: () => void = () => {};

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.onmessage = ({ data }) => {
      this.#received.push(JSON.parse(String(data)));
      this.#wake();
    };
    this.closed = new Promise((resolve) => {
      socket.onclose = ({ code }) => {
        this.#wake();
        resolve(code);
      };
    });
  }

  static open(url: string): Promise<JsonClient> {
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(url);
      const client = new JsonClient(socket);
      socket.onopen = () => resolve(client);
      socket.onerror = () => reject(new Error(`no connection to ${url}`));
    });
  }

  /** Sends text and bytes unchanged, anything else as JSON. */
  send(message: object | string): this {
    const isFrame = typeof message === "string" || message instanceof Uint8Array;
    this.#socket.send(isFrame ? message as string : JSON.stringify(message)); // Why: the types of a socket's `send` differ by runtime.
    return this;
  }

  close(): void {
    this.#socket.close();
  }

  get isOpen(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  /** Takes the first message that matches, received already or within `timeoutMs`. */
  async next(fits: (message: Message) => boolean = () => true, timeoutMs: number = 10_000): Promise<Message> {
    const end = performance.now() + timeoutMs;
    for (;;) {
      const at = this.#received.findIndex(fits);
      if (at >= 0) return this.#received.splice(at, 1)[0];
      const left = end - performance.now();
      if (left <= 0 || !this.isOpen) {
        throw new Error(`${this.isOpen ? "no message matches" : "closed before a message matched"} ${fits}`);
      }
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      const timer = setTimeout(resolve, left);
      await promise;
      clearTimeout(timer);
    }
  }

  /** Takes all received messages. */
  take(): Message[] {
    return this.#received.splice(0);
  }
}
