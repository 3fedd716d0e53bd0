/**
 * `bun tests/bench/nallely.ts [--reps N]`: compares a neuron with a bare WebSocket that sends the same frames, and
 * measures the cost of coalescing.
 *
 * Targets: at least 0.7 of the bare frame rate for distinct parameters; 10,000 values a second merged to the ceiling for less than
 * 5 % of a core.
 */
import { parseArgs } from "node:util";
import { encodeFrame, frameHead, Neuron } from "../../src/clients/nallely.ts";
import { FrameTable, frameValue } from "../../src/services/nallely/value-frame.ts";

const { values: options } = parseArgs({
  options: { reps: { type: "string", default: "5" }, sink: { type: "boolean", default: false } },
});
const NAMES = Array.from({ length: 1_000 }, (_, at) => `parameter-${at}`);
const MEASURE_MS = 1_000;
/** Values that are sent before the socket may write. */
const BURST = 500;

if (options.sink) sink();
else await main();

/** A separate process that counts frames and sends the count on request. */
function sink(): void {
  let frames = 0;
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: (request, listener) => listener.upgrade(request) ? undefined : new Response("no"),
    websocket: {
      message(socket, data) {
        if (typeof data === "string" && data === "count") {
          socket.send(String(frames));
          frames = 0;
        } else frames++;
      },
    },
  });
  console.log(server.port);
}

async function main(): Promise<void> {
  const child = Bun.spawn([process.execPath, import.meta.path, "--sink"], { stdout: "pipe" });
  const { value } = await child.stdout.getReader().read();
  const url = `ws://127.0.0.1:${new TextDecoder().decode(value).trim()}`;
  const ratios: number[] = [];
  for (let rep = 0; rep < Number(options.reps); rep++) {
    const [bare, neuron] = [await bareRate(url), await neuronRate(url)];
    ratios.push(neuron / bare);
    console.log(
      `bare ${bare.toFixed(0)} frames/s, neuron ${neuron.toFixed(0)} frames/s, ratio ${(neuron / bare).toFixed(2)}`,
    );
  }
  ratios.sort((left, right) => left - right);
  console.log(`frame rate: ${(ratios[ratios.length >> 1] ?? 0).toFixed(2)} of bare (target 0.7)`);
  console.log(`coalescing 10,000/s: ${((await coalescing(url)) * 100).toFixed(2)} % of a core (target 5)`);
  codec();
  child.kill();
  process.exit(0);
}

async function bareRate(url: string): Promise<number> {
  const socket = new WebSocket(url, { perMessageDeflate: false } as never); // Why: Bun's option, unknown to its types.
  await new Promise((resolve) => (socket.onopen = resolve));
  const heads = NAMES.map(frameHead);
  const rate = await measure(socket, (at, value) => {
    socket.send(encodeFrame(heads[at] ?? new Uint8Array(1), value));
  });
  socket.close();
  return rate;
}

async function neuronRate(url: string): Promise<number> {
  let socket: WebSocket | undefined;
  const parameters = Object.fromEntries(NAMES.map((name) => [name, {}]));
  const openSocket = (to: string) => socket = new WebSocket(to, { perMessageDeflate: false } as never);
  const neuron = Neuron.open<typeof parameters, string>({ name: "bench", url, parameters, rate: 0, openSocket });
  await neuron.ready();
  if (socket === undefined) throw new Error("no socket");
  const rate = await measure(socket, (at, value) => neuron.send(NAMES[at] ?? "", value));
  await neuron.close();
  return rate;
}

/** Frames that arrived within the time, per second. */
async function measure(socket: WebSocket, send: (at: number, value: number) => void): Promise<number> {
  await counted(socket);
  const start = performance.now();
  for (let sent = 0; performance.now() - start < MEASURE_MS;) {
    for (let burst = 0; burst < BURST; burst++, sent++) send(sent % NAMES.length, sent);
    while (socket.bufferedAmount > 0) await new Promise((resolve) => setImmediate(resolve));
  }
  const frames = await counted(socket);
  return frames / ((performance.now() - start) / 1_000);
}

function counted(socket: WebSocket): Promise<number> {
  return new Promise((resolve) => {
    const listener = ({ data }: MessageEvent) => {
      socket.removeEventListener("message", listener);
      resolve(Number(data));
    };
    socket.addEventListener("message", listener);
    socket.send("count");
  });
}

/** The share of a core that 10,000 values a second cost, without the loop that generates them. */
async function coalescing(url: string): Promise<number> {
  const neuron = Neuron.open({ name: "bench", url, parameters: { value: {} } });
  await neuron.ready();
  const busy = await cpuOf((value) => neuron.send("value", value));
  const idle = await cpuOf(() => {});
  await neuron.close();
  return busy - idle;
}

async function cpuOf(send: (value: number) => void): Promise<number> {
  const [start, before] = [performance.now(), process.cpuUsage()];
  for (let sent = 0; performance.now() - start < 3_000; await Bun.sleep(1)) {
    for (const due = (performance.now() - start) * 10; sent < due; sent++) send(sent);
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000 / (performance.now() - start);
}

function codec(): void {
  const heads = NAMES.map(frameHead);
  const frames = heads.map((head, at) => encodeFrame(head, at));
  const table = new FrameTable<number>();
  heads.forEach((head, at) => table.add(head, at));
  const time = (run: (at: number) => unknown) => {
    for (let at = 0; at < 100_000; at++) run(at % NAMES.length);
    const start = performance.now();
    for (let at = 0; at < 1_000_000; at++) run(at % NAMES.length);
    return (performance.now() - start).toFixed(0);
  };
  const empty = new Uint8Array(1);
  console.log(`encode ${time((at) => encodeFrame(heads[at] ?? empty, at))} ns`);
  console.log(`decode ${time((at) => table.find(frames[at] ?? empty) ?? frameValue(frames[at] ?? empty))} ns`);
}
