/**
 * Well-behaved clients of a relay under attack: each kind repeats its round trip, one at a time, and measures it.
 *
 * The time in which the relay's main thread was ready and had no processor is subtracted, and so is the delay of this process: the
 * machine may be busy with other work.
 */
import { PUBLISHED_TOKEN } from "../../../src/core/defaults.ts";
import type { RelayProcess } from "../../harness/relay.ts";
import { JsonClient } from "../../harness/json-client.ts";
import { FlappingNeuro } from "../../torture/flapping-neuro.ts";

export type TripKind = "action" | "command" | "brain" | "health" | "connection";

/** A round trip takes at most this long before it counts as failed. */
const TRIP_MS = 10_000;
const BETWEEN_MS = 20;
const TICK_MS = 5;

export class HonestClients {
  readonly neuro: FlappingNeuro = FlappingNeuro.open();
  readonly violations: string[] = [];
  readonly trips: Record<TripKind, number> = { action: 0, command: 0, brain: 0, health: 0, connection: 0 };
  readonly worstMs: Record<TripKind, number> = { action: 0, command: 0, brain: 0, health: 0, connection: 0 };
  #isStopped = false;
  readonly #lag = new Lag();

  /** Connects all clients, and repeats their round trips until `stop`. */
  async run(relay: RelayProcess): Promise<void> {
    const { urls } = relay;
    const game = await JsonClient.open(urls.neuro);
    game.send({ command: "startup", game: "Honest" });
    const action = { name: "stand_by", description: "Stand by." };
    game.send({ command: "actions/register", game: "Honest", data: { actions: [action] } });
    const [integration, watcher, brain] = await Promise.all([
      JsonClient.open(urls.intermediary),
      JsonClient.open(urls.intermediary),
      JsonClient.open(urls.brain),
    ]);
    integration.send({ type: "integration", name: "honest", auth_token: PUBLISHED_TOKEN });
    watcher.send({ type: "neuro-os", name: "looker", auth_token: PUBLISHED_TOKEN, subscribe: { events: [] } });
    await watcher.next(({ event }) => event === "neuroos_connected");
    await this.neuro.until(() => this.neuro.names.has("stand_by"));
    await Promise.all([
      this.#repeat("action", relay, async () => {
        const before = this.neuro.results.length;
        this.neuro.act("stand_by");
        const { data } = await game.next(({ command }) => command === "action", TRIP_MS);
        game.send({ command: "action/result", game: "Honest", data: { id: data.id, success: true } });
        await this.neuro.until(() => this.neuro.results.length > before, TRIP_MS);
      }),
      this.#repeat("command", relay, async (trip) => {
        watcher.send({ target: "honest", cmd: { trip }, request_id: trip });
        await integration.next(({ cmd }) => cmd?.trip === trip, TRIP_MS);
        await watcher.next(({ request_id }) => request_id === trip, TRIP_MS);
      }),
      this.#repeat("brain", relay, async () => {
        brain.send({ cmd: "Ping" });
        await brain.next(({ type }) => type === "Pong", TRIP_MS);
      }),
      this.#repeat("health", relay, async () => {
        const { status } = await fetch(new URL("/health", urls.web), { signal: AbortSignal.timeout(TRIP_MS) });
        if (status !== 200) throw new Error(`/health is ${status}`);
      }),
      this.#repeat("connection", relay, async (trip) => {
        const client = await JsonClient.open(urls.intermediary);
        client.send({ type: "integration", name: `honest-${trip % 9}`, auth_token: PUBLISHED_TOKEN });
        client.send({ query: "get_registered_actions" });
        await client.next(({ actions }) => actions !== undefined, TRIP_MS);
        client.close();
      }),
    ]);
    for (const client of [game, integration, watcher, brain]) client.close();
  }

  stop(): void {
    this.#isStopped = true;
    this.#lag.stop();
  }

  async #repeat(kind: TripKind, relay: RelayProcess, trip: (number: number) => Promise<void>): Promise<void> {
    while (!this.#isStopped) {
      const [from, waited] = [performance.now(), relay.waitedMs];
      try {
        await trip(++this.trips[kind]);
      } catch (error) {
        if (!this.#isStopped) {
          this.violations.push(`${kind} ${this.trips[kind]}: ${error instanceof Error ? error.message : error}`);
        }
        return;
      }
      const took = performance.now() - from - (relay.waitedMs - waited) - this.#lag.since(from);
      this.worstMs[kind] = Math.max(this.worstMs[kind], took);
      await pause(BETWEEN_MS);
    }
  }
}

/** How long the timers of this process were late. */
class Lag {
  readonly #late: { readonly at: number; readonly ms: number }[] = [];
  readonly #timer: ReturnType<typeof setInterval>;

  constructor() {
    let last = performance.now();
    this.#timer = setInterval(() => {
      const now = performance.now();
      if (now - last > 2 * TICK_MS) this.#late.push({ at: now, ms: now - last - TICK_MS });
      this.#late.splice(0, this.#late.length - 1_000);
      last = now;
    }, TICK_MS);
  }

  since(from: number): number {
    return this.#late.reduce((sum, { at, ms }) => (at > from ? sum + Math.min(ms, at - from) : sum), 0);
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

// Why a real clock: a real process is tested.
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
