/** Silent connections fill the places of the Intermediary, over real sockets: who leaves, and who gets in. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "#runner";
import { TOKENS, variablesOf } from "../../conformance/platform.ts";
import { bundle, deploy } from "../../conformance/workers.ts";
import { check } from "../../harness/check.ts";
import { RUNNERS } from "../../harness/machine.ts";
import { RawPeer } from "../../fuzz/sockets/raw-peer.ts";
import { inFolder, RelayProcess } from "../../harness/relay.ts";

/** Connects to the Intermediary from an address. */
type Connect = (address: string) => Promise<Connection>;

const LOCAL = "127.0.0.1";

class Connection {
  readonly #socket: WebSocket;
  /** The code of its close; undefined while it is open. */
  code: number | undefined;
  readonly heard: string[] = [];

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.onmessage = ({ data }) => void this.heard.push(String(data));
    socket.onclose = ({ code }) => (this.code = code);
  }

  static open(url: string, headers: Record<string, string>): Promise<Connection> {
    const socket = new WebSocket(url, { headers });
    const connection = new Connection(socket);
    return new Promise((resolve, reject) => {
      socket.onopen = () => resolve(connection);
      socket.onerror = () => reject(new Error("refused"));
    });
  }

  /** Greets, and returns whether it is registered. */
  async greet(name: string): Promise<boolean> {
    this.#socket.send(JSON.stringify({ type: "integration", name, auth_token: TOKENS.intermediary, ack: true }));
    await until(() => this.heard.length > 0 || this.code !== undefined);
    return this.heard.some((frame) => frame.includes("registered"));
  }

  close(): void {
    this.#socket.close();
  }
}

async function until(holds: () => boolean): Promise<void> {
  for (const end = performance.now() + 10_000; !holds() && performance.now() < end;) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const isOpen = ({ code }: Connection): boolean => code === undefined;

async function silentOnes(connect: Connect, addresses: readonly string[]): Promise<Connection[]> {
  const connections: Connection[] = [];
  for (const address of addresses) connections.push(await connect(address));
  return connections;
}

const repeated = (address: string, count: number): readonly string[] => Array.from({ length: count }, () => address);
const different = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, at) => `203.0.${at >> 7}.${at & 127}`);

/** Who leaves and who gets in, where all together have `places`. */
async function checkPlaces(connect: Connect, places: number): Promise<void> {
  const fromOne = await silentOnes(connect, repeated("198.51.100.7", places));
  await until(() => fromOne.filter(isOpen).length === places / 4);
  check.equal(
    fromOne.map(isOpen),
    fromOne.map((_, at) => at >= places * 3 / 4),
    "one address has a quarter, and the oldest leave",
  );

  const strangers = await silentOnes(connect, different(places * 2));
  await until(() => strangers.filter(isOpen).length === places * 3 / 4);
  check.equal(strangers.map(isOpen), strangers.map((_, at) => at >= places * 5 / 4), "all strangers have three quarters");

  const known = await connect("192.0.2.9");
  check.that(await known.greet("far"), "an honest stranger gets in");

  const locals = await silentOnes(connect, repeated(LOCAL, places));
  await until(() => !strangers.some(isOpen));
  check.that(!strangers.some(isOpen), "strangers leave for this machine");
  check.that(locals.every(isOpen), "and none of this machine");
  await silentOnes(connect, different(places)).catch(() => []);
  check.that(locals.every(isOpen), "strangers never take a place of this machine");

  const honest = await connect(LOCAL);
  check.that(await honest.greet("near"), "an honest client of this machine gets in");
  check.equal([locals[0]?.code, isOpen(known)], [locals[0]?.code ?? NaN, true]);
  const again = await connect("192.0.2.9");
  check.that(await again.greet("far-2"), "an address with an accepted peer counts as this machine");
  for (const one of [...fromOne, ...strangers, ...locals, known, honest, again]) one.close();
}

for (const [runtime, runner] of Object.entries(RUNNERS)) {
  // Why fewer on Bun: there it cannot be seen how much of a message a stranger at the web port has sent.
  const places = runtime === "Bun" ? 8 : 64;
  test(
    `IM4b IM3d SE50 of silent connections the oldest leave, and honest ones get in (web port, ${runtime})`,
    () =>
      inFolder(async (folder) => {
        const sets = [
          "web.enabled=true",
          "web.port=0",
          "limits.greeting=60s",
          'web.trusted_proxies=["127.0.0.1"]',
          `intermediary.auth_token=${TOKENS.intermediary}`,
        ];
        const relay = await RelayProcess.start(folder, sets, runner);
        const url = new URL("/intermediary", relay.urls.web.replace(/^http/, "ws"));
        url.hash = "";
        try {
          // Why another loopback address: that of a trusted proxy is not local.
          const headers = (address: string) => ({ "x-forwarded-for": address === LOCAL ? "127.0.0.2" : address });
          await checkPlaces((address) => Connection.open(url.href, headers(address)), places);
        } finally {
          await relay.stop("SIGKILL");
        }
      }),
    { timeoutMs: 60_000 },
  );

  test(
    `IM4b of 80 silent connections from this machine the oldest leave with 1013, and an honest one gets in (${runtime})`,
    () =>
      inFolder(async (folder) => {
        const relay = await RelayProcess.start(folder, [
          "limits.greeting=60s",
          `intermediary.auth_token=${TOKENS.intermediary}`,
        ], runner);
        try {
          const connect = () => Connection.open(relay.urls.intermediary, {});
          const silent = await silentOnes(connect, repeated(LOCAL, 80));
          await until(() => silent.filter(isOpen).length === 64);
          check.equal(silent.map(({ code }) => code), silent.map((_, at) => at < 16 ? 1013 : undefined));
          check.that(await (await connect()).greet("honest"));
        } finally {
          await relay.stop("SIGKILL");
        }
      }),
    { timeoutMs: 60_000 },
  );
}

test("IM4b SE50 of silent connections the oldest leave, and an honest one gets in (workerd)", async () => {
  const folder = mkdtempSync(join(tmpdir(), "neuro-relay-evictions-"));
  const script = await bundle("src/runtimes/workers/worker.ts");
  const worker = await deploy({ script, folder, variables: variablesOf({ "limits.greeting": "60s" }), say: () => {} });
  try {
    const { host, port } = await worker.ready;
    await fetch(`http://${host}/health`); // Why: the object starts with the first request.
    const silent: RawPeer[] = [];
    for (let at = 0; at < 80; at++) {
      const peer = await RawPeer.open({ port: Number(port), from: LOCAL });
      check.that(await peer?.upgrade("/intermediary"));
      if (peer !== undefined) silent.push(peer);
    }
    const heard = silent.map(() => "");
    const hear = () => silent.forEach((peer, at) => heard[at] += peer.take());
    // Why the bytes: workerd sends the close, but keeps the connection.
    const isTold = (text: string) => text.includes(String.fromCharCode(1013 >> 8, 1013 & 255));
    await until(() => (hear(), heard.filter(isTold).length === 16));
    check.equal(heard.map(isTold), heard.map((_, at) => at < 16));
    check.that(await (await Connection.open(`ws://${host}/intermediary`, {})).greet("honest"));
    for (const peer of silent) peer.drop(false);
  } finally {
    await worker.dispose();
    rmSync(folder, { recursive: true, force: true });
  }
}, { timeoutMs: 90_000 });
