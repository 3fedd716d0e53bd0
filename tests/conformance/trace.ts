/** A run on virtual time that depends on its seed only, so its trace must be the same on every runtime. */
import { DEFAULTS } from "../../src/core/defaults.ts";
import type { Json } from "../../src/core/json.ts";
import { services } from "../../src/relay/services.ts";
import { Random } from "../../src/testing/random.ts";
import type { TestSocket } from "../../src/testing/network.ts";
import { SimulatedRelay } from "../../src/testing/simulated-relay.ts";

const TURNS = 400;

/** Games connect, register, force, answer and disconnect, and the relay crashes now and then. Returns the hash of all frames to them. */
export async function traceOf(seed: number): Promise<string> {
  const simulation = new SimulatedRelay({ settings: DEFAULTS, services: services, seed });
  const random = new Random(seed + 1);
  await simulation.started();
  const games = ["Chess", "Poker", "Go"].map((name) => new Actor(name, simulation));
  for (let turn = 0; turn < TURNS; turn++) {
    const game = games[Math.floor(random.fraction() * games.length)];
    game?.act(random.fraction());
    await simulation.advance(Math.floor(random.fraction() * 400));
    if (random.fraction() > 0.99) {
      simulation.crash();
      await simulation.started();
    }
  }
  return simulation.traceHash;
}

class Actor {
  readonly #name: string;
  readonly #simulation: SimulatedRelay;
  #wire: TestSocket | undefined;
  #count = 0;

  constructor(name: string, simulation: SimulatedRelay) {
    this.#name = name;
    this.#simulation = simulation;
  }

  /** Does one thing, chosen by `lot`. */
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
    const socket = this.#simulation.network.connect("neuro");
    socket.onFrame = (frame) => {
      const { command, data } = JSON.parse(String(frame));
      if (command === "action") this.#say("action/result", { id: data.id, success: data.id.length % 3 > 0 });
    };
    socket.onClose = () => (this.#wire = undefined);
    this.#wire = socket;
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
