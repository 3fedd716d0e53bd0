/**
 * A Neuro that reconnects again and again: it accepts a connection, requests actions for a moment, and drops it or refuses the next.
 * Games stay connected and answer every action.
 *
 * On each connection `startup` must come first and once, and all actions must be registered before one is used. Each action must get
 * at most one result, on that connection, and exactly one if the connection lasts long enough.
 */
import type { ServerWebSocket } from "bun";
import { Random } from "../../src/testing/random.ts";
import { inFolder, RelayProcess } from "../harness/relay.ts";
import { JsonClient, type Message } from "../harness/json-client.ts";

interface Result {
  readonly id: string;
  readonly success: boolean;
  readonly message?: string;
}

/** One connection to this Neuro. */
interface NeuroConnection {
  readonly number: number;
  startups: number;
  readonly sent: Set<string>;
  readonly answered: Set<string>;
}

export class FlappingNeuro {
  readonly results: Result[] = [];
  /** The actions that are registered on the present connection. */
  names: Set<string> = new Set();
  readonly violations: string[] = [];
  connections = 0;
  isRefusing = false;
  readonly #server: Bun.Server<NeuroConnection>;
  #socket: ServerWebSocket<NeuroConnection> | undefined;
  #acts = 0;

  private constructor() {
    this.#server = Bun.serve<NeuroConnection>({
      hostname: "127.0.0.1",
      port: 0,
      fetch: (request, server) => {
        if (this.isRefusing) return new Response(null, { status: 503 });
        const data = { number: ++this.connections, startups: 0, sent: new Set<string>(), answered: new Set<string>() };
        return server.upgrade(request, { data }) ? undefined : new Response(null, { status: 400 });
      },
      websocket: {
        open: (socket) => {
          this.#socket = socket;
          this.names = new Set();
        },
        message: (socket, text) => this.#hear(socket, JSON.parse(String(text))),
        close: (socket) => void (this.#socket === socket && (this.#socket = undefined)),
      },
    });
  }

  static open(): FlappingNeuro {
    return new FlappingNeuro();
  }

  get url(): string {
    return `ws://127.0.0.1:${this.#server.port}`;
  }

  get isConnected(): boolean {
    return this.#socket !== undefined;
  }

  /** Requests an action; returns false while the relay is not connected. */
  act(name: string): boolean {
    if (this.#socket === undefined) return false;
    const id = `act-${++this.#acts}`;
    this.#socket.data.sent.add(id);
    this.#socket.send(JSON.stringify({ command: "action", data: { id, name } }));
    return true;
  }

  /** The number of actions of the present connection without a result. */
  get unanswered(): number {
    const { sent, answered } = this.#socket?.data ?? { sent: new Set(), answered: new Set() };
    return sent.size - answered.size;
  }

  /** Terminates the connection, and refuses new ones for `awayMs`. */
  async disconnect(awayMs: number): Promise<void> {
    this.isRefusing = awayMs > 0;
    this.#socket?.terminate();
    await new Promise((resolve) => setTimeout(resolve, awayMs));
    this.isRefusing = false;
  }

  async until(holds: () => boolean, timeoutMs: number = 10_000): Promise<void> {
    for (const end = performance.now() + timeoutMs; !holds();) {
      if (performance.now() > end) throw new Error(`nothing came for ${holds}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  close(): void {
    void this.#server.stop(true);
  }

  #hear({ data: connection }: ServerWebSocket<NeuroConnection>, { command, data }: Message): void {
    if (command === "startup") connection.startups++;
    if (connection.startups !== 1) {
      this.violations.push(`connection ${connection.number}: ${command} after ${connection.startups} startups`);
    }
    if (command === "actions/register") { for (const { name } of data.actions) this.#register(connection, name); }
    if (command === "actions/unregister") { for (const name of data.action_names) this.names.delete(name); }
    if (command !== "action/result") return;
    this.results.push(data);
    if (!connection.sent.has(data.id)) this.violations.push(`a result for ${data.id} on another connection than its own`);
    if (connection.answered.has(data.id)) this.violations.push(`a second result for ${data.id}`);
    connection.answered.add(data.id);
  }

  #register(connection: NeuroConnection, name: string): void {
    if (this.names.has(name)) this.violations.push(`connection ${connection.number}: ${name} is registered twice`);
    this.names.add(name);
  }
}

const GAMES = ["Chess", "Snake", "Maze"];
const STAY_MS = 200;
const AWAY_MS = 100;

/** The counts of a run, and its violations. */
export interface FlappingResult {
  readonly connections: number;
  readonly acts: number;
  readonly results: number;
  readonly violations: readonly string[];
}

/** Lets Neuro reconnect `times` times. */
export function runFlappingNeuro(
  { times, seed }: { readonly times: number; readonly seed: number },
): Promise<FlappingResult> {
  return inFolder(async (folder) => {
    const random = new Random(seed);
    const neuro = FlappingNeuro.open();
    const sets = [`nakurity-client.url=${neuro.url}`, "nakurity-client.backoff.base=10", "nakurity-client.backoff.cap=50"];
    const relay = await RelayProcess.start(folder, sets);
    const violations: string[] = [];
    let acts = 0;
    try {
      const games = await Promise.all(GAMES.map((name) => play(relay, name)));
      for (let time = 0; time < times; time++) {
        await neuro.until(() => neuro.names.size === GAMES.length);
        for (const end = performance.now() + random.between(0, STAY_MS); performance.now() < end;) {
          if (neuro.act((random.oneOf(GAMES) ?? "").toLowerCase())) acts++;
          await pause(random.between(0, 10));
        }
        if (random.chance(0.3)) await neuro.until(() => neuro.unanswered === 0);
        await neuro.disconnect(random.chance(0.5) ? 0 : random.between(1, AWAY_MS));
      }
      await neuro.until(() => neuro.names.size === GAMES.length);
      for (const name of GAMES) if (neuro.act(name.toLowerCase())) acts++;
      await neuro.until(() => neuro.unanswered === 0);
      for (const game of games) if (!game.isOpen) violations.push("a game was closed");
    } catch (error) {
      violations.push(String(error));
    } finally {
      await relay.stop();
      neuro.close();
    }
    const { connections, results } = neuro;
    return { connections, acts, results: results.length, violations: [...neuro.violations, ...violations] };
  });
}

/** A game with one action that answers at once. */
async function play({ urls }: RelayProcess, name: string): Promise<JsonClient> {
  const client = await JsonClient.open(urls.neuro);
  client.send({ command: "startup", game: name });
  const action = { name: name.toLowerCase(), description: `Plays ${name}.` };
  client.send({ command: "actions/register", game: name, data: { actions: [action] } });
  void answerAll(client, name).catch(() => undefined); // Why ignored: it ends with its connection.
  return client;
}

async function answerAll(client: JsonClient, game: string): Promise<void> {
  for (;;) {
    const { data } = await client.next(({ command }) => command === "action", 60_000);
    client.send({ command: "action/result", game, data: { id: data.id, success: true } });
  }
}

// Why a real clock: a real process is tested.
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
