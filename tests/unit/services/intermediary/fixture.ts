/**
 * The Intermediary in virtual time with a store, driven like the engine drives it: observations come back as service messages, puts and
 * loads are executed in order, and replies wait for their keys. It can be killed between any two effects.
 */
import { DEFAULTS } from "../../../../src/core/defaults.ts";
import type { StepOutput } from "../../../../src/testing/mod.ts";
import type { ResumedPeer, ServiceEvent } from "../../../../src/core/event.ts";
import {
  type Key,
  type LoadToken,
  type Millis,
  type PeerId,
  peerId,
  type RequestId,
  toRequestId,
} from "../../../../src/core/ids.ts";
import { type Frame, isObject, type Json, type JsonObject } from "../../../../src/core/json.ts";
import type { Observation } from "../../../../src/core/observation.ts";
import type { ServiceRequest } from "../../../../src/core/request.ts";
import type { Scope, Settings } from "../../../../src/core/settings.ts";
import type { ServiceMessage } from "../../../../src/core/service-message.ts";
import { intermediary, type IntermediaryState } from "../../../../src/services/intermediary/mod.ts";
import { ServiceHarness, TEST_CONNECTION } from "../../../../src/testing/service-harness.ts";
import { requireDocumented } from "./documented.ts";

export const TOKEN = "plain";
export const ENHANCED = "enhanced";

export const SETTINGS: Settings = {
  ...DEFAULTS,
  intermediary: { ...DEFAULTS.intermediary, auth_token: TOKEN },
  "dependency-authentication": { "neuro-os": { auth_token: ENHANCED } },
};

export interface FixtureOptions {
  readonly settings?: Settings;
  readonly stored?: ReadonlyMap<Key, Json>;
  readonly resumed?: readonly ResumedPeer[];
  readonly now?: Millis;
  readonly epoch?: number;
  /** Writes end at once. If false, they end with `store()`. */
  readonly isStoring?: boolean;
  /** The number of effects after which the service is killed. */
  readonly effectsMax?: number;
}

type Waiting = Extract<StepOutput, { do: "reply" }>;

export class IntermediaryFixture {
  readonly settings: Settings;
  readonly harness: ServiceHarness<IntermediaryState>;
  readonly stored: Map<Key, Json>;
  readonly observations: Observation[] = [];
  /** Without the problems of integrations. */
  readonly posted: ServiceMessage[] = [];
  readonly problems: ServiceMessage[] = [];
  /** The reasons of refused requests. */
  readonly reasons: string[] = [];
  readonly responses = new Map<RequestId, Json>();
  readonly closed = new Map<PeerId, string>();
  readonly attached = new Map<PeerId, Json>();
  readonly saved = new Map<string, Uint8Array>();
  readonly effects: StepOutput[] = [];
  isStoring: boolean;
  isFailing = false;
  drained = 0;
  #epoch: number;
  #effectsMax: number;
  #calls = 0;
  readonly #frames = new Map<PeerId, Json[]>();
  readonly #puts = new Map<Key, Json>();
  readonly #loads: { readonly token: LoadToken; readonly keys: readonly Key[] }[] = [];
  readonly #waitingReplies = new Map<PeerId, Waiting[]>();

  constructor(options: FixtureOptions = {}) {
    this.settings = options.settings ?? SETTINGS;
    this.stored = new Map(options.stored);
    this.isStoring = options.isStoring ?? true;
    this.#effectsMax = options.effectsMax ?? Infinity;
    this.#epoch = options.epoch ?? 1;
    const entries = [...this.stored].filter(([key]) => key.startsWith("intermediary/")).map(([key, value]) =>
      intermediary.resident.some((prefix) => key.startsWith(prefix)) ? { key, value } : { key }
    );
    const { resumed: resumed = [], now = 1_000_000 } = options;
    this.harness = new ServiceHarness(intermediary, {
      settings: this.settings,
      entries,
      resumed: resumed,
      now,
      epoch: this.#epoch,
    });
    this.step({ is: "tick" });
  }

  get isKilled(): boolean {
    return this.effects.length >= this.#effectsMax;
  }

  /** A new process after a kill, with the stored entries. */
  restart(options: FixtureOptions = {}): IntermediaryFixture {
    const { settings } = this;
    return new IntermediaryFixture({
      settings,
      stored: this.stored,
      now: this.harness.now + 1_000,
      epoch: this.#epoch + 1,
      ...options,
    });
  }

  /** The stored entries, and those that are being written, as if these writes had succeeded before the kill. */
  get storedAndWriting(): ReadonlyMap<Key, Json> {
    return new Map([...this.stored, ...this.#puts]);
  }

  step(event: ServiceEvent): void {
    if (this.isKilled) return;
    this.harness.step(event);
    this.#carryOut();
    if (this.isStoring) this.store();
  }

  /** Ends all writes and loads, and those that follow from them. */
  store(): void {
    while (this.#puts.size + this.#loads.length > 0) {
      for (const [key, value] of [...this.#puts]) {
        if (this.isKilled) return;
        this.#puts.delete(key);
        if (!this.isFailing) this.stored.set(key, value);
        this.harness.step({ is: this.isFailing ? "storeFailed" : "stored", key, reason: "test" });
        this.#carryOut();
        this.#release(key, !this.isFailing);
      }
      for (const { token, keys } of this.#loads.splice(0)) {
        if (this.isKilled) return;
        const entries = keys.flatMap((key) => (this.stored.has(key) ? [{ key, value: this.stored.get(key) ?? null }] : []));
        this.harness.step({ is: "loaded", token, entries });
        this.#carryOut();
      }
    }
  }

  /** Advances the time from deadline to deadline. */
  advance(ms: Millis): void {
    const until = this.harness.now + ms;
    for (let steps = 0;; steps++) {
      const at = intermediary.nextWakeup(this.harness.state);
      if (at === undefined || at > until || this.isKilled) break;
      if (steps > 100_000) throw new Error("the room never comes to rest");
      this.harness.now = Math.max(this.harness.now, at);
      this.step({ is: "tick" });
    }
    this.harness.now = until;
  }

  open(id: string): PeerId {
    const peer = peerId(id);
    this.step({ is: "opened", peer, listener: "intermediary", connection: TEST_CONNECTION });
    return peer;
  }

  frame(peer: PeerId, frame: Frame | object): void {
    const raw = typeof frame === "string" || frame instanceof Uint8Array ? frame : JSON.stringify(frame);
    this.step({ is: "frame", peer, frame: raw });
  }

  close(peer: PeerId): void {
    this.step({ is: "closed", peer, code: 1006 });
  }

  integration(name: string, more: JsonObject = {}, id: string = name): PeerId {
    const peer = this.open(id);
    this.frame(peer, { type: "integration", name, auth_token: TOKEN, ...more });
    return peer;
  }

  watcher(name = "watcher", token: string = TOKEN): PeerId {
    const peer = this.open(`w-${name}`);
    this.frame(peer, { type: "neuro-os", name, auth_token: token });
    return peer;
  }

  receive(message: ServiceMessage): void {
    this.step({ is: "serviceMessage", message });
  }

  request(
    request: ServiceRequest,
    scopes: readonly Scope[] = ["watch", "command", "admin"],
  ): Json | undefined {
    const requestId = toRequestId(`call-${++this.#calls}`);
    this.step({ is: "requested", requestId, principal: { by: "test", scopes }, request });
    return this.responses.get(requestId);
  }

  /** The frames that a peer was sent since the last call. */
  received(peer: PeerId): Json[] {
    const frames = this.#frames.get(peer) ?? [];
    this.#frames.delete(peer);
    return frames;
  }

  /** The same without events for watchers. */
  repliesTo(peer: PeerId): Json[] {
    return this.received(peer).filter((frame) => !isEvent(frame));
  }

  /** Only the events, without their ids and times. */
  eventsFor(peer: PeerId): JsonObject[] {
    return this.received(peer).filter(isEvent).map(({ id: _, at: __, ...fields }) => fields);
  }

  #carryOut(): void {
    const effects = [...this.harness.take()];
    for (let at = 0; at < effects.length && !this.isKilled; at++) {
      const effect = effects[at];
      if (effect === undefined) continue;
      this.effects.push(effect);
      this.#do(effect);
      if (effect.do === "observe") {
        this.harness.deliver({ is: "observed", observation: effect.observation });
        effects.push(...this.harness.take());
      }
    }
  }

  #do(effect: StepOutput): void {
    switch (effect.do) {
      case "observe":
        this.observations.push(effect.observation);
        return;
      case "post":
        (effect.message.is === "problemFound" ? this.problems : this.posted).push(effect.message);
        return;
      case "send":
        return this.#deliver(peerId(effect.to), effect.frame);
      case "reply":
        return this.#reply(effect);
      case "close":
        this.closed.set(effect.peer, effect.fault);
        this.#waitingReplies.delete(effect.peer);
        return;
      case "attach":
        this.attached.set(effect.peer, effect.attachment);
        return;
      case "put":
        if (this.stored.has(effect.key) || this.#puts.has(effect.key)) throw new Error(`written twice: ${effect.key}`);
        this.#puts.set(effect.key, effect.value);
        return;
      case "delete":
        this.#puts.delete(effect.key);
        this.stored.delete(effect.key);
        return;
      case "load":
        this.#loads.push(effect);
        return;
      case "saveFile":
        this.saved.set(effect.file, effect.bytes);
        return;
      case "deleteFile":
        this.saved.delete(effect.file);
        return;
      case "respond":
        if (effect.reason !== undefined) this.reasons.push(effect.reason);
        this.responses.set(effect.requestId, effect.fault === undefined ? effect.body ?? null : { fault: effect.fault });
        return;
      case "drained":
        this.drained++;
        return;
      default:
        throw new Error(`unexpected: ${effect.do}`);
    }
  }

  #deliver(to: PeerId, frame: Frame): void {
    if (this.closed.has(to)) throw new Error(`sent to ${to}, which is closed`);
    const frames = this.#frames.get(to);
    const message: Json = JSON.parse(String(frame));
    requireDocumented(message);
    if (frames === undefined) this.#frames.set(to, [message]);
    else frames.push(message);
  }

  #reply(reply: Waiting): void {
    const lane = this.#waitingReplies.get(reply.to);
    const isWaiting = reply.after !== undefined && this.#puts.has(reply.after);
    if (lane === undefined && !isWaiting) return this.#deliver(reply.to, reply.frame);
    this.#waitingReplies.set(reply.to, [...lane ?? [], reply]);
  }

  #release(key: Key, isStored: boolean): void {
    for (const [peer, lane] of this.#waitingReplies) {
      const rest = lane.map((reply): Waiting => {
        if (reply.after !== key) return reply;
        const { after: _, ...ready } = reply;
        return { ...ready, frame: isStored ? reply.frame : reply.onFailure ?? reply.frame };
      });
      while (rest[0] !== undefined && !(rest[0].after !== undefined && this.#puts.has(rest[0].after))) {
        this.#deliver(peer, rest.shift()?.frame ?? "");
      }
      if (rest.length > 0) this.#waitingReplies.set(peer, rest);
      else this.#waitingReplies.delete(peer);
    }
  }
}

/** Errors without their hints, where a test compares everything else. */
export const withoutHints = (frames: readonly Json[]): Json[] =>
  frames.map((frame) => {
    if (!isObject(frame) || frame.error === undefined) return frame;
    const { hint: _, ...fields } = frame;
    return fields;
  });

const isEvent = (frame: Json): frame is JsonObject =>
  typeof frame === "object" && frame !== null && "event" in frame && ("at" in frame || "missed" in frame);
