/** What the Intermediary knows: its peers, and the machines it is made of. Plain data; each file of this room changes its own part. */
import type { Action } from "../../core/neuro-messages.ts";
import { Deadlines } from "../../core/deadlines.ts";
import type { Key, LoadToken, Millis, PeerId, RequestId } from "../../core/ids.ts";
import type { ConnectionInfo } from "../../core/event.ts";
import type { Frame } from "../../core/json.ts";
import { Queue } from "../../queue/queue.ts";
import type { Scope, Settings } from "../../core/settings.ts";
import type { ChoiceRequest } from "../../core/service-message.ts";
import { Audit } from "./audit.ts";
import type { FreeText } from "./free-text.ts";
import { Directory } from "./directory.ts";
import { type Token, tokensOf } from "./tokens.ts";
import { Uploads } from "./uploads.ts";
import { Subscriptions } from "./subscriptions.ts";

/** A peer that has not yet said who it is. */
export interface Newcomer {
  readonly is: "newcomer";
  readonly peer: PeerId;
  readonly connection: ConnectionInfo;
}

/** Who a peer is, once its greeting was accepted. */
export interface Identity {
  readonly peer: PeerId;
  readonly connection: ConnectionInfo;
  readonly name: string;
  /** The digest of its token, for the day on which that token is no longer one. */
  readonly digest: string;
  scopes: ReadonlySet<Scope>;
  readonly session: string;
  readonly since: Millis;
}

/** An integration whose name is still another's. What it sends meanwhile is kept. */
export interface PendingTakeover {
  readonly is: "pendingTakeover";
  readonly peer: PeerId;
  readonly identity: Identity;
  readonly acks: boolean;
  readonly frames: Frame[];
  bytes: number;
}

export interface Integration extends Identity {
  readonly is: "integration";
  readonly acks: boolean;
  /** False for one that came without a name: nothing waits for it. */
  readonly hasQueue: boolean;
  heardAt: Millis;
  messages: number;
  /** Its actions, by name. */
  readonly actions: Map<string, Action>;
  /** What of its input was mended, each kind said once. */
  readonly repaired: Set<string>;
  readonly freeText: FreeText;
}

export interface Watcher extends Identity {
  readonly is: "watcher";
  messages: number;
}

export type Peer = Newcomer | PendingTakeover | Integration | Watcher;

/** A question that waits for the store. */
export type PendingLoad =
  | { readonly is: "show"; readonly requestId: RequestId; readonly to: string }
  | { readonly is: "retry"; readonly requestId: RequestId; readonly letter: string; readonly by: string };

/** Who waits to be told that something was taken for Neuro, by which request. */
export interface PendingDirectMessage {
  readonly peer: PeerId;
  readonly requestId: string | number | undefined;
}

export interface State {
  settings: Settings;
  tokens: readonly Token[];
  readonly peers: Map<PeerId, Peer>;
  /** Who is here under a name. */
  readonly integrations: Map<string, Integration>;
  /** Who waits for a name. */
  readonly pendingTakeovers: Map<string, PendingTakeover>;
  /** When each of the last takeovers of a name happened. */
  readonly takeovers: Map<string, readonly Millis[]>;
  readonly greetings: Deadlines;
  readonly takeoverDeadlines: Deadlines;
  readonly freeTexts: Deadlines;
  /** Peers that came without a name so far. */
  unnamed: number;
  readonly directory: Directory;
  readonly queue: Queue;
  readonly subscriptions: Subscriptions;
  readonly uploads: Uploads;
  readonly audit: Audit;
  /** When what a watcher does was last said. */
  readonly recordedActs: Map<string, Millis>;
  /** Games on the game port, by name. */
  readonly games: Map<string, number>;
  upstream: { readonly configured: boolean; readonly open: boolean };
  /** What the relay asks, in Neuro's place, while nobody has chosen. */
  openChoice: ChoiceRequest | undefined;
  /** Watchers that came since, and are to be asked in this step. */
  readonly lateWatchers: Set<PeerId>;
  readonly pendingLoads: Map<LoadToken, PendingLoad>;
  /** What watchers had for Neuro and her room has not yet said that it took. */
  readonly pendingDirectMessages: Map<string, PendingDirectMessage>;
  /** Calls that are answered once a key is stored, and the dead letter that is then gone. */
  readonly pendingWrites: Map<Key, { readonly requestId: RequestId; readonly letter: string | undefined }>;
  /** Those who were connected before this state was made, until they are taken up again. */
  readonly resumedPeers: {
    readonly peer: PeerId;
    readonly events: readonly string[] | undefined;
    readonly rate: number | undefined;
    readonly missed: 0 | null;
  }[];
  /** Since draining began: when to close everybody at the latest. */
  closeAt: Millis | undefined;
  isDrained: boolean;
}

export const stateOf = (settings: Settings): State => ({
  settings,
  tokens: tokensOf(settings),
  peers: new Map(),
  integrations: new Map(),
  pendingTakeovers: new Map(),
  takeovers: new Map(),
  greetings: new Deadlines(),
  takeoverDeadlines: new Deadlines(),
  freeTexts: new Deadlines(),
  unnamed: 0,
  directory: new Directory(),
  queue: new Queue("intermediary", settings.queue),
  subscriptions: new Subscriptions(),
  uploads: new Uploads(settings.uploads),
  audit: new Audit(),
  recordedActs: new Map(),
  games: new Map(),
  upstream: { configured: settings["nakurity-clients"].length > 0, open: false },
  openChoice: undefined,
  lateWatchers: new Set(),
  pendingLoads: new Map(),
  pendingDirectMessages: new Map(),
  pendingWrites: new Map(),
  resumedPeers: [],
  closeAt: undefined,
  isDrained: false,
});
