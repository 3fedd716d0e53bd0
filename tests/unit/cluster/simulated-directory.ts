/** The directory as functions, in memory: the same contract as `redis-directory.ts` (`directory.test.ts` runs it on both). */
import { type ClusterDirectory, type OwnershipRecord, recordText, RELEASED } from "../../../src/cluster/directory.ts";

export class SimulatedDirectory {
  readonly nodes = new Map<string, { readonly count: number; readonly place: string }>();
  readonly dead = new Set<string>();
  readonly own = new Map<string, OwnershipRecord>();
  readonly epochs = new Map<string, number>();

  beat({ session, count, place }: Parameters<ClusterDirectory["beat"]>[0]): Awaited<ReturnType<ClusterDirectory["beat"]>> {
    if (this.dead.has(session)) return { is: "dead" };
    this.nodes.set(session, { count, place });
    return { is: "alive", members: [...this.nodes].map(([session, member]) => ({ session, ...member })) };
  }

  expire(session: string, count: number): boolean {
    if (this.nodes.get(session)?.count !== count) return false;
    this.nodes.delete(session);
    this.dead.add(session);
    return true;
  }

  claim(relay: string, by: string, from: string): Awaited<ReturnType<ClusterDirectory["claim"]>> {
    if (!this.nodes.has(by)) return undefined;
    const holder = this.own.get(relay)?.session;
    if (holder !== undefined && holder !== RELEASED && (holder !== from || this.nodes.has(holder))) return undefined;
    const record = { session: by, epoch: (this.epochs.get(relay) ?? 0) + 1 };
    this.epochs.set(relay, record.epoch);
    this.own.set(relay, record);
    return { record, isClean: holder === RELEASED };
  }

  release(relay: string, record: OwnershipRecord, why: "handover" | "idle"): boolean {
    const known = this.own.get(relay);
    if (known === undefined || recordText(known) !== recordText(record)) return false;
    if (why === "idle") this.own.delete(relay);
    else this.own.set(relay, { ...record, session: RELEASED });
    return true;
  }

  /** The same with promises that are settled at once. */
  asDirectory(): ClusterDirectory {
    return {
      beat: (beat) => Promise.resolve(this.beat(beat)),
      expire: (session, count) => Promise.resolve(this.expire(session, count)),
      claim: (relay, by, from) => Promise.resolve(this.claim(relay, by, from)),
      release: (relay, record, why) => Promise.resolve(this.release(relay, record, why)),
      ownerOf: (relay) => Promise.resolve(this.own.get(relay)),
      records: () => Promise.resolve(this.own),
      leave: (session) => Promise.resolve(void this.nodes.delete(session)),
    };
  }
}
