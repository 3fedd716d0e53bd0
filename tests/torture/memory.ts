/**
 * Clients of every listener that make a relay keep as much as it does: each fills one table, as fast as its rate allows. Real processes,
 * real sockets, default limits.
 */
import { readdir, stat } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { execPath } from "node:process";
import { PUBLISHED_TOKEN } from "../../src/core/defaults.ts";
import type { Json } from "../../src/core/json.ts";
import { inFolder, RelayProcess } from "../harness/relay.ts";
import { JsonClient } from "../harness/json-client.ts";
import { type NallelyServer, openSession } from "../harness/nallely-server.ts";

export interface MemoryResult {
  /** Resident memory with the garbage, while the clients send; without it, before they leave and after it; and of the next start. */
  readonly peakMb: number;
  readonly keptMb: number;
  readonly afterMb: number;
  readonly restartMb: number;
  /** What is stored after the clients left. */
  readonly diskMb: number;
  readonly violations: readonly string[];
}

const SAMPLE_MS = 50;
const COLLECTOR = join(import.meta.dirname, "collect-garbage.ts");
export const COLLECTING: readonly string[] = [execPath, "--preload", COLLECTOR];
/** Below the default of `limits.bytes_per_second`, because games above it are delayed. */
const BYTES_PER_SECOND = 3_500_000;
const TEXT_LENGTH = 400_000;

/** Distinct texts, so that no engine stores one of them twice as the same. */
export const text = (seed: number, length = TEXT_LENGTH): string => `${seed} ${"x".repeat(length)}`;
const game = (name: string, command: string, data: object) => ({ command, game: name, data });

/** The messages that fill one table. */
export type Filler = (at: number) => object | string;

export const GAME_TABLES: Readonly<Record<string, Filler>> = {
  "actions": (at) => game("Actions", "actions/register", { actions: [{ name: text(at), description: text(at) }] }),
  "large schemas": (at) => game("Schemas", "actions/register", { actions: manyActions(at, 20) }),
  "names registered": (at) =>
    game("Names", "actions/register", {
      actions: Array.from({ length: 40 }, (_, n) => ({ name: text(at * 40 + n, 9_000) })),
    }),
  "names given up": (at) =>
    at % 2 === 0
      ? game("Fickle", "actions/register", { actions: [{ name: text(at), description: "x" }] })
      : game("Fickle", "actions/unregister", { action_names: [text(at - 1)] }),
  "games": (at) => game(text(at), "startup", {}),
  "contexts": (at) => game(`away ${at % 20}`, "context", { message: text(at), silent: false }),
  "forces": (at) => game(`away ${at}`, "actions/force", { query: text(at), state: text(at), action_names: [] }),
  "contested names": (at) => game("Honest", "context", { message: text(at), silent: false }),
  "unknown commands": (at) => game("Odd", text(at), { [text(at)]: 1 }),
  "objects": (at) => game("Objects", "context", { message: Array.from({ length: 60_000 }, () => ({})), silent: false, at }),
};

export const INTEGRATION_TABLES: Readonly<Record<string, Filler>> = {
  "listed actions": (at) => ({ event: "register_actions", actions: manyActions(at, 20) }),
  "events": (at) => ({ event: text(at), [text(at)]: text(at) }),
  "text": (at) => text(at),
};

export const WATCHER_TABLES: Readonly<Record<string, Filler>> = {
  "commands for an absent integration": (at) => ({ target: "absent", cmd: text(at) }),
  "choices": (at) => ({ choice: { selected: text(at), data: text(at) } }),
  "messages for Neuro": (at) => ({ direct_to_neuro: true, payload: text(at) }),
  "subscriptions": (at) => ({ subscribe: { events: [text(at)], after: text(at) }, request_id: "x" }),
};

export const BRAIN_TABLES: Readonly<Record<string, Filler>> = {
  "sessions": (at) => ({ cmd: "CreateSession", initial_state: { big: text(at, 60_000) } }),
  "refused requests": (at) => ({ cmd: text(at), op_id: text(at) }),
};

function manyActions(at: number, count: number): object[] {
  const schema = { type: "object", properties: { x: { description: text(at, 12_000) } } };
  return Array.from({ length: count }, (_, n) => ({ name: `a${at}_${n}`, description: text(n, 8_000), schema }));
}

/** Runs all clients for a time, lets them leave, and starts the relay again. */
export function fillEverything(fillMs: number): Promise<MemoryResult> {
  return inFolder(async (folder) => {
    await using nallely = openSession();
    const neuro = new HostileNeuro();
    const silent = await silentServer();
    const sets = settingsFor(neuro, silent, nallely);
    const relay = await RelayProcess.start(folder, sets, COLLECTING);
    const memory = new Sampler(relay);
    try {
      const honest = await Honest.connect(relay);
      const end = performance.now() + fillMs;
      const clients = await Promise.all(fillersFor(relay).map((filler) => filler(end)));
      await Promise.all([neuro.flood(end), floodFrom(nallely, end)]);
      await Promise.all(clients.map(({ isDone }) => isDone));
      const violations = await honest.check();
      const peakMb = memory.stop();
      const keptMb = await residentWithoutGarbage(relay);
      for (const { client } of clients) client.close();
      await pause(1_000);
      const afterMb = await residentWithoutGarbage(relay);
      await relay.stop();
      const diskMb = await sizeOf(folder) / 1_048_576;
      const restartMb = await restartAfter(folder, sets);
      const panics = relay.output.match(/internal error.*/g) ?? [];
      return { peakMb, keptMb, afterMb, restartMb, diskMb, violations: [...violations, ...panics.slice(0, 5)] };
    } finally {
      memory.stop();
      neuro.close();
      silent.close();
      if (!relay.hasExited) await relay.stop("SIGKILL");
    }
  });
}

/** Games with large registries and ever new names that register and leave, for a time. */
export function leavingGames(churnMs: number): Promise<MemoryResult> {
  return inFolder(async (folder) => {
    const sets = ["actions.grace=100ms"];
    const relay = await RelayProcess.start(folder, sets, COLLECTING);
    const memory = new Sampler(relay);
    try {
      const honest = await Honest.connect(relay);
      const end = performance.now() + churnMs;
      const churn = async (number: number) => {
        for (let at = 0; performance.now() < end; at++) {
          const client = await JsonClient.open(relay.urls.neuro);
          const name = `${number} ${at} ${"n".repeat(at % 2_000)}`;
          client.send(game(name, "startup", {})).send(game(name, "actions/register", { actions: manyActions(at, 40) }));
          client.send(game(name, "actions/force", { query: text(at), action_names: [`a${at}_1`] }));
          await pause(at % 50);
          client.close();
        }
      };
      await Promise.all(Array.from({ length: 4 }, (_, number) => churn(number)));
      const violations = await honest.check();
      const peakMb = memory.stop();
      const keptMb = await residentWithoutGarbage(relay);
      await pause(2_000);
      const afterMb = await residentWithoutGarbage(relay);
      await relay.stop("SIGKILL");
      const diskMb = await sizeOf(folder) / 1_048_576;
      return { peakMb, keptMb, afterMb, diskMb, restartMb: await restartAfter(folder, sets), violations };
    } finally {
      memory.stop();
      if (!relay.hasExited) await relay.stop("SIGKILL");
    }
  });
}

function settingsFor(neuro: HostileNeuro, silent: Server, { busUrl, trevorUrl }: NallelyServer): readonly string[] {
  const address = silent.address();
  const port = typeof address === "object" ? address?.port : 0;
  return [
    "brain.enabled=true",
    "brain.port=0",
    "intercept-proxy.enabled=true",
    "intercept-proxy.port=0",
    `intercept-proxy.upstream_url=ws://127.0.0.1:${port}`,
    `nakurity-clients=[{"id":"neuro","url":"${neuro.url}"},{"id":"away","url":"ws://127.0.0.1:${port}"}]`,
    'integrations=[{"match":"away*","upstream":"away"}]',
    "nallely.enabled=true",
    `nallely.url=${busUrl}`,
    `nallely.trevor_url=${trevorUrl}`,
  ];
}

interface FillingClient {
  readonly client: JsonClient;
  readonly isDone: Promise<void>;
}

/** A client for each table. */
function fillersFor({ urls }: RelayProcess): readonly ((end: number) => Promise<FillingClient>)[] {
  const greeting = (type: string, name: string) => ({ type, name, auth_token: PUBLISHED_TOKEN });
  const client = (url: string, filler: Filler, first?: object) => async (end: number): Promise<FillingClient> => {
    const opened = await JsonClient.open(url);
    if (first !== undefined) opened.send(first);
    return { client: opened, isDone: repeat(opened, filler, end) };
  };
  const rivals = ["listed actions", "events", "text"];
  return [
    ...Object.values(GAME_TABLES).map((filler) => client(urls.neuro, filler)),
    client(urls.proxy, (at) => text(at)),
    ...Object.entries(INTEGRATION_TABLES).map(([name, filler]) =>
      client(urls.intermediary, filler, greeting("integration", name))
    ),
    ...rivals.map((name) => client(urls.intermediary, (at) => text(at), greeting("integration", name))),
    ...Object.entries(WATCHER_TABLES).map(([name, filler]) =>
      client(urls.intermediary, filler, greeting("neuro-os", name))
    ),
    ...Object.values(BRAIN_TABLES).map((filler) => client(urls.brain, filler)),
  ];
}

/** Sends the messages until the time is over or the relay closes the connection, within the rate. */
async function repeat(client: JsonClient, filler: Filler, end: number): Promise<void> {
  for (let at = 0; performance.now() < end && client.isOpen; at++) {
    const message = filler(at);
    const frame = typeof message === "string" ? message : JSON.stringify(message);
    client.send(frame);
    client.take();
    await pause(frame.length / BYTES_PER_SECOND * 1_000);
  }
}

/** A backend that asks for actions with large data and ids, which no game answers, and sends large messages. */
class HostileNeuro {
  readonly #server: Bun.Server<undefined>;
  #socket: Bun.ServerWebSocket<undefined> | undefined;

  constructor() {
    this.#server = Bun.serve<undefined>({
      hostname: "127.0.0.1",
      port: 0,
      fetch: (request, server) =>
        server.upgrade(request, { data: undefined }) ? undefined : new Response(null, { status: 400 }),
      websocket: { open: (socket) => void (this.#socket = socket), message() {} },
    });
  }

  get url(): string {
    return `ws://127.0.0.1:${this.#server.port}`;
  }

  act(id: string, data: string): void {
    this.#socket?.send(JSON.stringify({ command: "action", data: { id, name: "stand_by", data } }));
  }

  async flood(end: number): Promise<void> {
    for (let at = 0; performance.now() < end; at++) {
      this.act(text(at, 100_000), JSON.stringify({ text: text(at, 100_000) }));
      this.#socket?.send(JSON.stringify({ command: text(at), data: { [text(at)]: 1 } }));
      const session = { sessionId: text(at), characterId: "neuro", displayName: text(at) };
      this.#socket?.send(JSON.stringify({ command: "startup", data: { session } }));
      await pause(300);
    }
  }

  close(): void {
    void this.#server.stop(true);
  }
}

/** A session that sends large messages of all kinds. */
async function floodFrom({ session }: NallelyServer, end: number): Promise<void> {
  for (let at = 0; performance.now() < end; at++) {
    const state = { virtual_devices: [], connections: [], classes: {}, playground_code: text(at) };
    const messages: Json[] = [state, { command: text(at), arg: text(at) }, { command: "stdout", line: text(at) }, text(at)];
    for (const message of messages) session?.trevor.broadcast(message);
    await pause(300);
  }
}

/** A server that accepts connections and never says anything. */
async function silentServer(): Promise<Server> {
  const server = createServer((socket) => socket.on("error", () => {}));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server.unref();
}

/** A game and an integration that behave well, and have to be served at the end. */
class Honest {
  readonly #game: JsonClient;
  readonly #watcher: JsonClient;

  private constructor(client: JsonClient, watcher: JsonClient) {
    this.#game = client;
    this.#watcher = watcher;
  }

  static async connect({ urls }: RelayProcess): Promise<Honest> {
    const client = await JsonClient.open(urls.neuro);
    client.send(game("Honest", "startup", {}));
    client.send(game("Honest", "actions/register", { actions: [{ name: "stand_by", description: "Stand by." }] }));
    const watcher = await JsonClient.open(urls.intermediary);
    watcher.send({ type: "neuro-os", name: "honest", auth_token: PUBLISHED_TOKEN, subscribe: { events: [] } });
    watcher.send({ subscribe: { events: [] }, request_id: "ready" });
    await watcher.next(({ request_id: id }) => id === "ready");
    return new Honest(client, watcher);
  }

  /** What the relay does not do for them any more. */
  async check(): Promise<readonly string[]> {
    const violations: string[] = [];
    this.#game.send({ command: "neuro-relay/health", game: "Honest" });
    await this.#game.next(({ command }) => command === "neuro-relay/health").catch((error) =>
      violations.push(String(error))
    );
    this.#game.send(game("Honest", "actions/register", { actions: [{ name: "one_more", description: "More." }] }));
    this.#watcher.send({ query: "peers", request_id: "peers" });
    await this.#watcher.next(({ request_id: id }) => id === "peers").catch((error) => violations.push(String(error)));
    if (!this.#game.isOpen) violations.push("the honest game was closed");
    return violations;
  }
}

/** The peak of the resident memory of a process. */
class Sampler {
  #peakMb = 0;
  readonly #timer: ReturnType<typeof setInterval>;

  constructor(relay: RelayProcess) {
    this.#timer = setInterval(() => (this.#peakMb = Math.max(this.#peakMb, relay.residentMb)), SAMPLE_MS);
  }

  stop(): number {
    clearInterval(this.#timer);
    return this.#peakMb;
  }
}

/** The peak of the resident memory of the next start in this folder. */
async function restartAfter(folder: string, sets: readonly string[]): Promise<number> {
  const relay = await RelayProcess.start(folder, sets, COLLECTING);
  const memory = new Sampler(relay);
  await pause(1_000);
  const peakMb = Math.max(memory.stop(), relay.residentMb);
  await relay.stop("SIGKILL");
  return peakMb;
}

/** Collects the garbage of a relay and measures it. Why twice: pages are returned to the system only later. */
export async function residentWithoutGarbage(relay: RelayProcess): Promise<number> {
  for (let times = 0; times < 2; times++) {
    relay.signal("SIGUSR1");
    await pause(700);
  }
  return relay.residentMb;
}

/** The bytes of all files below a folder. */
export async function sizeOf(folder: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isFile()) bytes += (await stat(join(entry.parentPath, entry.name))).size;
  }
  return bytes;
}

// Why a real clock: a real process is tested.
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
