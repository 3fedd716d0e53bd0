/**
 * The directory of the cluster: who its members are, and which session owns which relay. It is kept in Redis; `redis-directory.ts` has
 * its scripts, `testing/virtual-directory.ts` the same as functions.
 *
 * Invariants: DI1 a relay is taken only from a session that is no member, or that does not run it, or after it was released; DI2 a change of owner increases the epoch of
 * the relay, and an epoch is never used twice; DI3 records are compared as text, never as numbers, so a writer from before a loss of data
 * is recognised; DI4 two members never have the same node name.
 */
import type { Millis } from "../core/ids.ts";
import type { BeatReply, ObservedMember } from "./membership.ts";

/** One renewal of a lease. */
export interface Beat {
  readonly session: string;
  readonly count: number;
  readonly place: string;
}

/** Who owns a relay. Its text, `<session> <epoch>`, is what every write of the owner names. */
export interface OwnershipRecord {
  readonly session: string;
  readonly epoch: number;
}

/** The session of a relay that was handed over: anybody may claim it, and no work was lost. */
export const RELEASED = "-";

export const recordText = ({ session, epoch }: OwnershipRecord): string => `${session} ${epoch}`;

/** Reads the text of a record; undefined for any other text. */
export function parseRecord(text: string | null | undefined): OwnershipRecord | undefined {
  const [, session, epoch] = /^(\S+) (\d{1,15})$/.exec(text ?? "") ?? [];
  return session === undefined ? undefined : { session, epoch: Number(epoch) };
}

/** A relay that was claimed. */
export interface Claimed {
  readonly record: OwnershipRecord;
  /** Its last owner released it: every write was completed, and nothing that peers sent was lost. */
  readonly isClean: boolean;
}

/** The session did not become a member, because a session of the same node name is one. */
export interface NameTaken {
  readonly is: "nameTaken";
  readonly by: ObservedMember;
}

export interface ClusterDirectory {
  beat(beat: Beat): Promise<BeatReply | NameTaken>;
  /** All members. */
  members(): Promise<readonly ObservedMember[]>;
  /** Declares a member dead, if it still has sent only this many beats. */
  expire(session: string, count: number): Promise<boolean>;
  /**
   * Takes a relay that nobody owns, or whose owner `from` is no member; undefined if it belongs to a member. With the text of its record as `from`
   * also a relay of `by` itself, which does not run it.
   */
  claim(relay: string, by: string, from: string): Promise<Claimed | undefined>;
  /** Gives a relay up, so that another node takes it. False if this record does not own it. */
  release(relay: string, record: OwnershipRecord): Promise<boolean>;
  /** Gives a relay up that nobody uses. Somebody has to run it again at `alarmAt`. False if this record does not own it. */
  stop(relay: string, record: OwnershipRecord, alarmAt: Millis | undefined): Promise<boolean>;
  /** The alarms of all relays without an owner, in milliseconds since 1970. */
  alarms(): Promise<ReadonlyMap<string, Millis>>;
  /** Relays without an owner whose alarm is not later than `now`, the earliest first. */
  due(now: Millis, countMax: number): Promise<readonly string[]>;
  ownerOf(relay: string): Promise<OwnershipRecord | undefined>;
  /** All records. */
  records(): Promise<ReadonlyMap<string, OwnershipRecord>>;
  /** The session ends in order. Its relays must have been released. */
  leave(session: string): Promise<void>;
}
