/** Well-behaved clients beside the fuzzing ones: their round trips must work after each batch. */
import { PUBLISHED_TOKEN } from "../../src/core/defaults.ts";
import type { ListenerName } from "../../src/core/event.ts";
import type { JsonObject } from "../../src/core/json.ts";
import type { NeuroRequest } from "../../src/core/request.ts";
import type { RequestResult } from "../../src/engine/mod.ts";
import type { TestSocket } from "../../src/testing/network.ts";
import type { SimulatedRelay } from "../../src/testing/simulated-relay.ts";

/** Longer than an undisturbed round trip takes. */
const TRIP_MS = 200;

export class HealthyClients {
  readonly #simulation: SimulatedRelay;
  readonly #wires = new Map<string, TestSocket>();
  readonly #heard: JsonObject[] = [];
  readonly #closed: string[] = [];
  #trips = 0;
  /** The id of the game. */
  #id = "";

  constructor(simulation: SimulatedRelay) {
    this.#simulation = simulation;
  }

  async connect(): Promise<void> {
    this.#connect("integration", "intermediary", {
      type: "integration",
      name: "healthyClient",
      auth_token: PUBLISHED_TOKEN,
    });
    this.#connect("watcher", "intermediary", { type: "neuro-os", name: "looker", auth_token: PUBLISHED_TOKEN });
    this.#connect("game", "neuro", { command: "startup", game: "Healthy" });
    this.#connect("brain", "brain");
    await this.#simulation.advance(TRIP_MS);
    const all = JSON.stringify(await this.#ask({ of: "neuro", get: "integrations" }));
    this.#id = /"id":"([^"]*)","name":"Healthy"/.exec(all)?.[1] ?? "";
  }

  #ask(request: NeuroRequest): Promise<RequestResult> | undefined {
    return this.#simulation.engine?.request(request, { by: "test", scopes: ["watch"] });
  }

  /** The failed round trips, in words. */
  async roundTrip(): Promise<readonly string[]> {
    const trip = ++this.#trips;
    const action = { name: `stand_by_${trip}`, description: "Stand by." };
    this.#heard.length = 0;
    this.#say("game", { command: "actions/register", game: "Healthy", data: { actions: [action] } });
    this.#say("watcher", { target: "healthyClient", cmd: { trip }, request_id: "trip" });
    this.#say("brain", { cmd: "Ping" });
    await this.#simulation.advance(TRIP_MS);
    const isOffered = JSON.stringify(await this.#ask({ of: "neuro", get: "integration", id: this.#id })).includes(
      action.name,
    );
    const failed = [
      ...this.#closed.map((who) => `the ${who} was closed`),
      ...this.#want("sent", ({ request_id, status }) => request_id === "trip" && status === "sent"),
      ...this.#want("the command", ({ cmd }) => JSON.stringify(cmd) === JSON.stringify({ trip })),
      ...this.#want("Pong", ({ type }) => type === "Pong"),
      ...(isOffered ? [] : [`round trip ${trip}: the game's action is not offered`]),
    ];
    this.#say("game", { command: "actions/unregister", game: "Healthy", data: { action_names: [action.name] } });
    await this.#simulation.advance(TRIP_MS);
    return failed;
  }

  #want(what: string, fits: (message: JsonObject) => boolean): readonly string[] {
    return this.#heard.some(fits) ? [] : [`round trip ${this.#trips}: ${what} did not come`];
  }

  #say(who: string, message: JsonObject): void {
    this.#wires.get(who)?.send(JSON.stringify(message));
  }

  #connect(who: string, listener: ListenerName, greeting?: JsonObject): void {
    const socket = this.#simulation.network.connect(listener, { address: "127.0.0.2" });
    socket.onOpen = () => greeting !== undefined && socket.send(JSON.stringify(greeting));
    socket.onFrame = (frame) => this.#heard.push(JSON.parse(String(frame)));
    socket.onClose = (code) => this.#closed.push(`${who} (${code})`);
    this.#wires.set(who, socket);
  }
}
