/**
 * One service in virtual time: a test steps it with events and reads its effects. Nothing waits and nothing is random.
 */
import { assert } from "../core/assert.ts";
import type { Effect } from "../core/effect.ts";
import type { ConnectionInfo, Entry, ResumedPeer, ServiceEvent } from "../core/event.ts";
import { type Key, type Millis, type PeerId, peerId } from "../core/ids.ts";
import type { Frame, Json } from "../core/json.ts";
import type { Observation } from "../core/observation.ts";
import { RetainedBytes } from "../core/retained-bytes.ts";
import type { Service, ServiceName } from "../core/service.ts";
import type { Settings } from "../core/settings.ts";
import type { ServiceMessage } from "../core/service-message.ts";
import type { StepContext } from "../core/context.ts";

/** The default connection of a test peer: local, with the path `/`. */
export const TEST_CONNECTION: ConnectionInfo = { address: "127.0.0.1", path: "/", userAgent: "test", via: "" };

/** More wakeups than any test has; more than this means that a deadline stays due. */
const TICKS_MAX = 100_000;

/** A message that the service posted to another one. */
export interface Posted {
  readonly do: "post";
  readonly service: ServiceName;
  readonly message: ServiceMessage;
}

/** Everything that a step produces: effects, and messages to other services, in their order. */
export type StepOutput = Effect | Posted;

/** The input of the restore; by default no entries and no resumed peers. */
export interface HarnessOptions {
  readonly settings: Settings;
  readonly entries?: readonly Entry[];
  readonly resumed?: readonly ResumedPeer[];
  readonly now?: Millis;
  /** The first part of ids: higher for each harness that continues with the entries of another. */
  readonly epoch?: number;
}

/** One service, its state and the effects so far. `step` passes an event, `advance` time, and `storeAll` carries out puts and deletes. */
export class ServiceHarness<State> {
  readonly service: Service<State>;
  readonly settings: Settings;
  state: State;
  /** The service's account of what it keeps of its peers. */
  readonly retained: RetainedBytes;
  now: Millis;
  /** The entries that `storeAll` stored. */
  readonly stored: Map<Key, Json> = new Map();
  /** The counted messages: client, direction, kind. */
  readonly counts: string[] = [];
  #effects: StepOutput[] = [];
  readonly #epoch: string;
  #count = 0;

  constructor(
    service: Service<State>,
    { settings, entries = [], resumed = [], now = 1_000_000, epoch = 1 }: HarnessOptions,
  ) {
    this.#epoch = String(epoch).padStart(13, "0");
    this.service = service;
    this.settings = settings;
    this.now = now;
    this.retained = new RetainedBytes(new RetainedBytes(undefined, "total_bytes"));
    this.state = service.restore(settings, { entries, resumed, now, retained: this.retained });
  }

  /** Steps the service and returns the effects of this step without observations. */
  step(event: ServiceEvent): readonly StepOutput[] {
    const before = this.#effects.length;
    const ctx: StepContext = {
      now: this.now,
      random: () => 0.5,
      id: () => `${this.#epoch}-${String(++this.#count).padStart(10, "0")}`,
      secret: () => `secret-${++this.#count}`,
      emit: (effect) => this.#effects.push(effect),
      post: (service, message) => this.#effects.push({ do: "post", service, message }),
      observe: (observation) => this.#effects.push({ do: "observe", observation }),
      count: (who, way, kind) => this.counts.push(`${who} ${way} ${kind}`),
    };
    this.service.step(this.state, event, ctx);
    return this.#effects.slice(before).filter((effect) => effect.do !== "observe");
  }

  open(name: string, connection: Partial<ConnectionInfo> = {}): PeerId {
    const peer = peerId(name);
    this.step({
      is: "opened",
      peer,
      listener: this.service.name as "neuro",
      connection: { ...TEST_CONNECTION, ...connection },
    });
    return peer;
  }

  /** Passes a frame of a peer; an object is passed as JSON. */
  frame(peer: PeerId, frame: Frame | object): readonly StepOutput[] {
    const raw = typeof frame === "string" || frame instanceof Uint8Array ? frame : JSON.stringify(frame);
    return this.step({ is: "frame", peer, frame: raw });
  }

  deliver(message: ServiceMessage): readonly StepOutput[] {
    return this.step({ is: "serviceMessage", message });
  }

  /** Lets time pass and steps the service at each wakeup. */
  advance(ms: Millis): readonly StepOutput[] {
    const before = this.#effects.length;
    const until = this.now + ms;
    let ticksLeft = TICKS_MAX;
    for (
      let at = this.service.nextWakeup(this.state);
      at !== undefined && at <= until;
      at = this.service.nextWakeup(this.state)
    ) {
      assert(ticksLeft-- > 0, `a deadline that stays due: ${at} at ${this.now}`);
      this.now = Math.max(this.now, at);
      this.step({ is: "tick" });
    }
    this.now = until;
    return this.#effects.slice(before).filter((effect) => effect.do !== "observe");
  }

  /** Carries out all puts and deletes so far and notifies the service. Returns the effects that this caused. */
  storeAll(): readonly StepOutput[] {
    const effects = this.take().filter((effect) => effect.do === "put" || effect.do === "delete");
    const before = this.#effects.length;
    for (const effect of effects) {
      if (effect.do === "delete") this.stored.delete(effect.key);
      if (effect.do !== "put") continue;
      this.stored.set(effect.key, effect.value);
      this.step({ is: "stored", key: effect.key });
    }
    return this.#effects.slice(before).filter((effect) => effect.do !== "observe");
  }

  /** All effects since the last `take`, with observations. */
  take(): readonly StepOutput[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  /** The observations that were not taken yet. */
  observations(): readonly Observation[] {
    return this.#effects.flatMap((effect) => (effect.do === "observe" ? [effect.observation] : []));
  }
}

/** The JSON of every frame sent or replied to a peer or link, in order. */
export function framesTo(to: string, effects: readonly StepOutput[]): readonly Json[] {
  const frames: Json[] = [];
  for (const effect of effects) {
    if ((effect.do === "send" || effect.do === "reply") && effect.to === to) frames.push(JSON.parse(String(effect.frame)));
  }
  return frames;
}
