/** The clients in a case: games, integrations, watchers, and a Neuro, over real sockets. */
import { JsonSocket, type Message } from "./json-socket.ts";
import { type Relay, TOKENS } from "./platform.ts";

/** A game that uses the Neuro API. */
export class Game {
  readonly line: JsonSocket;
  readonly name: string;

  private constructor(line: JsonSocket, name: string) {
    this.line = line;
    this.name = name;
  }

  /** Connects and sends `startup`. */
  static async join(relay: Pick<Relay, "urls">, name: string): Promise<Game> {
    const game = new Game(await JsonSocket.open(`${relay.urls.neuro}/?token=${TOKENS.neuro}`), name);
    game.say("startup");
    return game;
  }

  say(command: string, data?: Message): void {
    this.line.send({ command, game: this.name, ...(data && { data }) });
  }

  register(...actions: readonly (string | Message)[]): void {
    this.say("actions/register", {
      actions: actions.map((action) => typeof action === "string" ? actionOf(action) : action),
    });
  }

  force(query: string, names: readonly string[], priority = "low"): void {
    this.say("actions/force", { query, action_names: names, priority });
  }

  async action(name: string): Promise<{ id: string; name: string; data?: string }> {
    const passes = ({ command, data }: Message) => command === "action" && data.name === name;
    return (await this.line.next(passes, `the action ${name} at ${this.name}`)).data;
  }

  result(id: string, success = true, message = ""): void {
    this.say("action/result", { id, success, message });
  }

  actions(): string[] {
    return this.line.messages.filter(({ command }) => command === "action").map(({ data }) => data.name);
  }
}

export const actionOf = (name: string, description = `Does ${name}.`): Message => ({ name, description });

/** A Neuro that relays dial, one after the other. */
export class Neuro {
  readonly #server: Bun.Server<undefined>;
  readonly heard: Message[] = [];
  /** The number of connections so far. */
  connections = 0;
  #socket: Bun.ServerWebSocket<undefined> | undefined;
  #count = 0;

  constructor() {
    this.#server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: (request, server) => (server.upgrade(request) ? undefined : new Response("no", { status: 400 })),
      websocket: {
        open: (socket) => {
          this.connections++;
          this.#socket = socket;
        },
        message: (_, text) => void this.heard.push(JSON.parse(String(text))),
        close: (socket) => {
          if (this.#socket === socket) this.#socket = undefined;
        },
      },
    });
  }

  get url(): string {
    return `ws://127.0.0.1:${this.#server.port}`;
  }

  get isConnected(): boolean {
    return this.#socket !== undefined;
  }

  /** Waits for the first message since `forget` that passes. Messages are not removed. */
  async hear(passes: (message: Message) => boolean, what: string): Promise<Message> {
    for (const end = performance.now() + 8_000;;) {
      const found = this.heard.find(passes);
      if (found !== undefined) return found;
      if (performance.now() > end) throw new Error(`Neuro waited for ${what}: ${JSON.stringify(this.heard).slice(0, 800)}`);
      await Bun.sleep(3);
    }
  }

  /** Waits until these names have been registered since `forget`. */
  async knows(...names: readonly string[]): Promise<void> {
    await this.hear(() => names.every((name) => this.names().includes(name)), `the names ${names}`);
  }

  /** Names registered and not unregistered, since `forget`. */
  names(): string[] {
    const names = new Set<string>();
    for (const { command, data } of this.heard) {
      if (command === "startup") names.clear();
      if (command === "actions/register") { for (const { name } of data.actions) names.add(name); }
      if (command === "actions/unregister") { for (const name of data.action_names) names.delete(name); }
    }
    return [...names].sort();
  }

  async forced(query: string): Promise<Message> {
    return await this.hear(
      ({ command, data }) => command === "actions/force" && data.query.includes(query),
      `force ${query}`,
    );
  }

  /** Uses an action; returns its id. */
  act(name: string, data?: string): string {
    const id = `neuro-${++this.#count}`;
    this.#socket?.send(JSON.stringify({ command: "action", data: { id, name, ...(data !== undefined && { data }) } }));
    return id;
  }

  async resultOf(id: string): Promise<{ success: boolean; message?: string }> {
    return (await this.hear(({ command, data }) => command === "action/result" && data.id === id, `the result of ${id}`))
      .data;
  }

  resultsOf(id: string): number {
    return this.heard.filter(({ command, data }) => command === "action/result" && data.id === id).length;
  }

  commands(): string[] {
    return this.heard.map(({ command }) => command);
  }

  /** Cuts the connection to the relay. */
  drop(): void {
    this.#socket?.terminate();
    this.#socket = undefined;
  }

  stop(): void {
    void this.#server.stop(true);
  }
}

/** An integration of the Intermediary that has greeted, with acks. */
export async function integrate(relay: Pick<Relay, "urls">, name: string): Promise<JsonSocket> {
  const line = await JsonSocket.open(relay.urls.intermediary);
  line.send({ type: "integration", name, auth_token: TOKENS.intermediary, ack: true });
  await line.next(({ event }) => event === "registered", "its registration");
  return line;
}

/** A watcher that has greeted. */
export async function watch(relay: Pick<Relay, "urls">, name: string): Promise<JsonSocket> {
  const line = await JsonSocket.open(relay.urls.intermediary);
  line.send({ type: "neuro-os", name, auth_token: TOKENS.intermediary });
  await line.next((message) => message.event === "neuroos_connected" && message.name === name, "its confirmation");
  return line;
}
