/** A plain WebSocket for tests over real sockets: what comes in is kept in order until somebody asks for it. */

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

  /** Text and bytes go as they are, anything else as JSON. */
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

  /** Takes out the first message that fits, heard already or still to come. */
  async next(fits: (message: Message) => boolean = () => true, timeoutMs: number = 10_000): Promise<Message> {
    const end = performance.now() + timeoutMs;
    for (;;) {
      const at = this.#received.findIndex(fits);
      if (at >= 0) return this.#received.splice(at, 1)[0];
      const left = end - performance.now();
      if (left <= 0 || !this.isOpen) throw new Error(`${this.isOpen ? "nothing" : "closed before anything"} fits ${fits}`);
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      const timer = setTimeout(resolve, left);
      await promise;
      clearTimeout(timer);
    }
  }

  /** Takes out everything heard so far. */
  take(): Message[] {
    return this.#received.splice(0);
  }
}
