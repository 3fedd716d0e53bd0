/**
 * The cost of the floor without sockets, on the frames of `machine.ts`. Started as `bun without-sockets.ts DUTIES`; prints the CPU time of a trip
 * and of a context as JSON. Why a process for each: code that has served one set of duties is slower for the next.
 */
import { type Duty, FLOOR_DEFAULTS, type Technique } from "./options.ts";
import type { FloorGame } from "./game.ts";
import { FloorRelay } from "./relay.ts";
import { median } from "../measuring.ts";

class FloorMachine {
  readonly #relay: FloorRelay;
  readonly #games: FloorGame[] = [];
  readonly #names: string[] = [];
  #forGames: [number, string][] = [];
  #results = 0;

  constructor(duties: readonly (Duty | Technique)[], count: number) {
    const relay: FloorRelay = new FloorRelay({ ...FLOOR_DEFAULTS, with: new Set(duties) }, {
      neuro: { send: (text) => this.#fromRelay(text), backlog: 0, close() {} },
      now: Date.now,
      wake: (ms) => void setTimeout(() => relay.tick(), ms),
    });
    this.#relay = relay;
    for (let at = 0; at < count; at++) {
      const game = relay.openGame({ send: (text) => void this.#forGames.push([at, text]), backlog: 0, close() {} });
      this.#games.push(game);
      relay.fromGame(game, JSON.stringify({ command: "startup", game: `Game ${at}` }));
      const data = { actions: [{ name: "act", description: "acts" }] };
      relay.fromGame(game, JSON.stringify({ command: "actions/register", game: `Game ${at}`, data }));
    }
  }

  #fromRelay(text: string): void {
    if (text.includes('"action/result"')) this.#results++;
    else if (text.includes('"actions/register"')) this.#names.push(JSON.parse(text).data.actions[0].name);
  }

  /** Sends this number of actions and answers them, `WINDOW` at a time. */
  trips(count: number): void {
    const until = this.#results + count;
    for (let issued = 0; this.#results < until;) {
      for (let n = 0; n < WINDOW && issued < count; n++, issued++) {
        this.#relay.fromNeuro(actionFrame(this.#names[issued % GAMES] ?? ""));
      }
      const sent = this.#forGames;
      this.#forGames = [];
      for (const [game, text] of sent) {
        this.#relay.fromGame(this.#games[game] as FloorGame, resultFrame(game, JSON.parse(text).data.id));
      }
    }
  }

  contexts(count: number): void {
    for (let sent = 0; sent < count; sent++) {
      this.#relay.fromGame(this.#games[sent % GAMES] as FloorGame, contextFrame(sent));
    }
  }
}

const GAMES = 10;
const WINDOW = 256;
const MEASURED = 30_000;
const RUNS = 5;

let lastId = 0;
const actionFrame = (name: string): string =>
  `{"command":"action","data":{"id":"a${++lastId}","name":"${name}","data":"{\\"n\\":${lastId % 7}}"}}`;
const resultFrame = (game: number, id: string): string =>
  `{"command":"action/result","game":"Game ${game}","data":{"id":"${id}","success":true,"message":"ok"}}`;
const contextFrame = (count: number): string =>
  `{"command":"context","game":"Game ${count % GAMES}","data":{"message":"event ${count} happened","silent":true}}`;

function cost(run: (count: number) => void): number {
  run(MEASURED);
  const runs = Array.from({ length: RUNS }, () => {
    const from = process.cpuUsage();
    run(MEASURED);
    const { user, system } = process.cpuUsage(from);
    return (user + system) / MEASURED;
  });
  return median(runs);
}

const duties = (process.argv[2] ?? "").split(",").filter((name) => name !== "");
const machine = new FloorMachine(duties as (Duty | Technique)[], GAMES);
console.log(JSON.stringify({
  trip: cost((count) => machine.trips(count)),
  context: cost((count) => machine.contexts(count)),
}));
process.exit(0);
