/**
 * A bad network between the games and their service, on request: messages are delayed, lost or repeated, connections break or hang.
 *
 * It stands around the service as another one, and exists only if `nakurity-backend.faults.enabled` was true at the start, so it costs
 * nothing otherwise. Delays are deadlines like those of a service, and chance follows from `faults.seed`.
 *
 * Invariants: FN1 the messages of one direction of a connection arrive in the order in which they were sent, whatever their delays; FN2
 * what waits is charged to its connection, and beyond a limit the oldest message arrives before its time; FN3 after a connection was cut
 * or hangs, no message passes in either direction, and the service learns of its end once.
 */
import { assertNever } from "../core/assert.ts";
import type { StepContext } from "../core/context.ts";
import { Deadlines, earlier } from "../core/deadlines.ts";
import type { Effect } from "../core/effect.ts";
import { ABNORMAL_CLOSE, FAULTS } from "../core/fault.ts";
import type { PeerEvent, ServiceEvent } from "../core/event.ts";
import { isLink, type Millis, type PeerId } from "../core/ids.ts";
import type { MessageDirection } from "../core/message-counter.ts";
import type { Observation, ObservationName } from "../core/observation.ts";
import { seededRandom } from "../core/random.ts";
import { RetainedBytes } from "../core/retained-bytes.ts";
import type { ServiceMessage } from "../core/service-message.ts";
import type { RestoreInput, ServiceName } from "../core/service.ts";
import type { FaultSettings, LimitSettings, NetworkFault, Settings } from "../core/settings.ts";
import type { SupervisedService } from "./supervised-service.ts";

/** What passes a connection: events to the service, effects to the game. */
type Passing =
  | { readonly way: "in"; readonly event: ConnectionEvent }
  | { readonly way: "out"; readonly effect: ConnectionEffect };
type ConnectionEvent = PeerEvent & { readonly is: "opened" | "frame" | "ponged" | "closed" };
type ConnectionEffect = Effect & { readonly do: "send" | "ping" | "close" };

interface Delayed {
  readonly at: Millis;
  readonly bytes: number;
  readonly passing: Passing;
}

interface FaultyConnection {
  readonly peer: PeerId;
  address: string;
  state:
    | "open"
    /** Nothing passes, and neither end notices that. */
    | "half_open"
    /** It was cut, and the runtime has not reported its end. */
    | "cut"
    /** The game has closed it: what it sent before still arrives. */
    | "leaving";
  readonly delayed: Readonly<Record<MessageDirection, Delayed[]>>;
  /** When the last message of each direction arrives. */
  readonly lastAt: Record<MessageDirection, Millis>;
  retained: RetainedBytes;
}

/** A message that waits, without its text. */
const DELAYED_BYTES = 256;
const NETWORK_FAULTS: readonly NetworkFault[] = ["disconnect", "half_open", "drop", "duplicate"];

/** The service behind a network with the faults of the settings. */
export class FaultyNetwork implements SupervisedService {
  readonly name: ServiceName;
  readonly resident: readonly string[];
  readonly #service: SupervisedService;
  readonly #random: () => number;
  readonly #ctx = new CollectingContext();
  readonly #connections = new Map<PeerId, FaultyConnection>();
  readonly #deadlines = new Deadlines();
  #faults: FaultSettings;
  #limits: LimitSettings;
  #retained = new RetainedBytes();

  constructor(service: SupervisedService, { "nakurity-backend": { faults }, limits }: Settings) {
    this.name = service.name;
    this.resident = service.resident;
    this.#service = service;
    this.#faults = faults;
    this.#limits = limits;
    this.#random = seededRandom(faults.seed);
  }

  step(event: ServiceEvent, ctx: StepContext): boolean {
    switch (event.is) {
      case "opened":
      case "frame":
      case "ponged":
      case "closed":
        return this.#receive(event, ctx);
      case "configured":
        this.#faults = event.settings["nakurity-backend"].faults;
        this.#limits = event.settings.limits;
        return this.#stepService(event, ctx);
      case "tick":
        this.#deliverDue(ctx);
        return this.#stepService(event, ctx);
      default:
        // Why not `assertNever`: no other event comes from a game.
        return this.#stepService(event, ctx);
    }
  }

  nextWakeup(): Millis | undefined {
    return earlier(this.#service.nextWakeup(), this.#deadlines.earliest());
  }

  observes(name: ObservationName): boolean {
    return this.#service.observes?.(name) === true;
  }

  countsUntil(name: ObservationName): Millis {
    return this.#service.countsUntil(name);
  }

  wantsChange(of: ServiceName): boolean {
    return this.#service.wantsChange(of);
  }

  nameOf(peer: PeerId): string | undefined {
    return this.#service.nameOf(peer);
  }

  /** A game whose `opened` is still under way is not connected for the service. */
  restore(settings: Settings, input: RestoreInput): readonly ServiceEvent[] {
    this.#retained = input.retained;
    for (const connection of this.#connections.values()) {
      const { bytes } = connection.retained;
      connection.retained = new RetainedBytes(input.retained, "peer_bytes");
      connection.retained.charge(bytes);
    }
    const isOpening = (peer: PeerId): boolean =>
      this.#connections.get(peer)?.delayed.in.some(({ passing }) =>
        passing.way === "in" && passing.event.is === "opened"
      ) === true;
    return this.#service.restore(settings, { ...input, resumed: input.resumed.filter(({ peer }) => !isOpening(peer)) });
  }

  #receive(event: ConnectionEvent, ctx: StepContext): boolean {
    const connection = this.#connectionOf(event.peer);
    if (event.is === "opened") connection.address = event.connection.address;
    if (event.is === "closed") {
      this.#forgetDelayed(connection, "out");
      if (connection.state !== "open") {
        this.#forget(connection);
        // Why another code: the end of one that was cut is not its game's fault.
        return this.#stepService(connection.state === "cut" ? { ...event, code: FAULTS.leaving.close } : event, ctx);
      }
      connection.state = "leaving";
    } else if (connection.state !== "open") return true;
    return this.#pass(connection, { way: "in", event }, ctx);
  }

  /** Steps the service, and passes on what it sends. What a panicking step wants to send is discarded, as its other effects are. */
  #stepService(event: ServiceEvent, ctx: StepContext): boolean {
    const { sent } = this.#ctx;
    sent.length = 0;
    this.#ctx.inner = ctx;
    const isHandled = this.#service.step(event, this.#ctx);
    for (const effect of sent.splice(0)) this.#send(effect, ctx);
    return isHandled;
  }

  #send(effect: ConnectionEffect, ctx: StepContext): void {
    const connection = this.#connectionOf(effect.do === "send" ? effect.to as PeerId : effect.peer);
    switch (connection.state) {
      case "open":
        return void this.#pass(connection, { way: "out", effect }, ctx);
      case "half_open":
        // Why: the relay has given the connection up, and its socket must not stay open.
        return effect.do === "close" ? ctx.emit(effect) : undefined;
      case "cut":
      case "leaving":
        return;
      default:
        return assertNever(connection.state);
    }
  }

  /** One message, or another sign of a connection. Only messages suffer from faults. */
  #pass(connection: FaultyConnection, passing: Passing, ctx: StepContext): boolean {
    const frame = passing.way === "in"
      ? passing.event.is === "frame" ? passing.event.frame : undefined
      : passing.effect.do === "send"
      ? passing.effect.frame
      : undefined;
    if (frame === undefined) return this.#delay(connection, passing, 0, ctx);
    const fault = this.#nextFault();
    if (fault !== undefined) {
      const from = this.nameOf(connection.peer) ?? connection.address;
      ctx.observe({ is: "fault_injected", from, fault, direction: passing.way });
    }
    switch (fault) {
      case undefined:
        return this.#delay(connection, passing, frame.length, ctx);
      case "drop":
        return true;
      case "duplicate":
        this.#delay(connection, passing, frame.length, ctx);
        return this.#delay(connection, passing, frame.length, ctx);
      case "disconnect":
        this.#breakOff(connection, "cut");
        ctx.emit({ do: "close", peer: connection.peer, fault: "leaving", as: CUT });
        return true;
      case "half_open":
        this.#breakOff(connection, "half_open");
        return true;
      default:
        return assertNever(fault);
    }
  }

  #nextFault(): NetworkFault | undefined {
    const { percent } = this.#faults;
    if (NETWORK_FAULTS.every((fault) => percent[fault] === 0)) return undefined;
    let left = this.#random() * 100;
    return NETWORK_FAULTS.find((fault) => (left -= percent[fault]) < 0);
  }

  #delay(connection: FaultyConnection, passing: Passing, length: number, ctx: StepContext): boolean {
    const { delay, jitter } = this.#faults;
    const { way } = passing;
    const wanted = ctx.now + delay + (jitter === 0 ? 0 : Math.floor(this.#random() * jitter));
    const at = Math.max(connection.lastAt[way], wanted);
    const queue = connection.delayed[way];
    const bytes = DELAYED_BYTES + 2 * length;
    while (queue.length > 0 && connection.retained.refusal(bytes, this.#limits) !== undefined) {
      this.#deliverFirst(connection, way, ctx);
    }
    const isWithinLimits = connection.retained.refusal(bytes, this.#limits) === undefined;
    if (queue.length === 0 && (at <= ctx.now || !isWithinLimits)) return this.#deliver(connection, passing, ctx);
    connection.lastAt[way] = at;
    connection.retained.charge(bytes);
    queue.push({ at, bytes, passing });
    this.#schedule(connection);
    return true;
  }

  #schedule({ peer, delayed }: FaultyConnection): void {
    const at = earlier(delayed.in[0]?.at, delayed.out[0]?.at);
    if (at === undefined) this.#deadlines.clear(peer);
    else this.#deadlines.set(peer, at);
  }

  #deliverDue(ctx: StepContext): void {
    for (const peer of this.#deadlines.due(ctx.now)) {
      const connection = this.#connections.get(peer as PeerId);
      if (connection === undefined) continue;
      for (let way = dueWay(connection, ctx.now); way !== undefined; way = dueWay(connection, ctx.now)) {
        this.#deliverFirst(connection, way, ctx);
      }
      this.#schedule(connection);
    }
  }

  #deliverFirst(connection: FaultyConnection, way: MessageDirection, ctx: StepContext): void {
    const first = connection.delayed[way].shift();
    if (first === undefined) return;
    connection.retained.release(first.bytes);
    // Why before it is delivered: the service may panic.
    this.#schedule(connection);
    if (!this.#deliver(connection, first.passing, ctx)) {
      this.#breakOff(connection, "cut");
      ctx.emit({ do: "close", peer: connection.peer, fault: "panic" });
    }
  }

  /** False if the service is down and cannot even keep the event. */
  #deliver(connection: FaultyConnection, passing: Passing, ctx: StepContext): boolean {
    if (passing.way === "out") {
      ctx.emit(passing.effect);
      return true;
    }
    if (passing.event.is === "closed") this.#forget(connection);
    return this.#stepService(passing.event, ctx);
  }

  #breakOff(connection: FaultyConnection, state: "cut" | "half_open"): void {
    connection.state = state;
    this.#forgetDelayed(connection, "in");
    this.#forgetDelayed(connection, "out");
  }

  #forgetDelayed(connection: FaultyConnection, way: MessageDirection): void {
    for (const { bytes } of connection.delayed[way].splice(0)) connection.retained.release(bytes);
    this.#schedule(connection);
  }

  #forget(connection: FaultyConnection): void {
    this.#connections.delete(connection.peer);
    this.#deadlines.clear(connection.peer);
    connection.retained.close();
  }

  #connectionOf(peer: PeerId): FaultyConnection {
    const known = this.#connections.get(peer);
    if (known !== undefined) return known;
    const connection: FaultyConnection = {
      peer,
      address: "",
      state: "open",
      delayed: { in: [], out: [] },
      lastAt: { in: 0, out: 0 },
      retained: new RetainedBytes(this.#retained, "peer_bytes"),
    };
    this.#connections.set(peer, connection);
    return connection;
  }
}

/** Why without a close frame: a network that breaks sends none. */
const CUT = { code: ABNORMAL_CLOSE, reason: "cut by nakurity-backend.faults" };

/** The direction whose first message is due; the earlier one, if both are. */
function dueWay({ delayed }: FaultyConnection, now: Millis): MessageDirection | undefined {
  const [incoming, outgoing] = [delayed.in[0]?.at ?? Infinity, delayed.out[0]?.at ?? Infinity];
  if (Math.min(incoming, outgoing) > now) return undefined;
  return incoming <= outgoing ? "in" : "out";
}

/** The context of the relay, except that what is sent to games is collected. */
class CollectingContext implements StepContext {
  inner: StepContext | undefined;
  readonly sent: ConnectionEffect[] = [];

  get #ctx(): StepContext {
    if (this.inner === undefined) throw new Error("a context is used outside of a step");
    return this.inner;
  }

  get now(): Millis {
    return this.#ctx.now;
  }

  random(): number {
    return this.#ctx.random();
  }

  id(): string {
    return this.#ctx.id();
  }

  secret(): string {
    return this.#ctx.secret();
  }

  emit(effect: Effect): void {
    if (isToGame(effect)) this.sent.push(effect);
    else this.#ctx.emit(effect);
  }

  post(service: ServiceName, message: ServiceMessage): void {
    this.#ctx.post(service, message);
  }

  observe(observation: Observation): void {
    this.#ctx.observe(observation);
  }

  countUnread(name: ObservationName): boolean {
    return this.#ctx.countUnread?.(name) ?? false;
  }

  count(who: string, way: MessageDirection, kind: string): void {
    this.#ctx.count(who, way, kind);
  }
}

const isToGame = (effect: Effect): effect is ConnectionEffect =>
  effect.do === "ping" || effect.do === "close" || (effect.do === "send" && !isLink(effect.to));
