/**
 * `bun run bench machine [--reps N] [--json] [--floor]`: the relay's own cost of one action trip (action to the game, result to Neuro), and of one context,
 * without sockets.
 *
 * The relay and its engine run with ports that do nothing. They are compared with the work that no relay can avoid: parse each frame, map
 * its id, and stringify it. Both alternate in one process, on the same frames. With `--floor` the floor of `bun run bench duties` is in the
 * place of the Neuro service.
 */
import { parseArgs } from "node:util";
import type { ConnectionInfo, Event } from "../../src/core/event.ts";
import { DEFAULTS, UPSTREAM_DEFAULTS } from "../../src/core/defaults.ts";
import { type LinkId, peerId } from "../../src/core/ids.ts";
import type { Frame } from "../../src/core/json.ts";
import { Secrets } from "../../src/core/secrets.ts";
import type { Settings } from "../../src/core/settings.ts";
import { Engine, type Ports } from "../../src/engine/mod.ts";
import { createMetrics, createObserver, type Log } from "../../src/observability/mod.ts";
import { Relay, supervise } from "../../src/relay/mod.ts";
import { services } from "../../src/relay/services.ts";
import { DUTIES, type Duty, FLOOR_DEFAULTS, type Technique } from "./duties/options.ts";
import { FloorRelay } from "./duties/relay.ts";
import { benchService } from "./duties/service.ts";
import { median } from "./measuring.ts";

const { values: options } = parseArgs({
  options: {
    reps: { type: "string", default: "7" },
    json: { type: "boolean", default: false },
    floor: { type: "boolean", default: false },
  },
});
const GAMES = 10;
const WINDOW = 256;
const MEASURED = 30_000;
/** Until all code of the path is compiled, as it is in a relay that has run for some seconds. */
const WARM_UP = 150_000;
const CONNECTION: ConnectionInfo = { address: "127.0.0.1", path: "/", userAgent: "", via: "" };

const upstream = { ...UPSTREAM_DEFAULTS, id: "neuro", url: "ws://127.0.0.1:1", context_rate: 0 };
const settings: Settings = {
  ...DEFAULTS,
  limits: { ...DEFAULTS.limits, messages_per_second: 0, bytes_per_second: 0 },
  actions: { ...DEFAULTS.actions, naming: "prefixed" },
  "nakurity-clients": [upstream],
  queue: { ...DEFAULTS.queue, backend: "memory" },
};

let engine: Engine | undefined;
let link: LinkId | undefined;
let results = 0;
let forGames: [string, string][] = [];
/** The name that Neuro sees, by the description of the action. */
const upstreamNames = new Map<string, string>();

const push = (event: Event): void => engine?.push(event);
let turnEnd: (() => void) | undefined;

/** The event loop is in its next turn. */
function endTurn(): void {
  const run = turnEnd;
  turnEnd = undefined;
  run?.();
}

function take(to: string, frame: Frame): number {
  const text = String(frame);
  if (to === link) {
    if (text.includes('"action/result"')) results++;
    else if (text.includes('"actions/register"')) learnNames(text);
  } else if (text.includes('"command":"action"')) forGames.push([to, text]);
  return 0;
}

function learnNames(frame: string): void {
  for (const { name, description } of JSON.parse(frame).data.actions) upstreamNames.set(description, name);
}

let timer: ReturnType<typeof setTimeout> | undefined;
const ports: Omit<Ports, "observe"> = {
  sockets: {
    send: take,
    flush() {},
    close() {},
    ping() {},
    attach() {},
    closeLink() {},
    dial(dialed) {
      link = dialed;
      setTimeout(() => push({ is: "dialed", link: dialed }), 1);
    },
  },
  store: {
    put: () => Promise.resolve(),
    delete: () => Promise.resolve(),
    keys: () => Promise.resolve([]),
    read: () => Promise.resolve([]),
    close: () => Promise.resolve(),
  },
  uploads: { save: () => Promise.reject(new Error("there are no uploads")), delete: () => Promise.resolve() },
  jobs: { run: () => Promise.reject(new Error("there are no jobs")) },
  afterTurn: (run) => void (turnEnd = run),
  clock: {
    now: Date.now,
    random: Math.random,
    secret: () => crypto.randomUUID(),
    wake(at) {
      clearTimeout(timer);
      if (at !== undefined) timer = setTimeout(() => engine?.tick(), Math.max(0, at - Date.now()));
    },
  },
};
const log: Log = {
  secrets: new Secrets(),
  isOn: (_source, level) => level !== "debug",
  write() {},
  configure() {},
  close: () => Promise.resolve(),
};

async function connect(): Promise<void> {
  const observer = createObserver(log, createMetrics(), { now: Date.now, after() {} });
  const observe = observer.observe.bind(observer);
  const all = services(settings).filter(({ name }) => !options.floor || name !== "neuro");
  if (options.floor) {
    const duties = { ...FLOOR_DEFAULTS, with: new Set<Duty | Technique>([...DUTIES, "patterns"]) };
    all.push(supervise(benchService("ws://127.0.0.1:1", (world) => new FloorRelay(duties, world))));
  }
  const relay = new Relay(all, settings, observer);
  engine = await Engine.start(relay, { settings, ports: { ...ports, observe } });
  endTurn();
  await Bun.sleep(50);
  for (let game = 0; game < GAMES; game++) {
    const peer = peerId(`neuro-${game}`);
    push({ is: "opened", peer, listener: "neuro", connection: CONNECTION });
    const send = (message: object): void =>
      push({ is: "frame", peer, frame: JSON.stringify({ ...message, game: `Game ${game}` }) });
    send({ command: "startup" });
    const schema = { type: "object", properties: { n: { type: "integer" } } };
    send({ command: "actions/register", data: { actions: [{ name: "act", description: `d${game}`, schema }] } });
  }
  endTurn();
  await Bun.sleep(600);
  if (upstreamNames.size !== GAMES) throw new Error(`${upstreamNames.size} of ${GAMES} actions reached Neuro`);
}

/** CPU time of the process since `from`. Why not the clock: other processes take turns with this one. */
function cpuMicros(from: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(from);
  return user + system;
}

let lastId = 0;
const actionFrame = (id: number): string =>
  `{"command":"action","data":{"id":"a${id}","name":"${upstreamNames.get(`d${id % GAMES}`)}","data":"{\\"n\\":${
    id % 7
  }}"}}`;
const resultFrame = (peer: string, id: string): string =>
  `{"command":"action/result","game":"Game ${peer.slice(6)}","data":{"id":"${id}","success":true,"message":"ok"}}`;

/** Microseconds a trip through the relay and its engine. */
function relayCost(trips: number): number {
  const from = process.cpuUsage();
  const until = results + trips;
  for (let issued = 0; results < until;) {
    for (let n = 0; n < WINDOW && issued < trips; n++, issued++) {
      if (link !== undefined) push({ is: "received", link, frame: actionFrame(++lastId) });
    }
    endTurn();
    const frames = forGames;
    forGames = [];
    for (const [peer, frame] of frames) {
      push({ is: "frame", peer: peerId(peer), frame: resultFrame(peer, JSON.parse(frame).data.id) });
    }
    endTurn();
  }
  return cpuMicros(from) / trips;
}

/** Microseconds a trip of parse, map and stringify, with the same frames. */
function leastCost(trips: number): number {
  const peers = new Map([...upstreamNames].map(([description, name]) => [name, `neuro-${description.slice(1)}`]));
  const from = process.cpuUsage();
  const ids = new Map<string, string>();
  for (let issued = 0, next = 0, done = 0; done < trips;) {
    const frames: [string, string][] = [];
    for (let n = 0; n < WINDOW && issued < trips; n++, issued++) {
      const { id, name, data } = JSON.parse(actionFrame(++lastId)).data;
      const ours = `x${++next}`;
      ids.set(ours, id);
      frames.push([peers.get(name) ?? "", JSON.stringify({ command: "action", data: { id: ours, name: "act", data } })]);
    }
    for (const [peer, frame] of frames) {
      const { data } = JSON.parse(resultFrame(peer, JSON.parse(frame).data.id));
      const id = ids.get(data.id);
      ids.delete(data.id);
      const { success, message } = data;
      if (JSON.stringify({ command: "action/result", game: "Relay", data: { id, success, message } }).length > 0) done++;
    }
  }
  return cpuMicros(from) / trips;
}

const contextFrame = (count: number): string =>
  `{"command":"context","game":"Game ${count % GAMES}","data":{"message":"event ${count} happened","silent":true}}`;

/** Microseconds a context through the relay and its engine. */
function relayContextCost(contexts: number): number {
  const peers = Array.from({ length: GAMES }, (_, game) => peerId(`neuro-${game}`));
  const from = process.cpuUsage();
  for (let sent = 0; sent < contexts;) {
    for (let n = 0; n < WINDOW; n++, sent++) {
      push({ is: "frame", peer: peers[sent % GAMES] ?? peerId(""), frame: contextFrame(sent) });
    }
    endTurn();
  }
  return cpuMicros(from) / contexts;
}

/** Microseconds a context of parse, attribute and stringify, with the same frames. */
function leastContextCost(contexts: number): number {
  const from = process.cpuUsage();
  let length = 0;
  for (let sent = 0; sent < contexts; sent++) {
    const { game, data: { message, silent } } = JSON.parse(contextFrame(sent));
    length +=
      JSON.stringify({ command: "context", game: "Relay", data: { message: `[${game}] ${message}`, silent } }).length;
  }
  if (length === 0) throw new Error("no contexts");
  return cpuMicros(from) / contexts;
}

interface Compared {
  readonly relay: number;
  readonly least: number;
  readonly ratio: number;
}

function compare(relay: (count: number) => number, least: (count: number) => number): Compared {
  relay(WARM_UP);
  least(WARM_UP);
  const runs = Array.from({ length: Number(options.reps) }, () => [relay(MEASURED), least(MEASURED)] as const);
  return {
    relay: median(runs.map(([own]) => own)),
    least: median(runs.map(([, other]) => other)),
    ratio: median(runs.map(([own, other]) => own / other)),
  };
}

const row = (figure: string, { relay, least, ratio }: Compared): string =>
  `| machine alone, CPU us a ${figure} | ${relay.toFixed(2)} | ${least.toFixed(2)} | ${ratio.toFixed(2)} |`;

await connect();
const [trip, context] = [compare(relayCost, leastCost), compare(relayContextCost, leastContextCost)];
if (options.json) console.log(JSON.stringify({ trip, context }));
else {
  console.log("| figure | relay | parse, map, stringify | ratio |\n| --- | --- | --- | --- |");
  console.log(`${row("trip", trip)}\n${row("context", context)}`);
}
process.exit(0);
