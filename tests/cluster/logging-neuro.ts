/** A Neuro that notes every connection and frame with its time, and checks what each connection must begin with. */
import type { ServerWebSocket } from "bun";

export interface NeuroConnection {
  readonly number: number;
  readonly openedAt: number;
  firstFrameAt: number | undefined;
  lastFrameAt: number;
  closedAt: number | undefined;
  readonly names: Set<string>;
  /** When it registered its first actions. */
  registeredAt: number | undefined;
  readonly results: Map<string, boolean>;
}

export class LoggingNeuro {
  readonly connections: NeuroConnection[] = [];
  readonly violations: string[] = [];
  readonly #server: Bun.Server<NeuroConnection>;
  #socket: ServerWebSocket<NeuroConnection> | undefined;
  readonly #relayOf: (names: ReadonlySet<string>) => string | undefined;
  #actions = 0;

  /** `relayOf`: the relay that registered these names; connections of different relays do not succeed each other. */
  constructor(relayOf: (names: ReadonlySet<string>) => string | undefined = () => "") {
    this.#relayOf = relayOf;
    this.#server = Bun.serve<NeuroConnection>({
      hostname: "127.0.0.1",
      port: 0,
      fetch: (request, server) => {
        const data: NeuroConnection = {
          number: this.connections.length + 1,
          openedAt: performance.now(),
          firstFrameAt: undefined,
          lastFrameAt: 0,
          closedAt: undefined,
          names: new Set(),
          registeredAt: undefined,
          results: new Map(),
        };
        return server.upgrade(request, { data }) ? undefined : new Response(null, { status: 400 });
      },
      websocket: {
        open: (socket) => {
          this.connections.push(socket.data);
          this.#socket = socket;
        },
        message: (socket, text) => this.#receive(socket.data, JSON.parse(String(text))),
        close: ({ data }) => {
          data.closedAt = performance.now();
        },
      },
    });
  }

  get url(): string {
    return `ws://127.0.0.1:${this.#server.port}`;
  }

  get current(): NeuroConnection | undefined {
    return this.connections.at(-1);
  }

  /** Frames of a connection after the first frame of a later one. */
  get framesOfFormerOwners(): number {
    return this.#late;
  }
  #late = 0;

  /** Sends an action on the present connection, and returns its id. */
  act(name: string): string {
    const id = `action-${++this.#actions}`;
    this.#socket?.send(JSON.stringify({ command: "action", data: { id, name, data: "{}" } }));
    return id;
  }

  close(): Promise<void> {
    return this.#server.stop(true);
  }

  // deno-lint-ignore no-explicit-any -- Why: whatever the relay sends.
  #receive(connection: NeuroConnection, message: any): void {
    const now = performance.now();
    if (connection.firstFrameAt === undefined && message.command !== "startup") {
      this.violations.push(`connection ${connection.number} begins with ${message.command}`);
    }
    if (this.#isSucceeded(connection)) {
      this.#late++;
      this.violations.push(`connection ${connection.number} sends ${message.command} after a later one began`);
    }
    connection.firstFrameAt ??= now;
    connection.lastFrameAt = now;
    if (message.command === "actions/register") connection.registeredAt ??= now;
    if (message.command === "actions/register") { for (const { name } of message.data.actions) connection.names.add(name); }
    if (message.command === "actions/unregister") {
      for (const name of message.data.action_names) connection.names.delete(name);
    }
    if (message.command === "action/result") connection.results.set(message.data.id, message.data.success);
  }

  #isSucceeded({ number, names }: NeuroConnection): boolean {
    const relay = this.#relayOf(names);
    return relay !== undefined &&
      this.connections.some((later) =>
        later.number > number && later.firstFrameAt !== undefined && this.#relayOf(later.names) === relay
      );
  }
}
