/**
 * This node as a member of the cluster: it beats, watches the others, and begins again under a new session when it was declared dead.
 */
import { cautiousClock, type ClockReading, readClock } from "../../cluster/cautious-clock.ts";
import type { ClusterDirectory } from "../../cluster/directory.ts";
import {
  beatAnswered,
  type BeatOutcome,
  createMembership,
  leaseTimes,
  mayAct,
  type Membership,
  nextBeat,
  type ObservedMember,
  type SeenMember,
  suspendIfOver,
} from "../../cluster/membership.ts";
import type { Millis } from "../../core/ids.ts";

export interface MemberPorts {
  readonly directory: ClusterDirectory;
  readonly node: string;
  readonly leaseMs: Millis;
  /** Where the node listener of this node is. */
  place(): string;
  /** Another beat was answered. */
  beaten(outcome: BeatOutcome): void;
  suspended(): void;
  /** This node has declared a member dead. */
  expired(): void;
  /** The session was declared dead: everything that it owned belongs to others. The next session has begun. */
  died(): void;
  /** Another process beats as a node of this name, so this one is no member. */
  nameTaken(by: ObservedMember): void;
  /** The directory has not answered for half a lease: its connection is made again. */
  reconnect(): void;
}

const readClocks = (): ClockReading => ({ monotonic: performance.now(), wall: Date.now() });

export class Member {
  readonly #ports: MemberPorts;
  readonly #clock = cautiousClock(readClocks());
  #membership: Membership;
  #timer: ReturnType<typeof setInterval> | undefined;
  /** When the oldest beat without an answer was sent. */
  #unansweredSince: Millis | undefined;
  #alarmAt: Millis | undefined;
  /** The session of this node's name because of which this one is no member, with its beats, and since when they and it were seen, and last. */
  #namesake: SeenMember & { readonly firstSeenAt: Millis; readonly seenAt: Millis } | undefined;

  constructor(ports: MemberPorts) {
    this.#ports = ports;
    this.#membership = this.#newMembership();
  }

  get session(): string {
    return this.#membership.session;
  }

  /** Where other nodes reach this one. */
  get place(): string {
    return this.#ports.place();
  }

  get others(): readonly SeenMember[] {
    return [...this.#membership.others.values()];
  }

  /** The monotonic time when a beat was answered last. */
  get answeredAt(): Millis {
    return this.#membership.observedAt;
  }

  /** The earliest alarm of a relay without an owner, as of the last beat, in milliseconds since 1970. */
  get alarmAt(): Millis | undefined {
    return this.#alarmAt;
  }

  /** The sessions of all members, with this one. */
  get sessions(): readonly string[] {
    return [this.session, ...this.#membership.others.keys()];
  }

  get lease(): Membership["lease"] {
    return this.#membership.lease;
  }

  /** True while the lease holds. Reads the clock. */
  mayAct(): boolean {
    return mayAct(this.#membership, this.#now());
  }

  /** Beats out of turn, because the members have changed. */
  look(): void {
    if (!this.#isLeaving) this.#beat();
  }

  start(): void {
    this.#beat();
    this.#timer = setInterval(() => this.#beat(), this.#membership.times.beatMs);
  }

  /** Ends the session in order. */
  async leave(): Promise<void> {
    clearInterval(this.#timer);
    this.#membership.lease = { is: "dead" };
    await this.#ports.directory.leave(this.session).catch(() => undefined);
  }

  #newMembership(): Membership {
    const unique = `${Date.now().toString(36)}${crypto.randomUUID().slice(0, 8)}`;
    return createMembership(`${this.#ports.node}.${unique}`, leaseTimes(this.#ports.leaseMs));
  }

  #now(): Millis {
    return readClock(this.#clock, readClocks());
  }

  #beat(): void {
    const { directory, leaseMs } = this.#ports;
    const membership = this.#membership;
    const sentAt = this.#now();
    if (suspendIfOver(membership, sentAt)) this.#ports.suspended();
    if (this.#unansweredSince !== undefined && sentAt - this.#unansweredSince > leaseMs / 2) {
      this.#unansweredSince = undefined;
      this.#ports.reconnect();
    }
    this.#unansweredSince ??= sentAt;
    directory.beat({ session: membership.session, count: nextBeat(membership), place: this.place }).then((reply) => {
      this.#unansweredSince = undefined;
      if (this.#membership !== membership || this.#isLeaving) return;
      const now = this.#now();
      if (suspendIfOver(membership, now)) this.#ports.suspended();
      if (reply.is === "nameTaken") return this.#nameTaken(reply.by, performance.now());
      if (reply.is === "alive") this.#alarmAt = reply.alarmAt;
      const outcome = beatAnswered(membership, reply, { sentAt, now, observedAt: performance.now() });
      if (outcome.lease === "died") return this.#died();
      for (const { session, count } of outcome.expired) void this.#expire(session, count);
      this.#ports.beaten(outcome);
      if (outcome.expired.length > 0) this.#beat(); // Why: this answer shows the others that the member is gone.
    }, () => undefined); // Why nothing: the lease ends by itself, and the next beat follows.
  }

  async #expire(session: string, count: number): Promise<void> {
    const isDead = await this.#ports.directory.expire(session, count).catch(() => false);
    if (isDead) this.#ports.expired();
  }

  /**
   * Waits until an earlier session of this node is dead: it is killed, and nobody else may be there to notice it. Its last beats may arrive
   * late, so it is alive only if it has beaten for a whole lease. A gap in the observation begins that time again, because they then arrive later still.
   */
  #nameTaken(by: ObservedMember, now: Millis): void {
    const { leaseMs } = this.#ports;
    const isSeenOn = this.#namesake?.session === by.session &&
      now - this.#namesake.seenAt <= 2 * this.#membership.times.beatMs;
    const known = isSeenOn ? this.#namesake : undefined;
    const isSilent = known?.count === by.count;
    const since = isSilent ? known.since : now;
    const firstSeenAt = known?.firstSeenAt ?? now;
    this.#namesake = { ...by, since, firstSeenAt, seenAt: now };
    if (isSilent && now - since >= leaseMs) void this.#expire(by.session, by.count);
    else if (!isSilent && now - firstSeenAt >= leaseMs) this.#ports.nameTaken(by);
  }

  get #isLeaving(): boolean {
    return this.#membership.lease.is === "dead";
  }

  #died(): void {
    this.#membership = this.#newMembership();
    this.#ports.died();
    this.#beat();
  }
}
