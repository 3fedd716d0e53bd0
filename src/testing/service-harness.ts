/**
 * One room on virtual time: step it with events and look at the effects. For tests of machines; nothing waits, nothing is random.
 */
import { assert } from "../core/assert.ts";
import type { Effect } from "../core/effect.ts";
import type { ConnectionInfo, Entry, ResumedPeer, ServiceEvent } from "../core/event.ts";
import { type Key, type Millis, type PeerId, peerId } from "../core/ids.ts";
import type { Frame, Json } from "../core/json.ts";
import type { Observation } from "../core/observation.ts";
import type { Service, ServiceName } from "../core/service.ts";
import type { Settings } from "../core/settings.ts";
import type { ServiceMessage } from "../core/service-message.ts";
import type { StepContext } from "../core/context.ts";

/** Who a peer is said to be where a test does not care: a local one, on the bare path. */
export const TEST_CONNECTION: ConnectionInfo = { address: "127.0.0.1", path: "/", userAgent: "test", via: "" };

/** More deadlines than any test has: beyond it, one is due again and again. */
const TICKS_MAX = 100_000;

/** A message that the service posted to another one. */
export interface Posted {
  readonly do: "post";
  readonly service: ServiceName;
  readonly message: ServiceMessage;
}

/** Everything that a step produces: effects, and messages to other services, in their order. */
export type StepOutput = Effect | Posted;

/** What a room finds when it is made: nothing stored and nobody there, unless it says so. */
export interface HarnessOptions {
  readonly settings: Settings;
  readonly entries?: readonly Entry[];
  readonly resumed?: readonly ResumedPeer[];
  readonly now?: Millis;
  /** The first part of ids: a later one for each stage that goes on from the entries of another. */
  readonly epoch?: number;
}

/** One room, its state, and all that it wanted done so far. `step` it with events, `pass` time, `store` what it put. */
export class ServiceHarness<State> {
  readonly service: Service<State>;
  readonly settings: Settings;
  state: State;
  now: Millis;
  /** What is stored, if every put succeeded so far: kept by `store()`. */
  readonly stored: Map<Key, Json> = new Map();
  /** The messages that were counted: who, which way, what kind. */
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
    this.state = service.restore(settings, { entries, resumed, now });
  }

  /** Steps the room and returns the effects of this step, notes left out. */
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

  /** A frame of a peer: an object is sent as its JSON. */
  frame(peer: PeerId, frame: Frame | object): readonly StepOutput[] {
    const raw = typeof frame === "string" || frame instanceof Uint8Array ? frame : JSON.stringify(frame);
    return this.step({ is: "frame", peer, frame: raw });
  }

  deliver(message: ServiceMessage): readonly StepOutput[] {
    return this.step({ is: "serviceMessage", message });
  }

  /** Moves time on, stepping the room at each of its deadlines on the way. */
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

  /** Everything put so far is stored: carries out puts and deletes, and tells the room. Returns what that led to. */
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

  /** All effects since the last `take`, notes included. */
  take(): readonly StepOutput[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  /** The notes of all effects not yet taken. */
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
