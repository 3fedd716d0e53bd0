/**
 * Takes the owner of a relay away again and again, under traffic: it is killed, paused, cut off from Redis, or stopped.
 *
 * Three nodes, on Bun and Deno. In each round two games at the other nodes are registered, a game at a third talks, and a watcher at another
 * node sends commands to an absent integration, which connects at the end and has to get each command that was answered `queued`.
 */
import { inFolder } from "../harness/relay.ts";
import type { JsonClient } from "../harness/json-client.ts";
import { TestCluster, TestGame, type TestNode, until } from "../cluster/fixture.ts";
import { connectIntegration, connectWatcher, receive, receiveReply, sendCommand } from "./clients.ts";
import { DeliveryLog } from "./delivery-log.ts";

export type ClusterFault = "kill" | "stop" | "part" | "term";

export interface ClusterFigures {
  readonly rounds: number;
  /** From the fault to the next connection at Neuro, and until all actions were registered there. */
  readonly redialMs: readonly number[];
  readonly registeredMs: readonly number[];
  readonly queued: number;
  readonly lost: number;
  readonly unanswered: number;
  readonly gamesClosed: number;
  readonly watchersClosed: number;
  /** Frames that reached Neuro from an owner after the first frame of its successor. */
  readonly framesOfFormerOwners: number;
  readonly violations: readonly string[];
}

const COMMAND_MS = 40;
/** A paused or cut off owner comes back this long after its successor has begun. */
const BACK_MS = 1_500;
const SETS = ["queue.per_recipient=100000", "queue.total=100000"];

export function tortureCluster(fault: ClusterFault, rounds: number): Promise<ClusterFigures> {
  return inFolder(async (folder) => {
    const cluster = await TestCluster.start(folder, ["Bun", "Deno", "Bun"], SETS);
    try {
      return await new Run(cluster, fault).run(rounds);
    } catch (error) {
      for (const { name, process } of cluster.nodes) {
        console.log(
          `${name}:\n${
            process.output.split("\n").slice(-60).filter((line) => !line.includes("queued command")).join("\n")
          }`,
        );
      }
      throw error;
    } finally {
      await cluster.stop();
    }
  });
}

class Run {
  readonly #cluster: TestCluster;
  readonly #fault: ClusterFault;
  readonly #log = new DeliveryLog();
  readonly #redialMs: number[] = [];
  readonly #registeredMs: number[] = [];
  #unanswered = 0;
  #gamesClosed = 0;
  #watchersClosed = 0;

  constructor(cluster: TestCluster, fault: ClusterFault) {
    this.#cluster = cluster;
    this.#fault = fault;
  }

  async run(rounds: number): Promise<ClusterFigures> {
    const { neuro, nodes } = this.#cluster;
    await this.#cluster.isWhole();
    const first = await connectIntegration(nodes[0]?.process as TestNode["process"], "jukebox");
    await first.next(({ event }) => event === "registered");
    first.close();
    for (let round = 0; round < rounds; round++) await this.#round(round);
    await this.#deliver();
    const { queued, lost } = this.#log.counts;
    return {
      rounds,
      redialMs: this.#redialMs,
      registeredMs: this.#registeredMs,
      queued,
      lost,
      unanswered: this.#unanswered,
      gamesClosed: this.#gamesClosed,
      watchersClosed: this.#watchersClosed,
      framesOfFormerOwners: neuro.framesOfFormerOwners,
      violations: neuro.violations,
    };
  }

  async #round(round: number): Promise<void> {
    const { neuro, nodes } = this.#cluster;
    const owner = await this.#cluster.owner();
    const [near, far] = nodes.filter((node) => node !== owner) as [TestNode, TestNode];
    const games = await Promise.all(
      [near, far].map((node) => TestGame.connect(`round_${round}_${node.name}`, node.process.urls.neuro)),
    );
    const areRegistered = () => games.every(({ name }) => neuro.current?.names.has(`play_${name}`));
    await until(areRegistered, "the actions of both games");
    const traffic = this.#talk(near, games[1] as TestGame);
    await pause(300);
    const before = neuro.connections.length;
    const began = performance.now();
    const succeeded = until(() => neuro.connections.length > before, "a connection to Neuro");
    const back = this.#takeAway(owner, succeeded);
    await succeeded;
    this.#redialMs.push((neuro.connections[before]?.openedAt ?? 0) - began);
    await until(areRegistered, "the actions of both games again");
    this.#registeredMs.push(performance.now() - began);
    for (const { name } of games) {
      const id = neuro.act(`play_${name}`);
      await until(() => neuro.current?.results.get(id) === true, `a result of ${name}`);
    }
    await back;
    await pause(200);
    await traffic.end();
    this.#gamesClosed += games.reduce((sum, { closes }) => sum + closes, 0);
    for (const game of games) game.close();
    await this.#cluster.isWhole();
  }

  /** `succeeded` resolves once another node has dialed Neuro. */
  async #takeAway(owner: TestNode, succeeded: Promise<void>): Promise<void> {
    switch (this.#fault) {
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
    }
  }

  /** A watcher that sends commands, and a game that talks. */
  #talk(node: TestNode, game: TestGame): { end(): Promise<void> } {
    let isOver = false;
    const talking = setInterval(() => game.say("a line"), COMMAND_MS);
    const commands = (async () => {
      let watcher: JsonClient | undefined;
      while (!isOver) {
        try {
          watcher ??= await connectWatcher(node.process);
          await receiveReply(watcher, sendCommand(watcher, "jukebox", this.#log), this.#log);
          await pause(COMMAND_MS);
        } catch {
          if (watcher?.isOpen === false) this.#watchersClosed++;
          else if (watcher !== undefined) this.#unanswered++;
          watcher = undefined;
          await pause(COMMAND_MS);
        }
      }
      watcher?.close();
    })();
    return {
      end: async () => {
        isOver = true;
        clearInterval(talking);
        await commands;
      },
    };
  }

  /** The integration connects and takes everything that waits. */
  async #deliver(): Promise<void> {
    const { process } = await this.#cluster.owner();
    const [watcher, jukebox] = [await connectWatcher(process), await connectIntegration(process, "jukebox")];
    const last = sendCommand(watcher, "jukebox", this.#log);
    await Promise.all([
      receiveReply(watcher, last, this.#log),
      receive(jukebox, "jukebox", { log: this.#log, until: last }),
    ]);
    watcher.close();
    jukebox.close();
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const median = (sorted: readonly number[]): number => sorted[Math.floor(sorted.length / 2)] ?? NaN;
const spread = (values: readonly number[]): string => {
  const sorted = values.toSorted((left, right) => left - right);
  return `${(median(sorted) / 1_000).toFixed(2)}, ${((sorted.at(-1) ?? NaN) / 1_000).toFixed(2)} s`;
};

export const CLUSTER_TITLES: readonly string[] = [
  "fault of the owner",
  "rounds",
  "Neuro dialed (median, longest)",
  "actions registered (median, longest)",
  "queued",
  "lost",
  "unanswered",
  "games closed",
  "watchers closed",
  "frames of former owners",
];

export const clusterRow = (fault: ClusterFault, figures: ClusterFigures): readonly string[] => [
  fault,
  ...[figures.rounds, spread(figures.redialMs), spread(figures.registeredMs), figures.queued, figures.lost].map(String),
  ...[figures.unanswered, figures.gamesClosed, figures.watchersClosed, figures.framesOfFormerOwners].map(String),
];

/** What must not happen. */
export function clusterViolations(fault: ClusterFault, figures: ClusterFigures): readonly string[] {
  const limitMs = fault === "term" ? 2_500 : 3_500;
  const late = figures.redialMs.filter((ms) => ms > limitMs);
  return [
    ...late.map((ms) => `Neuro was dialed after ${Math.round(ms)} ms`),
    ...(figures.lost > 0 ? [`${figures.lost} acknowledged commands were lost`] : []),
    ...(figures.gamesClosed > 0 ? [`${figures.gamesClosed} games at other nodes were closed`] : []),
    ...(fault === "term" && figures.watchersClosed + figures.unanswered > 0
      ? [`${figures.watchersClosed} watchers closed, ${figures.unanswered} requests unanswered`]
      : []),
    ...figures.violations,
  ].map((violation) => `cluster, ${fault}: ${violation}`);
}
