/**
 * The load generator: a Neuro backend and many games in one process, connected by the relay under measurement.
 *
 * It checks what it measures: a result must be for an action in flight, and an action must reach the game that registered it.
 */
import { dialRaw, flushPending, listenRaw, type RawWebSocket } from "./raw-websocket.ts";

/** A measurement is valid only if all of these are 0. */
export interface RoutingErrors {
  misrouted: number;
  unexpected: number;
}

interface LoadGame {
  readonly socket: RawWebSocket;
  readonly name: string;
  /** The name of its action at the backend. */
  upstreamName: string;
}

const ACTION_ID = /"id":"(?<id>[^"]+)"/;
const MARK = /does-(?<game>\d+)-things/;

export class Load {
  readonly games: LoadGame[] = [];
  readonly errors: RoutingErrors = { misrouted: 0, unexpected: 0 };
  readonly #server: { readonly port: number; stop(): void };
  readonly #sentAt = new Map<string, number>();
  #upstream: RawWebSocket | undefined;
  #learned = 0;
  #sequence = 0;
  #next = 0;
  #onTrip: (ms: number) => void = () => {};
  contexts = 0;

  constructor() {
    this.#server = listenRaw((text, socket) => this.#fromRelay(text, socket));
  }

  get backendPort(): number {
    return this.#server.port;
  }

  get inFlight(): number {
    return this.#sentAt.size;
  }

  /** Connects and registers games until there are `count`; resolves when the backend knows all of their actions. */
  async connect(count: number, port: number): Promise<void> {
    while (this.games.length < count) {
      const batch = Array.from({ length: Math.min(64, count - this.games.length) }, (_, at) => this.games.length + at);
      const opened = await Promise.all(batch.map((index) => this.#openGame(index, port)));
      this.games.push(...opened);
      for (const game of opened) register(game);
      flushPending();
    }
    await until(() => this.#learned >= count, 60_000, "the backend to know every action");
  }

  async #openGame(index: number, port: number): Promise<LoadGame> {
    const name = `Game ${String(index).padStart(5, "0")}`;
    const result = `{"command":"action/result","game":"${name}","data":{"success":true,"id":"`;
    const socket = await dialRaw(port, "/", (text, own) => {
      if (!text.includes('"action"')) return;
      if (!text.includes(`act_${index}"`)) this.errors.misrouted++;
      own.send(`${result}${ACTION_ID.exec(text)?.groups?.["id"]}"}}`);
    });
    return { socket, name, upstreamName: "" };
  }

  #fromRelay(text: string, socket: RawWebSocket): void {
    this.#upstream = socket;
    if (text.includes('"action/result"')) return this.#finish(ACTION_ID.exec(text)?.groups?.["id"] ?? "");
    if (text.includes('"context"')) {
      this.contexts++;
      return;
    }
    if (text.includes('"actions/register"')) this.#learn(text);
  }

  #learn(text: string): void {
    for (const { name, description } of JSON.parse(text).data.actions) {
      const game = this.games[Number(MARK.exec(description)?.groups?.["game"])];
      if (game === undefined) continue;
      if (game.upstreamName === "") this.#learned++;
      game.upstreamName = name;
    }
  }

  #finish(id: string): void {
    const sentAt = this.#sentAt.get(id);
    if (sentAt === undefined) {
      this.errors.unexpected++;
      return;
    }
    this.#sentAt.delete(id);
    this.#onTrip(performance.now() - sentAt);
  }

  /** Sends one action to the next game in turn; `at` is when it should have been sent. */
  issue(at: number): void {
    const game = this.games[this.#next] as LoadGame;
    this.#next = (this.#next + 1) % this.games.length;
    const id = `trip-${++this.#sequence}`;
    this.#sentAt.set(id, at);
    this.#upstream?.send(
      `{"command":"action","data":{"id":"${id}","name":"${game.upstreamName}","data":"{\\"amount\\":3,\\"item\\":\\"iron sword\\"}"}}`,
    );
  }

  onTrip(run: (ms: number) => void): void {
    this.#onTrip = run;
  }

  /** Sends `count` contexts from each game whose backlog is small. */
  sendContexts(count: number): number {
    let sent = 0;
    for (const { socket, name } of this.games) {
      if (socket.backlog > 65_536) continue;
      const text =
        `{"command":"context","game":"${name}","data":{"message":"something happened in the game","silent":true}}`;
      for (let at = 0; at < count; at++) socket.send(text);
      sent += count;
    }
    flushPending();
    return sent;
  }

  /** Sends one context from a game: `turn` selects it. */
  sendContext(turn: number): void {
    const game = this.games[turn % this.games.length] as LoadGame;
    const data = { message: `something happened in the game, for the ${turn}th time`, silent: true };
    game.socket.send(JSON.stringify({ command: "context", game: game.name, data }));
  }

  stop(): void {
    for (const { socket } of this.games) socket.end();
    this.#server.stop();
  }
}

function register({ socket, name }: LoadGame): void {
  const index = Number(name.slice(5));
  socket.send(JSON.stringify({ command: "startup", game: name }));
  const properties = { amount: { type: "integer", minimum: 1 }, item: { type: "string" } };
  const schema = { type: "object", properties, required: ["amount"] };
  const action = { name: `act_${index}`, description: `does-${index}-things`, schema };
  socket.send(JSON.stringify({ command: "actions/register", game: name, data: { actions: [action] } }));
}

export async function until(holds: () => boolean, ms: number, what: string): Promise<void> {
  const end = performance.now() + ms;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`waited ${ms} ms for ${what}`);
    await Bun.sleep(2);
  }
}
