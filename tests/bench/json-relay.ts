import type { RawOutlet, RawRelay } from "./raw-sockets.ts";

/** The work of a relay that does no more than it must: parse, find the game, rename, track the id and stringify. */
interface Message {
  command: string;
  game?: string;
  data: { id: string; name: string; message: string; actions: { name: string }[] };
}

/** A connected game, as the minimal relays see it. */
export interface MinimalGame {
  readonly id: number;
  send(text: string): void;
}

export class JsonRelay {
  readonly #toNeuro: (text: string) => void;
  readonly #owners = new Map<string, { game: MinimalGame; name: string }>();
  readonly #pending = new Map<string, MinimalGame>();
  #games = 0;

  constructor(toNeuro: (text: string) => void) {
    this.#toNeuro = toNeuro;
  }

  start(): void {
    this.#toNeuro(JSON.stringify({ command: "startup", game: "Relay" }));
  }

  openGame(send: (text: string) => void): MinimalGame {
    return { id: ++this.#games, send };
  }

  fromNeuro(text: string): void {
    const message: Message = JSON.parse(text);
    const owner = this.#owners.get(message.data.name);
    if (message.command !== "action" || owner === undefined) return;
    this.#pending.set(message.data.id, owner.game);
    message.data.name = owner.name;
    owner.game.send(JSON.stringify(message));
  }

  fromGame(game: MinimalGame, text: string): void {
    const message: Message = JSON.parse(text);
    message.game = "Relay";
    if (message.command === "startup") return;
    if (message.command === "actions/register") {
      for (const action of message.data.actions) {
        const name = `g${game.id}--${action.name}`;
        this.#owners.set(name, { game, name: action.name });
        action.name = name;
      }
    } else if (message.command === "action/result") {
      if (this.#pending.get(message.data.id) !== game) return;
      this.#pending.delete(message.data.id);
    } else if (message.command === "context") message.data.message = `[g${game.id}] ${message.data.message}`;
    this.#toNeuro(JSON.stringify(message));
  }
}

/** The same on raw sockets. */
export function rawJsonRelay(neuro: RawOutlet): RawRelay<MinimalGame> {
  const relay = new JsonRelay((text) => neuro.send(text));
  return {
    start: () => relay.start(),
    fromNeuro: (text) => relay.fromNeuro(text),
    openGame: (outlet) => relay.openGame((text) => outlet.send(text)),
    fromGame: (game, text) => relay.fromGame(game, text),
  };
}
