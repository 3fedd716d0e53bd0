/**
 * Sends mutated frames to one listener of a whole relay on virtual time: nothing may throw, panic, affect other peers, or accumulate.
 */
import { DEFAULTS, UPSTREAM_DEFAULTS } from "../../src/core/defaults.ts";
import type { PolicySettings, Settings } from "../../src/core/settings.ts";
import { services } from "../../src/relay/services.ts";
import { Random } from "../../src/testing/random.ts";
import type { TestSocket } from "../../src/testing/network.ts";
import { SimulatedRelay } from "../../src/testing/simulated-relay.ts";
import { HealthyClients } from "./healthy-clients.ts";
import { CORPUS } from "./corpus.ts";
import { heldBytes } from "./memory.ts";
import { mutatedFrame } from "./mutate.ts";
import { type FuzzTarget, WATCHING } from "./targets.ts";
import type { Frame } from "../../src/core/json.ts";

export interface FuzzOptions {
  readonly inputs: number;
  readonly seed: number;
}

export interface FuzzResult {
  readonly inputs: number;
  /** Descriptions of the violations. */
  readonly violations: readonly string[];
  /** Bytes retained at the end, beyond those after the first part. */
  readonly growthBytes: number;
}

const NEURO_URL = "ws://neuro.test";
const BATCH = 100;
/** Concurrent fuzzing peers. */
const PEERS = 4;
const HEARD_MAX = 30;
const BREACHES_MAX = 10;
/** The part of the inputs after which every bounded table is nearly full. */
const WARM = 0.4;

/** All that a policy can do, except for the clients that have to be served. */
const POLICIES: readonly PolicySettings[] = [
  { match: "*ealthy*", hide: [], coalesce: [], debounce: 0, admission: "open", contexts_per_minute: 100_000 },
  { match: "unknown-*", admission: "approval" },
  {
    match: "*",
    deny: ["*den*", "a*b*c"],
    hide: ["*_"],
    actions_max: 40,
    contexts_per_minute: 5_000,
    context_length: 300,
    context_template: "<{game}> {message}",
    coalesce: ["{key}:*", "*{key}*"],
    coalesce_interval: 300,
    debounce: 200,
    critical_preempts: true,
    result_deadline: 3_000,
    grace: 1_000,
    parked: 10_000,
  },
];

/** Low limits, so that unbounded tables show; no rate limit, which would refuse the inputs. */
const settingsFor = ({ name, hasNeuro = false, backend = DEFAULTS["nakurity-backend"] }: FuzzTarget): Settings => ({
  ...DEFAULTS,
  "nakurity-backend": backend,
  "dependency-authentication": { "neuro-os": { auth_token: WATCHING } },
  "nakurity-clients": hasNeuro ? [{ ...UPSTREAM_DEFAULTS, url: NEURO_URL, profile: "neuro_api" }] : [],
  integrations: name === "game" ? [] : POLICIES,
  brain: { ...DEFAULTS.brain, sessions: 50 },
  queue: { ...DEFAULTS.queue, total: 200, total_bytes: 1_048_576, dead_letters: 50 },
  uploads: { ...DEFAULTS.uploads, files: 10, total_bytes: 1_048_576 },
  limits: { ...DEFAULTS.limits, messages_per_second: 0 },
});

/** Fuzzes one target. */
export async function fuzzFrames(listener: FuzzTarget, { inputs, seed }: FuzzOptions): Promise<FuzzResult> {
  const simulation = new SimulatedRelay({ settings: settingsFor(listener), services: services, seed });
  const violations: string[] = [];
  simulation.onObservation = (observation) =>
    observation.is === "panicked" &&
    violations.push(`${observation.service} panicked: ${observation.reason}\n${observation.stack}`);
  const fuzzers = new FuzzingPeers(simulation, listener);
  await simulation.started();
  const healthyClients = new HealthyClients(simulation);
  await healthyClients.connect();
  const random = new Random(seed);
  let warmBytes = 0;
  let done = 0;
  while (done < inputs && violations.length < BREACHES_MAX) {
    const first = done === 0 ? CORPUS.map(({ frame }) => frame) : [];
    const rest = Array.from(
      { length: BATCH - first.length },
      () => mutatedFrame(random, { phrases: listener.phrases, heard: fuzzers.heard }),
    );
    await fuzzers.say([...first, ...rest], random);
    violations.push(...await healthyClients.roundTrip());
    violations.push(...simulation.disk.overwritten.splice(0).map((key) => `${key} was written twice`));
    done += BATCH;
    simulation.observations.length = 0;
    simulation.disk.pending.clear(); // Why: the fake disk remembers every put, which would count as retained.
    if (done >= inputs * WARM && warmBytes === 0) warmBytes = heldBytes();
  }
  return { inputs: done, violations, growthBytes: heldBytes() - warmBytes };
}

/** The fuzzing peers, which reconnect when they are closed. */
class FuzzingPeers {
  readonly #simulation: SimulatedRelay;
  readonly #listener: FuzzTarget;
  readonly #said: RegExp;
  readonly #wires: TestSocket[] = [];
  #neuro: TestSocket | undefined;
  /** Ids and names in the relay's latest messages, as JSON. */
  readonly heard: string[] = [];

  constructor(simulation: SimulatedRelay, listener: FuzzTarget) {
    this.#simulation = simulation;
    this.#listener = listener;
    const { hears = ["id", "name"] } = listener;
    this.#said = new RegExp(`"(?:${hears.join("|")})":"([^"\\\\]+)"`, "g");
    simulation.network.accept = () => (socket) => {
      socket.onFrame = (frame) => this.#listen(frame);
      this.#neuro = socket;
    };
  }

  async say(frames: readonly Frame[], random: Random): Promise<void> {
    for (const frame of frames) {
      const socket = this.#listener.listener === undefined
        ? await this.#upstream()
        : await this.#peer(random.between(0, PEERS - 1));
      socket?.send(frame);
      if (random.chance(0.05)) socket?.close();
      if (random.chance(0.1)) await this.#simulation.advance(random.pick(0, 1, 20, 400));
    }
    await this.#simulation.advance(random.pick(10, 1_000, 30_000));
  }

  async #peer(at: number): Promise<TestSocket | undefined> {
    const { listener, greeting } = this.#listener;
    const socket = this.#wires[at];
    if (socket?.isOpen === true || listener === undefined) return socket;
    const next = this.#simulation.network.connect(listener, { path: `/game/${at}` });
    next.onOpen = () => greeting !== undefined && next.send(JSON.stringify({ ...greeting, name: `fuzz-${at}` }));
    next.onFrame = (frame) => this.#listen(frame);
    this.#wires[at] = next;
    await this.#simulation.advance(1);
    return next;
  }

  #listen(frame: Frame): void {
    for (const [, word = ""] of String(frame).matchAll(this.#said)) this.heard.push(word);
    this.heard.splice(0, this.heard.length - HEARD_MAX);
  }

  async #upstream(): Promise<TestSocket | undefined> {
    for (let wait = 0; wait < 20 && this.#neuro?.isOpen !== true; wait++) await this.#simulation.advance(1_000);
    return this.#neuro;
  }
}
