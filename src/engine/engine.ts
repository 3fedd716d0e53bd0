/**
 * The only loop: events in, effects out, one timer.
 *
 * Invariants: E1 an event is handled to its end before the next one (what arrives meanwhile waits its turn); E2 the effects of a
 * step are carried out in order, before the next step; E3 nothing that a peer, the store or a room does makes `push` throw.
 */
import { earlier } from "../core/deadlines.ts";
import type { Effect } from "../core/effect.ts";
import type { Event, Survivor } from "../core/event.ts";
import { type FaultName, FAULTS } from "../core/fault.ts";
import { type CallId, callId, isLink, type Key, type LinkId, type Millis, type PeerId, rawKey } from "../core/ids.ts";
import type { Json } from "../core/json.ts";
import type { Asker, Question } from "../core/question.ts";
import type { RoomName } from "../core/room.ts";
import type { Settings } from "../core/settings.ts";
import type { Moment } from "../core/turn.ts";
import { type Relay, roomOfEffect } from "../relay/mod.ts";
import { countFrom, takeEpoch } from "./ids.ts";
import { Outbox } from "./outbox.ts";
import type { Ports } from "./ports.ts";
import { readRoom, Restorer } from "./restore.ts";
import { Work } from "./work.ts";
import { Writer } from "./writer.ts";

/** An answer to a question: its body, or the fault that kept it from being answered, where possible with a sentence about it. */
export type Answer = { readonly body: Json } | { readonly fault: FaultName; readonly reason?: string };

type AnswerEffect = Effect & { readonly do: "answer" };

/** A question that has no answer yet. */
interface Call {
  readonly of: RoomName;
  resolve(answer: Answer): void;
}

/** Drives one relay: takes events, carries effects out by its ports, and keeps the one timer. */
export class Engine {
  readonly #relay: Relay;
  readonly #ports: Ports;
  readonly #outbox: Outbox;
  readonly #writer: Writer;
  readonly #work: Work;
  readonly #restorer: Restorer;
  readonly #newId: () => string;
  readonly #moment: Omit<Moment, "now"> & { now: Millis };
  readonly #peers: Map<PeerId, Survivor>;
  readonly #links = new Set<LinkId>();
  readonly #calls = new Map<CallId, Call>();
  /** Answers that wait for a key to be stored. */
  readonly #promised = new Map<Key, AnswerEffect[]>();
  readonly #undrained = new Set<RoomName>();
  #settings: Settings;
  readonly #mail: Event[] = [];
  #isStepping = false;
  #wakeAt: Millis | undefined;
  #drainUntil: Millis | undefined;
  #onDrained: (() => void) | undefined;

  /** Reads what the rooms stored, makes them, and is ready for events. */
  static async start(relay: Relay, options: EngineOptions): Promise<Engine> {
    const { ports, survivors = [] } = options;
    const epoch = await takeEpoch(ports.store, ports.clock.now());
    for (const room of relay.rooms) {
      const entries = await readRoom(ports.store, room);
      const past = { entries, survivors: ofRoom(room.name, survivors), now: ports.clock.now() };
      // Why: connections outlive a relay only where it sleeps; whatever else ends it ends them, too.
      relay.restore(room.name, { ...past, hasSlept: true });
    }
    const engine = new Engine(relay, options, epoch);
    engine.push({ is: "tick" });
    return engine;
  }

  private constructor(relay: Relay, { settings, ports, survivors = [] }: EngineOptions, epoch: number) {
    this.#relay = relay;
    this.#ports = ports;
    this.#settings = settings;
    this.#newId = countFrom(epoch);
    const { clock } = ports;
    this.#moment = { now: 0, random: () => clock.random(), id: this.#newId, secret: () => clock.secret() };
    this.#peers = new Map(survivors.map((survivor) => [survivor.peer, survivor]));
    this.#writer = new Writer(ports.store, {
      deadline: (times) => this.#writeDeadline(times),
      stored: (key) => this.#settle({ is: "stored", key }),
      failed: (key, reason) => this.#settle({ is: "storeFailed", key, reason }),
      deleteFailed: (key, reason) => ports.observe({ is: "store_failed", key, reason }),
      moved: () => this.#setTimer(),
    });
    this.#outbox = new Outbox(ports.sockets, {
      isPending: (key) => this.#writer.isPending(key),
      pressed: (to) => this.push(isLink(to) ? { is: "linkPressed", link: to } : { is: "pressed", peer: to }),
      tooSlow: (to) => this.#cut(to),
    });
    this.#work = new Work(ports, (event) => this.push(event));
    this.#restorer = new Restorer(ports.store, {
      now: () => clock.now(),
      settled: (room) => this.#writer.idle(`${room.name}/`),
      read: ({ name }, entries) =>
        this.push({ is: "rebuilt", room: name, entries, survivors: ofRoom(name, [...this.#peers.values()]) }),
      failed: ({ name }, reason) => ports.observe({ is: "store_failed", key: rawKey(name), reason }),
    });
  }

  /** Hands in what happened. Never throws. */
  push(event: Event): void {
    if (!this.#keepBooks(event)) return;
    this.#mail.push(event);
    if (this.#isStepping) return;
    this.#isStepping = true;
    for (const next of this.#mail) this.#step(next); // Why: what is pushed meanwhile is appended, and reached.
    this.#mail.length = 0;
    this.#isStepping = false;
    this.#ports.sockets.flush();
    this.#setTimer();
  }

  /** The timer rang. */
  tick(): void {
    const now = this.#ports.clock.now();
    this.#wakeAt = undefined;
    this.#writer.tick(now);
    this.#work.tick(now);
    this.#restorer.tick(now);
    this.push({ is: "tick" });
    if (this.#drainUntil !== undefined && this.#drainUntil <= now) this.#onDrained?.();
  }

  /** Asks a room; the only promise that the relay makes. */
  ask(question: Question, as: Asker): Promise<Answer> {
    const call = callId(this.#newId());
    return new Promise((resolve) => {
      this.#calls.set(call, { of: question.of, resolve });
      this.push({ is: "asked", call, as, question });
    });
  }

  /** Live settings; what needs a restart is left as it was by whoever read them. */
  configure(settings: Settings): void {
    this.#settings = settings;
    this.push({ is: "configured", settings });
  }

  /** Finishes what is in flight, closes all peers, writes what is left. Takes at most `shutdown.grace`, and the writes. */
  async drain(): Promise<void> {
    const { clock } = this.#ports;
    const until = clock.now() + this.#settings.shutdown.grace;
    for (const { name } of this.#relay.rooms) this.#undrained.add(name);
    await new Promise<void>((resolve) => {
      this.#onDrained = resolve;
      this.#drainUntil = until;
      this.push({ is: "draining", until });
      if (this.#undrained.size === 0) resolve();
    });
    this.#drainUntil = undefined;
    for (const peer of this.#peers.keys()) this.#outbox.close(peer, "restarting");
    for (const link of this.#links) this.#hangup(link);
    this.#ports.sockets.flush();
    for (const call of this.#calls.keys()) this.#answer({ do: "answer", call, fault: "restarting" });
    await this.#writer.idle();
    clock.wake(undefined);
  }

  #step(event: Event): void {
    this.#moment.now = this.#ports.clock.now();
    try {
      for (const effect of this.#relay.step(event, this.#moment)) this.#tryOut(effect);
    } catch (panic) {
      this.#panicked("intermediary", panic);
    }
  }

  /** One effect: that it cannot be carried out keeps no other from it. */
  #tryOut(effect: Effect): void {
    try {
      this.#carryOut(effect);
    } catch (panic) {
      this.#panicked(roomOfEffect(effect) ?? "intermediary", panic);
    }
  }

  #panicked(room: RoomName, panic: unknown): void {
    const { message: reason, stack = "" } = panic instanceof Error ? panic : new Error(String(panic));
    this.#ports.observe({ is: "panicked", room, reason, stack });
  }

  #carryOut(effect: Effect): void {
    const { sockets } = this.#ports;
    switch (effect.do) {
      case "send":
        return this.#outbox.send(effect, this.#settings.limits);
      case "reply":
        if (this.#peers.has(effect.to)) this.#outbox.reply(effect, this.#settings.limits);
        return;
      case "close":
        if (this.#peers.has(effect.peer)) this.#outbox.close(effect.peer, effect.fault, effect.as);
        return;
      case "note":
        return this.#ports.observe(effect.note);
      case "put":
        return this.#writer.put(effect.key, effect.value);
      case "delete":
        return this.#writer.delete(effect.key);
      case "ping":
        return sockets.ping(effect.peer);
      case "attach":
        return this.#attach(effect.peer, effect.attachment);
      case "dial":
        this.#links.add(effect.link);
        return sockets.dial(effect.link, effect.url, effect.headers ?? {});
      case "hangup":
        return this.#hangup(effect.link, effect.code);
      case "load":
        return this.#work.load(effect, this.#writeDeadline());
      case "save":
        return this.#work.save(effect, this.#writeDeadline());
      case "discard":
        return this.#work.discard(effect.file);
      case "run":
        return this.#work.run(effect, this.#settings);
      case "answer":
        return this.#answer(effect);
      case "drained":
        return this.#drained(effect.room);
      case "rebuild":
        return this.#rebuild(effect.room);
      case "tell": // Why: the relay delivers these itself.
        return;
    }
  }

  /** Keeps track of who is connected; false for an event of a peer or link that is gone. */
  #keepBooks(event: Event): boolean {
    switch (event.is) {
      case "opened":
        this.#peers.set(event.peer, { peer: event.peer, door: event.door, caller: event.caller });
        return true;
      case "closed":
        this.#outbox.forget(event.peer);
        return this.#peers.delete(event.peer);
      case "frame":
      case "ponged":
        return this.#peers.has(event.peer) && !this.#outbox.isClosing(event.peer);
      case "eased":
        return this.#outbox.eased(event.peer);
      case "linkEased":
        return this.#outbox.eased(event.link);
      case "dropped":
        this.#outbox.forget(event.link);
        return this.#links.delete(event.link);
      case "dialed":
      case "received":
        return this.#links.has(event.link);
      default:
        return true;
    }
  }

  #attach(peer: PeerId, attachment: Json): void {
    const survivor = this.#peers.get(peer);
    if (survivor === undefined) return;
    this.#peers.set(peer, { ...survivor, attachment });
    this.#ports.sockets.attach(peer, attachment);
  }

  #hangup(link: LinkId, code?: number): void {
    this.#links.delete(link);
    this.#outbox.forget(link);
    this.#ports.sockets.hangup(link, code);
  }

  #answer(effect: AnswerEffect): void {
    const { call, body, fault, reason, after } = effect;
    if (after !== undefined && this.#writer.isPending(after)) {
      this.#promised.set(after, [...this.#promised.get(after) ?? [], effect]);
      return;
    }
    const asked = this.#calls.get(call);
    this.#calls.delete(call);
    asked?.resolve(fault === undefined ? { body: body ?? null } : { fault, ...(reason !== undefined && { reason }) });
  }

  #drained(room: RoomName): void {
    this.#undrained.delete(room);
    if (this.#undrained.size === 0) this.#onDrained?.();
  }

  /** A room panicked: it is made anew from its last durable point. */
  #rebuild(name: RoomName): void {
    for (const link of this.#links) if (link.startsWith(`${name}:`)) this.#hangup(link);
    for (const [call, { of }] of this.#calls) if (of === name) this.#answer({ do: "answer", call, fault: "panic" });
    const room = this.#relay.rooms.find((hosted) => hosted.name === name);
    if (room !== undefined) this.#restorer.begin(room);
  }

  /** A put was settled: the replies that waited for it leave before its room does anything else. */
  #settle(event: Event & { is: "stored" | "storeFailed" }): void {
    if (event.is === "storeFailed") this.#ports.observe({ is: "store_failed", key: event.key, reason: event.reason });
    this.#outbox.settled(event.key, event.is === "stored", this.#settings.limits);
    for (const answer of this.#promised.get(event.key) ?? []) {
      this.#answer(event.is === "stored" ? answer : { do: "answer", call: answer.call, fault: "storageFailed" });
    }
    this.#promised.delete(event.key);
    this.push(event);
  }

  /** More waits for it than may. */
  #cut(to: PeerId | LinkId): void {
    if (!isLink(to)) return this.#outbox.close(to, this.#peers.get(to)?.door === "intermediary" ? "slowPeer" : "slowGame");
    this.#ports.sockets.hangup(to);
    this.push({ is: "dropped", link: to, code: FAULTS.slowPeer.close, reason: FAULTS.slowPeer.says });
  }

  #writeDeadline(times = 1): Millis {
    return this.#ports.clock.now() + times * this.#settings.queue.write_timeout;
  }

  /** Sets the one timer, if it has to ring earlier than it would; one that rings too early does nothing. */
  #setTimer(): void {
    let at = earlier(this.#relay.nextWakeup(), this.#writer.nextDeadline());
    at = earlier(at, this.#work.nextDeadline());
    at = earlier(at, this.#restorer.nextDeadline());
    at = earlier(at, this.#drainUntil);
    if (at === undefined || (this.#wakeAt !== undefined && this.#wakeAt <= at)) return;
    this.#wakeAt = at;
    this.#ports.clock.wake(at);
  }
}

/** What an engine needs to start. */
export interface EngineOptions {
  readonly settings: Settings;
  readonly ports: Ports;
  /** Peers that are connected already: a Durable Object that slept. */
  readonly survivors?: readonly Survivor[];
}

const ofRoom = (room: RoomName, survivors: readonly Survivor[]): readonly Survivor[] =>
  survivors.filter(({ door }) => door === room);
