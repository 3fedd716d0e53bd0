/** Two nodes of a cluster: every client is connected to the one that owns no relay. */
import { rankedFor } from "../../src/cluster/placement.ts";
import { TestCluster, until } from "../cluster/fixture.ts";
import { check } from "../harness/check.ts";
import { type Platform, type Relay, type Setup, TOKENS } from "./platform.ts";
import { onBun, ProcessRelay } from "./processes.ts";

const GATEWAY = "gateway";
/** The names of relays in the cases. */
const RELAYS = ["default", "test-1", "test-8", "test-9"];
const isFirstForAll = (owner: string): boolean =>
  RELAYS.every((relay) => rankedFor(relay, [`${GATEWAY}.x`, `${owner}.x`])[0] === `${owner}.x`);
const OWNER = Array.from({ length: 1_000 }, (_, count) => `owner-${count}`).find(isFirstForAll) ?? "";

interface Readiness {
  readonly relays: readonly string[];
  readonly members: readonly { readonly node: string; readonly isReachable: boolean }[];
}

class GatewayRelay implements Relay {
  readonly #owner: ProcessRelay;
  readonly #gateway: ProcessRelay;

  private constructor(owner: ProcessRelay, gateway: ProcessRelay) {
    this.#owner = owner;
    this.#gateway = gateway;
  }

  static async create(setup: Setup): Promise<GatewayRelay> {
    const url = await TestCluster.emptyRedis();
    const node = (name: string): ProcessRelay =>
      new ProcessRelay(onBun, {
        "cluster.enabled": true,
        "cluster.url": url,
        "cluster.secret": "a secret of the nodes, at least 32 characters",
        "cluster.node": name,
        "cluster.port": 0,
        "cluster.lease": "1s",
        "cluster.rebalance": false,
        "shutdown.grace": "500ms",
        ...setup,
      });
    const relay = new GatewayRelay(node(OWNER), node(GATEWAY));
    await relay.#start().catch(async (error: unknown) => {
      await relay.#end();
      throw error;
    });
    return relay;
  }

  get urls(): Relay["urls"] {
    return this.#gateway.urls;
  }

  get web(): string {
    return this.#gateway.web;
  }

  named(name: string): Pick<Relay, "urls" | "web"> {
    return this.#gateway.named(name);
  }

  log(): string {
    return this.#owner.log() + this.#gateway.log();
  }

  async restart(): Promise<void> {
    await Promise.all([this.#owner.kill(), this.#gateway.kill()]);
    await this.#start();
  }

  drain(): Promise<number> {
    return this.#gateway.drain();
  }

  async stop(): Promise<void> {
    const owned = this.#gateway.isRunning ? (await readinessOf(this.#gateway)).relays : [];
    await this.#end();
    check.equal(owned, [], "relays of the gateway");
  }

  async #end(): Promise<void> {
    await Promise.all([this.#owner.stop(), this.#gateway.stop()]);
  }

  /** Why one after the other: the first node claims the relay at the root. */
  async #start(): Promise<void> {
    await this.#owner.start();
    await until(async () => (await readinessOf(this.#owner)).relays.includes("default"), "an owner");
    await this.#gateway.start();
    for (const node of [this.#owner, this.#gateway]) {
      await until(
        async () => (await readinessOf(node)).members.filter(({ isReachable }) => isReachable).length === 1,
        "two nodes that reach each other",
      );
    }
  }
}

async function readinessOf({ web }: ProcessRelay): Promise<Readiness> {
  const response = await fetch(`${web}/ready`, { headers: { authorization: `Bearer ${TOKENS.web}` } });
  return await response.json() as Readiness;
}

export const gateway: Platform = {
  name: "gateway",
  differences: {
    RT52b: "the metrics of a relay are at the node that owns it",
    SE113: "in a cluster, tokens are in the settings of each node",
  },
  start: (setup) => GatewayRelay.create(setup),
};
