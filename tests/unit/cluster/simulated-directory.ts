/** The directory as functions, in memory: the same contract as `redis-directory.ts` (`directory.test.ts` runs it on both). */
import { type ClusterDirectory, type OwnershipRecord, recordText, RELEASED } from "../../../src/cluster/directory.ts";
import type { ObservedMember } from "../../../src/cluster/membership.ts";
import { nodeOf } from "../../../src/cluster/placement.ts";
import type { Millis } from "../../../src/core/ids.ts";

export class SimulatedDirectory {
  readonly nodes = new Map<string, { readonly count: number; readonly place: string }>();
  readonly dead = new Set<string>();
  readonly own = new Map<string, OwnershipRecord>();
  readonly epochs = new Map<string, number>();
  readonly alarms = new Map<string, Millis>();

  beat({ session, count, place }: Parameters<ClusterDirectory["beat"]>[0]): Awaited<ReturnType<ClusterDirectory["beat"]>> {
    if (this.dead.has(session)) return { is: "dead" };
    const by = this.members().find((other) => nodeOf(other.session) === nodeOf(session));
    if (by !== undefined && !this.nodes.has(session)) return { is: "nameTaken", by };
    this.nodes.set(session, { count, place });
    const alarmAt = this.alarms.size === 0 ? undefined : Math.min(...this.alarms.values());
    return { is: "alive", members: this.members(), alarmAt };
  }

  members(): readonly ObservedMember[] {
    return [...this.nodes].map(([session, member]) => ({ session, ...member }));
  }

  expire(session: string, count: number): boolean {
    if (this.nodes.get(session)?.count !== count) return false;
    this.nodes.delete(session);
    this.dead.add(session);
    return true;
  }

  claim(relay: string, by: string, from: string): Awaited<ReturnType<ClusterDirectory["claim"]>> {
    if (!this.nodes.has(by)) return undefined;
    const known = this.own.get(relay);
    const holder = known?.session;
    const isOwn = known !== undefined && holder === by && recordText(known) === from;
    const isFree = holder === undefined || holder === RELEASED || isOwn;
    if (!isFree && (holder !== from || this.nodes.has(holder))) return undefined;
    const record = { session: by, epoch: (this.epochs.get(relay) ?? 0) + 1 };
    this.epochs.set(relay, record.epoch);
    this.own.set(relay, record);
    this.alarms.delete(relay);
    return { record, isClean: holder === RELEASED };
  }

  release(relay: string, record: OwnershipRecord): boolean {
    if (!this.#owns(relay, record)) return false;
    this.own.set(relay, { ...record, session: RELEASED });
    return true;
  }

  stop(relay: string, record: OwnershipRecord, alarmAt: Millis | undefined): boolean {
    if (!this.#owns(relay, record)) return false;
    this.own.delete(relay);
    if (alarmAt !== undefined) this.alarms.set(relay, alarmAt);
    return true;
  }

  due(now: Millis, countMax: number): readonly string[] {
    const due = [...this.alarms].filter(([, at]) => at <= now).toSorted(([, left], [, right]) => left - right);
    return due.slice(0, countMax).map(([relay]) => relay);
  }

  #owns(relay: string, record: OwnershipRecord): boolean {
    const known = this.own.get(relay);
    return known !== undefined && recordText(known) === recordText(record);
  }

  /** The same with promises that are settled at once. */
  asDirectory(): ClusterDirectory {
    return {
      beat: (beat) => Promise.resolve(this.beat(beat)),
      members: () => Promise.resolve(this.members()),
      expire: (session, count) => Promise.resolve(this.expire(session, count)),
      claim: (relay, by, from) => Promise.resolve(this.claim(relay, by, from)),
      release: (relay, record) => Promise.resolve(this.release(relay, record)),
      stop: (relay, record, alarmAt) => Promise.resolve(this.stop(relay, record, alarmAt)),
      alarms: () => Promise.resolve(this.alarms),
      due: (now, countMax) => Promise.resolve(this.due(now, countMax)),
      ownerOf: (relay) => Promise.resolve(this.own.get(relay)),
      records: () => Promise.resolve(this.own),
      leave: (session) => Promise.resolve(void this.nodes.delete(session)),
    };
  }
}
