/**
 * The connected peers that have sent nothing so far, and which of them has to leave when another connection needs its place.
 *
 * A peer is local if it is on this machine, or if its address has an accepted peer when it connects; otherwise it is a stranger.
 *
 * Invariants: S1 a stranger never takes the place of a local peer; S2 strangers leave a quarter of the places to local peers; S3 the
 * strangers of one address have at most a quarter of the places; S4 no operation takes longer because there are more peers.
 */

/** The part of a peer that is used. */
export interface SilentPeer {
  /** The address group. */
  readonly group: string;
  readonly isLocal: boolean;
}

/** What a newcomer needs: nothing, the place of another peer, or a place that nobody can give it. */
export type PlaceFor<Peer> = "free" | "none" | Peer;

export class SilentPeers<Peer extends SilentPeer> {
  // Why sets: they keep the order of the connections.
  readonly #locals = new Set<Peer>();
  readonly #strangers = new Set<Peer>();
  readonly #groups = new Map<string, Set<Peer>>();

  add(peer: Peer): void {
    (peer.isLocal ? this.#locals : this.#strangers).add(peer);
    const group = this.#groups.get(peer.group);
    if (group === undefined) this.#groups.set(peer.group, new Set([peer]));
    else group.add(peer);
  }

  /** The peer has sent something, was closed, or has to leave. */
  delete(peer: Peer): void {
    if (!this.#locals.delete(peer) && !this.#strangers.delete(peer)) return;
    const group = this.#groups.get(peer.group);
    group?.delete(peer);
    if (group?.size === 0) this.#groups.delete(peer.group);
  }

  /** The place of a newcomer while at most `places` peers may be silent. */
  placeFor({ group, isLocal }: SilentPeer, places: number): PlaceFor<Peer> {
    const quarter = Math.floor(places / 4);
    const isFull = this.#locals.size + this.#strangers.size >= places;
    if (isLocal) return isFull ? this.oldestFor(isLocal) : "free";
    if ((this.#groups.get(group)?.size ?? 0) >= Math.max(1, quarter)) return this.oldestOf(group);
    return isFull || this.#strangers.size >= places - quarter ? this.oldestFor(isLocal) : "free";
  }

  /** The peer of these addresses that has been silent for the longest time. */
  oldestOf(group: string): Peer | "none" {
    return first(this.#groups.get(group)) ?? "none";
  }

  /** The silent peer that leaves first for a newcomer: the oldest stranger, or, for a local newcomer, the oldest local peer. */
  oldestFor(isLocal: boolean): Peer | "none" {
    return first(this.#strangers) ?? (isLocal ? first(this.#locals) : undefined) ?? "none";
  }
}

function first<Item>(items: ReadonlySet<Item> | undefined): Item | undefined {
  for (const item of items ?? []) return item;
  return undefined;
}
