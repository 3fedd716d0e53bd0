/** A life on virtual time that follows from its seed alone: what comes of it has to be the same wherever it is lived. */
import { DEFAULTS } from "../../src/core/defaults.ts";
import type { Json } from "../../src/core/json.ts";
import { rooms } from "../../src/relay/rooms.ts";
import { Chance } from "../../src/testing/chance.ts";
import type { Wire } from "../../src/testing/network.ts";
import { World } from "../../src/testing/world.ts";

const TURNS = 400;

/** Games come, act, force, answer and go, and the relay crashes now and then. Returns the hash of all that they were told. */
export async function traceOf(seed: number): Promise<string> {
  const world = new World({ settings: DEFAULTS, rooms, seed });
  const chance = new Chance(seed + 1);
  await world.started();
  const games = ["Chess", "Poker", "Go"].map((name) => new Actor(name, world));
  for (let turn = 0; turn < TURNS; turn++) {
    const game = games[Math.floor(chance.fraction() * games.length)];
    game?.act(chance.fraction());
    await world.pass(Math.floor(chance.fraction() * 400));
    if (chance.fraction() > 0.99) {
      world.crash();
      await world.started();
    }
  }
  return world.traceHash;
}

class Actor {
  readonly #name: string;
  readonly #world: World;
  #wire: Wire | undefined;
  #count = 0;

  constructor(name: string, world: World) {
    this.#name = name;
    this.#world = world;
  }

  /** Does one thing, which the lot says. */
  act(lot: number): void {
    if (this.#wire === undefined) return this.#come();
    if (lot < 0.1) return this.#wire.close();
    if (lot < 0.4) {
      return this.#say("actions/register", { actions: [this.#action("move"), this.#action(`own-${this.#name}`)] });
    }
    if (lot < 0.7) {
      return this.#say("actions/force", { query: `${++this.#count}?`, action_names: ["move", "none"], priority: "high" });
    }
    this.#say("context", { message: `${++this.#count} ü 😀`, silent: lot < 0.9 });
  }

  #come(): void {
    const wire = this.#world.network.connect("neuro");
    wire.onFrame = (frame) => {
      const { command, data } = JSON.parse(String(frame));
      if (command === "action") this.#say("action/result", { id: data.id, success: data.id.length % 3 > 0 });
    };
    wire.onClose = () => (this.#wire = undefined);
    this.#wire = wire;
    this.#say("startup", {});
  }

  #say(command: string, data: Json): void {
    this.#wire?.send(JSON.stringify({ command, game: this.#name, data }));
  }

  #action(name: string): Json {
    const schema = { type: "object", properties: { to: { type: "number", minimum: 0, maximum: 1e9 } }, required: ["to"] };
    return { name, description: `Does ${name}.`, schema };
  }
}
