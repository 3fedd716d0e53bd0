/**
 * Takes something away from the nodes of a cluster again and again, under traffic: the owner of the relay is killed, paused, cut off from Redis
 * or stopped, or Redis is killed or hangs.
 *
 * Three nodes, on Bun and Deno. In each round two games at the nodes that are not the owner are registered, one of them talks, a watcher at
 * the one node sends commands, and an integration at the other one acknowledges half of them. Another integration connects at the end
 * and has to get each command that was answered `queued`.
 */
import { find } from "../harness/machine.ts";
import { inFolder } from "../harness/relay.ts";
import { TestCluster, TestGame, type TestNode, until } from "../cluster/fixture.ts";
import { assertNever } from "../../src/core/assert.ts";
import { RedisServer } from "./backends.ts";
import { connectIntegration, connectWatcher, receive, receiveReply, RECIPIENTS, sendCommand, sync } from "./clients.ts";
import { type ClusterFigures, type FaultLimits, loadNow } from "./cluster-report.ts";
import { Traffic } from "./cluster-traffic.ts";
import { DeliveryLog } from "./delivery-log.ts";

export type ClusterFault = "kill" | "stop" | "part" | "term" | "away" | "hang";

interface Fault extends FaultLimits {
  readonly title: string;
  readonly rounds: number;
}

const FAILOVER = { medianMs: 2_400, longestMs: 3_500 };

/** How each is reported, how often it happens in the whole series, and what it may cost with `cluster.lease: 2s`. */
export const FAULTS = {
  kill: { title: "owner: `kill -9`", rounds: 100, redial: FAILOVER, mayCloseWatchers: true },
  stop: { title: "owner: SIGSTOP, later SIGCONT", rounds: 50, redial: FAILOVER, mayCloseWatchers: true },
  part: { title: "owner: cut off from Redis, later not", rounds: 50, redial: FAILOVER, mayCloseWatchers: true },
  term: { title: "owner: SIGTERM", rounds: 50, redial: { medianMs: 300, longestMs: 2_500 }, mayCloseWatchers: false },
  away: { title: "Redis: `kill -9`, started after 10 s", rounds: 5, mayCloseWatchers: false },
  hang: { title: "Redis: SIGSTOP for 10 s", rounds: 5, mayCloseWatchers: false },
} as const satisfies Readonly<Record<ClusterFault, Fault>>;

export interface TortureOptions {
  readonly rounds: number;
  /** How long Redis is away. */
  readonly awayMs?: number;
}

const AWAY_MS = 10_000;
/** A paused or cut off owner comes back this long after its successor has begun. */
const BACK_MS = 1_500;
/** Why without rebalancing: it moves a relay as well, in between. */
const SETS = ["queue.per_recipient=100000", "queue.total=100000", "cluster.rebalance=false"];

/** Runs the rounds of one fault. Throws if something does not come back at all, with the logs of the nodes on standard output. */
export function tortureCluster(
  fault: ClusterFault,
  { rounds, awayMs = AWAY_MS }: TortureOptions,
): Promise<ClusterFigures> {
  return RedisServer.run(find("redis-server") ?? "", (redis) =>
    inFolder(async (folder) => {
      const cluster = await TestCluster.start(folder, ["Bun", "Deno", "Bun"], { sets: SETS, redisUrl: redis.url });
      try {
        return await new Run(cluster, redis, { fault, awayMs }).run(rounds);
      } catch (error) {
        printLogs(cluster);
        throw error;
      } finally {
        await cluster.stop();
      }
    }));
}

function printLogs({ nodes }: TestCluster): void {
  for (const { name, process } of nodes) {
    const lines = process.output.split("\n").filter((line) => !/queued command|delivered queued/.test(line));
    console.log(`${name}:\n${lines.slice(-60).join("\n")}`);
  }
}

class Run {
  readonly #cluster: TestCluster;
  readonly #redis: RedisServer;
  readonly #fault: ClusterFault;
  readonly #awayMs: number;
  readonly #log = new DeliveryLog();
  readonly #redialMs: number[] = [];
  readonly #registeredMs: number[] = [];
  readonly #loads: number[] = [];
  #reconnects = 0;
  #unanswered = 0;
  #gamesClosed = 0;
  #watchersClosed = 0;

  constructor(
    cluster: TestCluster,
    redis: RedisServer,
    { fault, awayMs }: { readonly fault: ClusterFault; readonly awayMs: number },
  ) {
    this.#cluster = cluster;
    this.#redis = redis;
    this.#fault = fault;
    this.#awayMs = awayMs;
  }

  async run(rounds: number): Promise<ClusterFigures> {
    const { neuro } = this.#cluster;
    await this.#cluster.isWhole();
    const { process } = await this.#cluster.owner();
    for (const recipient of RECIPIENTS) {
      const first = await connectIntegration(process, recipient);
      await sync(first);
      first.close();
    }
    for (let round = 0; round < rounds; round++) await this.#round(round);
    await this.#deliver();
    return {
      fault: FAULTS[this.#fault].title,
      rounds,
      redialMs: this.#redialMs,
      registeredMs: this.#registeredMs,
      deliveries: this.#log.counts,
      unanswered: this.#unanswered,
      gamesClosed: this.#gamesClosed,
      watchersClosed: this.#watchersClosed,
      reconnects: this.#reconnects,
      framesOfFormerOwners: neuro.framesOfFormerOwners,
      loads: this.#loads,
      violations: neuro.violations,
    };
  }

  async #round(round: number): Promise<void> {
    const { neuro, nodes } = this.#cluster;
    this.#loads.push(loadNow());
    const owner = await this.#cluster.owner();
    const [near, far] = nodes.filter((node) => node !== owner) as [TestNode, TestNode];
    const games = await Promise.all(
      [near, far].map((node) => TestGame.connect(`round_${round}_${node.name}`, node.process.urls.neuro)),
    );
    await until(() => this.#areRegistered(games), "the actions of both games");
    const traffic = new Traffic(this.#log, near.process, far.process);
    const talking = setInterval(() => games[1]?.say("a line"), 40);
    await pause(300);
    if (this.#fault === "away" || this.#fault === "hang") await this.#withoutRedis(this.#fault, games);
    else await this.#withoutOwner(this.#fault, owner, games);
    for (const { name } of games) {
      const id = neuro.act(`play_${name}`);
      await until(() => neuro.current?.results.get(id) === true, `a result of ${name}`);
    }
    await pause(200);
    clearInterval(talking);
    const unanswered = await traffic.end();
    const gamesClosed = games.reduce((sum, { closes }) => sum + closes, 0);
    this.#unanswered += unanswered;
    this.#watchersClosed += traffic.watchersClosed;
    this.#gamesClosed += gamesClosed;
    const { mayCloseWatchers, redial }: FaultLimits = FAULTS[this.#fault];
    const lastMs = this.#redialMs.at(-1) ?? 0;
    const isLate = redial !== undefined && lastMs > redial.longestMs;
    if (isLate || unanswered + gamesClosed > 0 || (traffic.watchersClosed > 0 && !mayCloseWatchers)) {
      const closed = `${gamesClosed} games and ${traffic.watchersClosed} watchers closed`;
      console.log(`round ${round}: dialed after ${Math.round(lastMs)} ms, ${unanswered} unanswered, ${closed}`);
      printLogs(this.#cluster);
    }
    for (const game of games) game.close();
    await this.#cluster.isWhole();
  }

  async #withoutOwner(
    fault: "kill" | "stop" | "part" | "term",
    owner: TestNode,
    games: readonly TestGame[],
  ): Promise<void> {
    const { neuro } = this.#cluster;
    const before = neuro.connections.length;
    const began = performance.now();
    const succeeded = until(() => neuro.connections.length > before, "a connection to Neuro");
    const back = takeAway(owner, fault, succeeded);
    await succeeded;
    this.#redialMs.push((neuro.connections[before]?.openedAt ?? 0) - began);
    await until(() => this.#areRegistered(games), "the actions of both games again");
    this.#registeredMs.push(performance.now() - began);
    await back;
  }

  /** Neuro uses the games meanwhile, and their results arrive when Redis is back. */
  async #withoutRedis(fault: "away" | "hang", games: readonly TestGame[]): Promise<void> {
    const { neuro } = this.#cluster;
    const before = neuro.connections.length;
    if (fault === "away") await this.#redis.kill();
    else this.#redis.hang();
    await pause(this.#awayMs / 2);
    const ids = games.map(({ name }) => neuro.act(`play_${name}`));
    await pause(this.#awayMs / 2);
    if (fault === "away") await this.#redis.start();
    else this.#redis.resume();
    await until(() => ids.every((id) => neuro.current?.results.get(id) === true), "the results of the meantime");
    this.#reconnects += neuro.connections.length - before;
  }

  #areRegistered(games: readonly TestGame[]): boolean {
    return games.every(({ name }) => this.#cluster.neuro.current?.names.has(`play_${name}`) === true);
  }

  /** Both integrations connect and take everything that waits. */
  async #deliver(): Promise<void> {
    const { process } = await this.#cluster.owner();
    for (const recipient of RECIPIENTS) {
      const [watcher, integration] = [await connectWatcher(process), await connectIntegration(process, recipient)];
      const last = sendCommand(watcher, recipient, this.#log);
      await receiveReply(watcher, last, this.#log);
      await receive(integration, recipient, { log: this.#log, until: last });
      watcher.close();
      integration.close();
    }
  }
}

/** Resolves when it is back; `succeeded` resolves once another node has dialed Neuro. */
async function takeAway(
  owner: TestNode,
  fault: "kill" | "stop" | "part" | "term",
  succeeded: Promise<void>,
): Promise<void> {
  switch (fault) {
    case "kill":
      await owner.process.stop("SIGKILL");
      return await owner.restart();
    case "term":
      await owner.process.stop("SIGTERM");
      return await owner.restart();
    case "stop":
      owner.process.signal("SIGSTOP");
      await succeeded;
      await pause(BACK_MS);
      owner.process.signal("SIGCONT");
      return await pause(500);
    case "part":
      owner.redis.freeze();
      await succeeded;
      await pause(BACK_MS);
      owner.redis.thaw();
      return await pause(500);
    default:
      return assertNever(fault);
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
