/**
 * The load: a Neuro backend and many games in one process, who speak the protocol through whatever relay stands between.
 *
 * It checks what it measures: an answer must be for an action in flight, an action must reach the game that registered it.
 */
import { dialWire, flushMarked, listenWire, type Wire } from "./wire.ts";

/** What went wrong: all must stay 0 for a measurement to count. */
export interface Faults {
  misrouted: number;
  unexpected: number;
}

interface Game {
  readonly wire: Wire;
  readonly name: string;
  /** What the backend calls its action. */
  upstreamName: string;
}

const ACTION_ID = /"id":"(?<id>[^"]+)"/;
const MARK = /does-(?<game>\d+)-things/;

export class Load {
  readonly games: Game[] = [];
  readonly faults: Faults = { misrouted: 0, unexpected: 0 };
  readonly #server: { readonly port: number; stop(): void };
  readonly #sentAt = new Map<string, number>();
  #upstream: Wire | undefined;
  #learned = 0;
  #sequence = 0;
  #next = 0;
  #onTrip: (ms: number) => void = () => {};
  contexts = 0;

  constructor() {
    this.#server = listenWire((text, wire) => this.#fromRelay(text, wire));
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
      flushMarked();
    }
    await until(() => this.#learned >= count, 60_000, "the backend to know every action");
  }

  async #openGame(index: number, port: number): Promise<Game> {
    const name = `Game ${String(index).padStart(5, "0")}`;
    const result = `{"command":"action/result","game":"${name}","data":{"success":true,"id":"`;
    const wire = await dialWire(port, "/", (text, own) => {
      if (!text.includes('"action"')) return;
      if (!text.includes(`act_${index}"`)) this.faults.misrouted++;
      own.send(`${result}${ACTION_ID.exec(text)?.groups?.["id"]}"}}`);
    });
    return { wire, name, upstreamName: "" };
  }

  #fromRelay(text: string, wire: Wire): void {
    this.#upstream = wire;
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
      this.faults.unexpected++;
      return;
    }
    this.#sentAt.delete(id);
    this.#onTrip(performance.now() - sentAt);
  }

  /** One action to the next game in turn; `at` is when it should have been sent. */
  issue(at: number): void {
    const game = this.games[this.#next] as Game;
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

  /** Sends contexts from all games in turn, `count` each, where the relay keeps up. */
  sendContexts(count: number): number {
    let sent = 0;
    for (const { wire, name } of this.games) {
      if (wire.backlog > 65_536) continue;
      const text =
        `{"command":"context","game":"${name}","data":{"message":"something happened in the game","silent":true}}`;
      for (let at = 0; at < count; at++) wire.send(text);
      sent += count;
    }
    flushMarked();
    return sent;
  }

  stop(): void {
    for (const { wire } of this.games) wire.end();
    this.#server.stop();
  }
}

function register({ wire, name }: Game): void {
  const index = Number(name.slice(5));
  wire.send(JSON.stringify({ command: "startup", game: name }));
  const properties = { amount: { type: "integer", minimum: 1 }, item: { type: "string" } };
  const schema = { type: "object", properties, required: ["amount"] };
  const action = { name: `act_${index}`, description: `does-${index}-things`, schema };
  wire.send(JSON.stringify({ command: "actions/register", game: name, data: { actions: [action] } }));
}

export async function until(holds: () => boolean, ms: number, what: string): Promise<void> {
  const end = performance.now() + ms;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`waited ${ms} ms for ${what}`);
    await Bun.sleep(2);
  }
}
