/**
 * The membership of one node: a lease that it renews by beats, and its observation of the other members' beats. It contains no clock.
 *
 * A node may act until `lease - margin` after it SENT the last beat that was answered. Another node declares it dead only after it has seen
 * the same number of beats for a whole lease on its own clock. It cannot have seen that number before it was sent, so the node has
 * stopped acting by then, as long as the clocks of two machines differ by less than the margin in a lease.
 *
 * Two times are arguments. `now` is the cautious clock: it is never slower than real time, so a lease is never held too long. `observedAt` is
 * the monotonic clock: it is never faster, so nobody is declared dead too early.
 *
 * Invariants: ME1 a node whose session was declared dead does not act, however late it hears of that; ME2 a declaration names the number
 * of beats that was observed, so an observer that was paused declares nobody dead who has beaten since; ME3 a gap in a node's own
 * observation does not count, so an outage of the directory expires nobody; ME4 a dead session never acts again.
 */
import type { Millis } from "../core/ids.ts";

export interface LeaseTimes {
  readonly leaseMs: Millis;
  /** Between two beats. */
  readonly beatMs: Millis;
  /** A node stops acting this long before its lease ends. */
  readonly marginMs: Millis;
}

export const leaseTimes = (leaseMs: Millis): LeaseTimes => ({ leaseMs, beatMs: leaseMs / 5, marginMs: leaseMs / 10 });

export type Lease =
  /** No beat was answered so far. */
  | { readonly is: "joining" }
  | { readonly is: "holding"; readonly until: Millis }
  /** No beat was answered in time: nothing leaves this node until one is. */
  | { readonly is: "suspended" }
  /** Declared dead by another member: this session never acts again. */
  | { readonly is: "dead" };

/** Another member, as this node saw it. */
export interface ObservedMember {
  readonly session: string;
  /** Where its node listener is. */
  readonly place: string;
  readonly count: number;
}

export interface SeenMember extends ObservedMember {
  /** When this node first saw this count, and later by the gaps in its observation since then. */
  since: Millis;
}

export interface Membership {
  readonly session: string;
  readonly times: LeaseTimes;
  lease: Lease;
  /** Beats sent. */
  count: number;
  /** When this node last saw the members. */
  observedAt: Millis;
  readonly others: Map<string, SeenMember>;
}

/** The answer of the directory to a beat. */
export type BeatReply =
  | { readonly is: "dead" }
  | {
    readonly is: "alive";
    readonly members: readonly ObservedMember[];
    /** The earliest alarm of a relay without an owner, in milliseconds since 1970. */
    readonly alarmAt: Millis | undefined;
  };

/** What an answered beat has changed. */
export interface BeatOutcome {
  readonly lease: "joined" | "renewed" | "resumed" | "late" | "died";
  readonly appeared: readonly ObservedMember[];
  /** Sessions that are no members any more. */
  readonly gone: readonly string[];
  /** Members whose beats have stopped for a whole lease: the directory may be told to expire them. */
  readonly expired: readonly ObservedMember[];
}

export const createMembership = (session: string, times: LeaseTimes): Membership => ({
  session,
  times,
  lease: { is: "joining" },
  count: 0,
  observedAt: -Infinity,
  others: new Map(),
});

/** True while the lease holds. Everything that leaves the node has to ask immediately before. */
export const mayAct = ({ lease }: Membership, now: Millis): boolean => lease.is === "holding" && now < lease.until;

/** Suspends the node if its lease is over. Returns true if it was. */
export function suspendIfOver(state: Membership, now: Millis): boolean {
  if (state.lease.is !== "holding" || now < state.lease.until) return false;
  state.lease = { is: "suspended" };
  return true;
}

/** Counts a beat. Returns the number to send. */
export const nextBeat = (state: Membership): number => ++state.count;

/** The cautious time when a beat was sent and when it was answered, and the monotonic time of the answer. */
export interface BeatTimes {
  readonly sentAt: Millis;
  readonly now: Millis;
  readonly observedAt: Millis;
}

/** The directory answered a beat. */
export function beatAnswered(
  state: Membership,
  reply: BeatReply,
  { sentAt, now, observedAt }: BeatTimes,
): BeatOutcome {
  if (state.lease.is === "dead" || reply.is === "dead") {
    state.lease = { is: "dead" };
    return { lease: "died", appeared: [], gone: [], expired: [] };
  }
  return { lease: renew(state, sentAt, now), ...observe(state, reply.members, observedAt) };
}

function renew(state: Membership, sentAt: Millis, now: Millis): BeatOutcome["lease"] {
  const { lease, times: { leaseMs, marginMs } } = state;
  const until = Math.max(sentAt + leaseMs - marginMs, lease.is === "holding" ? lease.until : 0);
  if (now >= until) return "late";
  state.lease = { is: "holding", until };
  return lease.is === "joining" ? "joined" : lease.is === "suspended" ? "resumed" : "renewed";
}

function observe(
  state: Membership,
  members: readonly ObservedMember[],
  now: Millis,
): Omit<BeatOutcome, "lease"> {
  const { others, times: { leaseMs, beatMs } } = state;
  const interval = now - state.observedAt;
  const gap = interval > 2 * beatMs ? interval : 0;
  state.observedAt = now;
  const present = new Set(members.map(({ session }) => session));
  const gone = [...others.keys()].filter((session) => !present.has(session));
  for (const session of gone) others.delete(session);
  const appeared: ObservedMember[] = [];
  const expired: ObservedMember[] = [];
  for (const member of members) {
    if (member.session === state.session) continue;
    const known = others.get(member.session);
    if (known === undefined) appeared.push(member);
    if (known === undefined || known.count !== member.count) others.set(member.session, { ...member, since: now });
    else {
      known.since += gap;
      if (now - known.since >= leaseMs) expired.push(member);
    }
  }
  return { appeared, gone, expired };
}
