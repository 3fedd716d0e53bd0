/** The peers of the Intermediary, from their first frame to their close. */
import type { ConnectionInfo } from "../../../core/event.ts";
import type { Millis, PeerId } from "../../../core/ids.ts";
import type { Frame } from "../../../core/json.ts";
import type { Action } from "../../../core/neuro-messages.ts";
import type { RetainedBytes } from "../../../core/retained-bytes.ts";
import type { Scope } from "../../../core/settings.ts";

/** A peer that has not greeted yet. */
export interface Newcomer {
  readonly is: "newcomer";
  readonly peer: PeerId;
  readonly connection: ConnectionInfo;
}

/** The identity of a peer whose greeting was accepted. */
export interface Identity {
  readonly peer: PeerId;
  readonly connection: ConnectionInfo;
  readonly name: string;
  /** The digest of its token, to check the token again when the settings change. */
  readonly digest: string;
  scopes: ReadonlySet<Scope>;
  readonly session: string;
  readonly since: Millis;
}

/** An integration whose name belongs to another connection. Its frames are buffered until it takes the name over. */
export interface PendingTakeover {
  readonly is: "pendingTakeover";
  readonly peer: PeerId;
  readonly identity: Identity;
  readonly acks: boolean;
  readonly traces: boolean;
  readonly frames: Frame[];
  /** What is kept of it. */
  readonly retained: RetainedBytes;
}

export interface Integration extends Identity {
  readonly is: "integration";
  readonly acks: boolean;
  /** It wants the traces of its own messages. */
  readonly traces: boolean;
  /** False for an integration that greeted without a name: nothing is queued for it. */
  readonly hasQueue: boolean;
  lastFrameAt: Millis;
  messages: number;
  /** While its socket is under backpressure: how many contexts of others were not sent to it. */
  congestion: { missedContexts: number } | undefined;
  /** What is kept of it. */
  readonly retained: RetainedBytes;
  /** Its actions, by name. */
  readonly actions: Map<string, Action>;
  /** The kinds of repaired input that were reported: each is reported once. */
  readonly repaired: Set<string>;
}

export interface Watcher extends Identity {
  readonly is: "watcher";
  messages: number;
  /** The kinds of repaired input that were reported: each is reported once. */
  readonly repaired: Set<string>;
}

export type ConnectedPeer = Newcomer | PendingTakeover | Integration | Watcher;

export interface IntegrationOptions {
  readonly acks: boolean;
  readonly traces: boolean;
  readonly hasQueue: boolean;
  readonly retained: RetainedBytes;
}

export const newIntegration = (
  identity: Identity,
  { acks, traces, hasQueue, retained }: IntegrationOptions,
  now: Millis,
): Integration => ({
  is: "integration",
  ...identity,
  acks,
  traces,
  hasQueue,
  lastFrameAt: now,
  messages: 0,
  congestion: undefined,
  retained,
  actions: new Map(),
  repaired: new Set(),
});
