/**
 * The addresses of peers, and what the peers of one address may send together, whatever comes of it.
 *
 * This machine, and an address with an accepted peer, may send as much as `limits.rates_per_address` peers; another address as much as one.
 *
 * Invariants: A1 a peer that sends less than an equal part of what its address may send is not refused because of the others; A2 what
 * an address has used up counts after its peers have left, so connecting again gains nothing; A3 at most `ADDRESSES_KEPT_MAX` addresses
 * without a peer are kept.
 */
import { addressGroup, isLoopback } from "../core/access.ts";
import {
  bucket,
  charge,
  chargeControlFrame,
  multipliedRates,
  takeWork,
  type WorkBudget,
  workBudget,
  type WorkRates,
} from "../core/bucket.ts";
import type { Millis } from "../core/ids.ts";
import type { LimitSettings } from "../core/settings.ts";

const ADDRESSES_KEPT_MAX = 1_000;
/** What a peer has of its part when its address has used up everything for the first time. */
const PART_MESSAGES = 16;
const PART_BYTES = 65_536;

export interface PeerAddress {
  /** An IPv4 address, or a network of IPv6. */
  readonly group: string;
  readonly isLoopback: boolean;
  peers: number;
  /** Peers that their service has accepted. */
  accepted: number;
  /** Frames that pass. */
  readonly budget: WorkBudget;
  /** Frames that are refused, pings, and pongs that answer no ping. */
  readonly excess: WorkBudget;
}

/** What the peer of an address may send while the others have used up everything. */
export interface AddressedPeer {
  readonly at: PeerAddress;
  part: WorkBudget | undefined;
}

interface Terms {
  readonly limits: LimitSettings;
  readonly now: Millis;
}

export class Addresses {
  readonly #present = new Map<string, PeerAddress>();
  /** Those without a peer; the first has been left for the longest time. */
  readonly #left = new Map<string, PeerAddress>();
  /** The rates of known addresses, and the limits that they were computed of. */
  #known: { readonly limits: LimitSettings; readonly rates: WorkRates } | undefined;

  /** The address of a new peer, which is not counted yet. */
  of(text: string, { limits, now }: Terms): PeerAddress {
    const group = addressGroup(text);
    const known = this.#present.get(group) ?? this.#left.get(group);
    if (known !== undefined) return known;
    const peers = isLoopback(text) ? limits.rates_per_address : 1;
    const newBudget = (): WorkBudget => workBudget(multipliedRates(limits, peers), now, peers);
    return { group, isLoopback: isLoopback(text), peers: 0, accepted: 0, budget: newBudget(), excess: newBudget() };
  }

  enter(address: PeerAddress): void {
    if (address.peers++ > 0) return;
    this.#left.delete(address.group);
    this.#present.set(address.group, address);
  }

  leave(address: PeerAddress): void {
    if (--address.peers > 0) return;
    this.#present.delete(address.group);
    this.#left.set(address.group, address);
    if (this.#left.size <= ADDRESSES_KEPT_MAX) return;
    for (const group of this.#left.keys()) return void this.#left.delete(group);
  }

  /** Charges a frame, and returns 0; or the time in ms after which its peer may send it. */
  waitOf(peer: AddressedPeer, length: number, terms: Terms): Millis {
    const { limits: { rates_per_address }, now } = terms;
    if (rates_per_address === 0) return 0;
    const { at } = peer;
    const limits = this.#ratesOf(at, terms.limits);
    const waitMs = takeWork(at.budget, length, { limits, now });
    if (waitMs === 0) return 0;
    const part = peer.part ??= {
      events: bucket(PART_MESSAGES, now),
      bytes: bucket(PART_BYTES, now),
      controlFrames: bucket(0, now),
    };
    return takeWork(part, length, { limits: multipliedRates(limits, 1 / at.peers), now }) === 0 ? 0 : waitMs;
  }

  /** Charges a frame that is refused. False if the address has used up everything. */
  admitsRefusal({ at }: AddressedPeer, length: number, { limits, now }: Terms): boolean {
    return limits.rates_per_address === 0 || charge(at.excess, length, { limits: this.#ratesOf(at, limits), now });
  }

  /** Charges a ping, or a pong that answers no ping. False if the address has used up everything. */
  admitsControlFrame({ at }: AddressedPeer, { limits, now }: Terms): boolean {
    const peers = limits.rates_per_address;
    return peers === 0 || chargeControlFrame(at.excess, now, isKnown(at) ? peers : 1);
  }

  #ratesOf(address: PeerAddress, limits: LimitSettings): WorkRates {
    if (!isKnown(address)) return limits;
    if (this.#known?.limits !== limits) {
      this.#known = { limits, rates: multipliedRates(limits, limits.rates_per_address) };
    }
    return this.#known.rates;
  }
}

/** It is this machine, or has an accepted peer. */
export const isKnown = (address: PeerAddress): boolean => address.isLoopback || address.accepted > 0;
