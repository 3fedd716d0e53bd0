/** Nodes of a cluster as real processes, with a Redis, a Neuro and games. */
import process from "node:process";
import { Redis } from "ioredis";
import { type BackendFixture, redisOn } from "../unit/storage/backends.ts";
import type { Message } from "../harness/json-client.ts";
import { find, RUNNERS } from "../harness/machine.ts";
import { RelayProcess } from "../harness/relay.ts";
import { LoggingNeuro } from "./logging-neuro.ts";
import { TcpProxy } from "./tcp-proxy.ts";

export const SECRET = "a secret of the nodes, at least 32 characters";

/** One node, which can be started again under its name. */
export class TestNode {
  readonly name: string;
  /** Its connection to Redis. */
  readonly redis: TcpProxy;
  readonly #start: () => Promise<RelayProcess>;
  process: RelayProcess;

  private constructor(name: string, redis: TcpProxy, start: () => Promise<RelayProcess>, first: RelayProcess) {
    this.name = name;
    this.redis = redis;
    this.#start = start;
    this.process = first;
  }

  static async start(name: string, redis: TcpProxy, start: () => Promise<RelayProcess>): Promise<TestNode> {
    return new TestNode(name, redis, start, await start());
  }

  /** Starts a second process with the settings of this one. */
  startAnother(): Promise<RelayProcess> {
    return this.#start();
  }

  async restart(): Promise<void> {
    this.process = await this.#start();
  }

  get web(): string {
    return this.process.urls.web.replace(/\/(?:#.*|\?.*)?$/, "");
  }

  async ready(): Promise<{ readonly status: number; readonly body: Message }> {
    const response = await fetch(`${this.web}/ready`, { headers: { authorization: `Bearer ${WEB_TOKEN}` } });
    return { status: response.status, body: await response.json() };
  }
}

/** A game that answers every action, and notes whether its socket was closed. */
export class TestGame {
  readonly name: string;
  readonly #socket: WebSocket;
  closes = 0;
  reregistrations = 0;
  readonly actions: string[] = [];

  private constructor(name: string, socket: WebSocket) {
    this.name = name;
    this.#socket = socket;
    socket.onclose = () => void this.closes++;
    socket.onmessage = ({ data }) => this.#receive(JSON.parse(String(data)));
  }

  static connect(name: string, url: string): Promise<TestGame> {
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(url);
      socket.onerror = () => reject(new Error(`no connection to ${url}`));
      socket.onopen = () => {
        const game = new TestGame(name, socket);
        game.#send("startup");
        game.#register();
        resolve(game);
      };
    });
  }

  say(message: string): void {
    this.#send("context", { message, silent: true });
  }

  close(): void {
    this.#socket.onclose = () => {};
    this.#socket.close();
  }

  #register(): void {
    const actions = [{ name: `play_${this.name}`, description: "Plays.", schema: { type: "object" } }];
    this.#send("actions/register", { actions });
  }

  #send(command: string, data?: object): void {
    this.#socket.send(JSON.stringify({ command, game: this.name, ...(data !== undefined && { data }) }));
  }

  #receive(message: Message): void {
    if (message.command === "actions/reregister_all") {
      this.reregistrations++;
      this.#register();
    }
    if (message.command !== "action") return;
    this.actions.push(message.data.id);
    this.#send("action/result", { id: message.data.id, success: true });
  }
}

export interface ClusterOptions {
  readonly sets?: readonly string[];
  /** By default a Redis that all tests of the process share. */
  readonly redisUrl?: string;
  /** The relay that registered these names, if the nodes have several. */
  relayOf?(names: ReadonlySet<string>): string | undefined;
}

export class TestCluster {
  readonly neuro: LoggingNeuro;
  readonly nodes: TestNode[] = [];
  readonly #folder: string;
  readonly #redisUrl: string;

  private constructor(folder: string, redisUrl: string, neuro: LoggingNeuro) {
    this.#folder = folder;
    this.#redisUrl = redisUrl;
    this.neuro = neuro;
  }

  /** Starts a node on each of these runtimes. */
  static async start(
    folder: string,
    runtimes: readonly (keyof typeof RUNNERS)[],
    { sets = [], redisUrl, relayOf }: ClusterOptions = {},
  ): Promise<TestCluster> {
    const cluster = new TestCluster(folder, redisUrl ?? await TestCluster.emptyRedis(), new LoggingNeuro(relayOf));
    for (const [index, runtime] of runtimes.entries()) await cluster.#add(`n${index}`, runtime, sets);
    return cluster;
  }

  async #add(name: string, runtime: string, sets: readonly string[]): Promise<void> {
    const proxy = await TcpProxy.start(Number(new URL(this.#redisUrl).port));
    const all = [
      `nakurity-client.url=${this.neuro.url}`,
      "web.enabled=true",
      "web.port=0",
      `web.token=${WEB_TOKEN}`,
      "cluster.enabled=true",
      `cluster.url=redis://127.0.0.1:${proxy.port}`,
      `cluster.secret=${SECRET}`,
      `cluster.node=${name}`,
      "cluster.port=0",
      "shutdown.grace=1s",
      ...sets,
    ];
    const start = () => RelayProcess.start(this.#folder, all, RUNNERS[runtime] ?? [process.execPath]);
    this.nodes.push(await TestNode.start(name, proxy, start));
  }

  /** Waits until each node reaches all others. */
  async isWhole(): Promise<void> {
    const others = this.nodes.length - 1;
    let bodies: readonly Message[] = [];
    const isWhole = async (): Promise<boolean> => {
      bodies = await Promise.all(this.nodes.map(async (node) => (await node.ready()).body));
      return bodies.every(({ members }) => members.filter((member: Message) => member.isReachable).length === others) &&
        bodies.some(({ relays }) => relays.includes("default"));
    };
    await until(isWhole, "each node reaches all others, and one owns the relay").catch((error: unknown) => {
      for (const { name, process } of this.nodes) console.log(`${name}:\n${process.output}`);
      throw new Error(`${String(error)}: ${JSON.stringify(bodies)}`);
    });
  }

  /** The Redis that all tests of the process share. */
  static async redisUrl(): Promise<string> {
    redis ??= redisOn(find("redis-server") ?? "").then((kind) => kind.make());
    return (await redis).settings.url;
  }

  /** The same, with nothing in it. */
  static async emptyRedis(): Promise<string> {
    const url = await TestCluster.redisUrl();
    await (await redis)?.clear();
    return url;
  }

  static async writeRedis(key: string, value: string): Promise<void> {
    const client = new Redis(await TestCluster.redisUrl());
    await client.set(key, value);
    client.disconnect();
  }

  static async configureRedis(name: string, value: string): Promise<void> {
    const client = new Redis(await TestCluster.redisUrl());
    await client.config("SET", name, value);
    client.disconnect();
  }

  /** The node that owns the relay at the root. */
  async owner(name = "default"): Promise<TestNode> {
    for (const node of this.nodes) {
      if (node.process.hasExited) continue;
      const { body } = await node.ready();
      if (body.relays.includes(name)) return node;
    }
    throw new Error("no node owns the relay");
  }

  async stop(): Promise<void> {
    for (const { process, redis } of this.nodes) {
      if (!process.hasExited) await process.stop("SIGKILL");
      redis.close();
    }
    await this.neuro.close();
  }
}

let redis: Promise<BackendFixture> | undefined;

export const WEB_TOKEN = "the-token-of-the-web-port";

/** Waits until it is true. */
export async function until(isTrue: () => boolean | Promise<boolean>, what: string, timeoutMs = 15_000): Promise<void> {
  const end = performance.now() + timeoutMs;
  while (!await isTrue()) {
    if (performance.now() > end) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
