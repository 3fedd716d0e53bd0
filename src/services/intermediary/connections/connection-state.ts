/** The tables of connected peers. Plain state; the other files of this folder decide. */
import type { ConnectionInfo } from "../../../core/event.ts";
import type { Millis, PeerId } from "../../../core/ids.ts";
import { RetainedBytes } from "../../../core/retained-bytes.ts";
import type { Settings } from "../../../core/settings.ts";
import type { PeerTimers } from "../timers.ts";
import type { ConnectedPeer, Integration } from "./peer.ts";
import { Takeovers } from "./takeovers.ts";
import type { Credential } from "../../../core/access.ts";
import { tokensOf } from "./tokens.ts";

/** A peer that was connected before the state was created. Its effects wait for the next tick. */
export interface ResumedConnection {
  readonly peer: PeerId;
  readonly events: readonly string[] | undefined;
  readonly rate: number | undefined;
  /** A watcher that is told of changes. */
  readonly changes: boolean;
  /** Number of events that a watcher missed. Null: unknown. */
  readonly missed: 0 | null;
}

export interface Connections {
  tokens: readonly Credential[];
  /** What is kept of all peers; the part of each is charged to its own account below it. */
  readonly retained: RetainedBytes;
  readonly peers: Map<PeerId, ConnectedPeer>;
  /** The integrations that hold their names, by name. */
  readonly integrations: Map<string, Integration>;
  /** The peers that have not greeted yet. */
  readonly newcomers: Set<PeerId>;
  readonly timers: PeerTimers;
  readonly takeovers: Takeovers;
  /** The number in the last generated name. */
  generatedNames: number;
  /** Peers that were connected before this state was created, until the next tick. */
  readonly resumed: ResumedConnection[];
}

export const newConnections = (settings: Settings, timers: PeerTimers, retained: RetainedBytes): Connections => ({
  tokens: tokensOf(settings),
  retained,
  peers: new Map(),
  integrations: new Map(),
  newcomers: new Set(),
  timers,
  takeovers: new Takeovers(timers),
  generatedNames: 0,
  resumed: [],
});

export function addNewcomer(
  { peers, newcomers, timers }: Connections,
  { peer, connection }: { readonly peer: PeerId; readonly connection: ConnectionInfo },
  deadline: Millis,
): void {
  peers.set(peer, { is: "newcomer", peer, connection });
  newcomers.add(peer);
  timers.set({ is: "greeting", peer }, deadline);
}

/** A newcomer has greeted or disconnected. */
export function removeNewcomer({ newcomers, timers }: Connections, peer: PeerId): void {
  newcomers.delete(peer);
  timers.clear({ is: "greeting", peer });
}

/** The account of one peer. */
export const newAccount = ({ retained }: Connections): RetainedBytes => new RetainedBytes(retained, "peer_bytes");
