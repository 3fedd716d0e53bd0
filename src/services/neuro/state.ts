/**
 * The state of the service: games, their actions, and each Neuro. The folders own the states of a force (`forces/states.ts`) and of a
 * pending action (`pending/states.ts`). The objects that refer to each other are declared here together, so that no file needs another
 * one's types in a circle.
 *
 * Invariants: S1 a game and everything it owns belong to exactly one upstream; S2 a `Game` is an identity (listener and name) and
 * outlives its sockets; S3 references are to objects, not to ids, and the code that removes an object removes the references to it.
 * Knows nothing of: frames, storage.
 */
import type { Action, ForceMessage, GameMessage, NeuroMessage, NeuroSession } from "../../core/neuro-messages.ts";
import type { Bucket } from "../../core/bucket.ts";
import { type Deadline, DeadlineQueue, Timers } from "../../core/deadlines.ts";
import type { ConnectionInfo } from "../../core/event.ts";
import type { JsonObject } from "../../core/json.ts";
import type { DiagnosticId } from "../../core/diagnostics/catalogue.ts";
import type { Key, Millis, PeerId, RequestId } from "../../core/ids.ts";
import type { Link } from "../../core/link.ts";
import { RecordRing, RingBudget } from "../../core/traces/record-ring.ts";
import { RetainedBytes } from "../../core/retained-bytes.ts";
import { Secrets, secretsOf } from "../../core/secrets.ts";
import type { Settings, UpstreamSettings } from "../../core/settings.ts";
import type { TraceStep } from "../../core/traces/trace.ts";
import type { Controls, IntegrationAdmission, IntegrationControls, IntegrationCounts, MacroView } from "../../core/view.ts";
import type { Decider } from "./standalone/decider-state.ts";
import { SilentSockets } from "./games/silent-sockets.ts";
import type { ForceState } from "./forces/states.ts";
import type { ActionOrigin, Confirmation, DeliveryState, PendingState } from "./pending/states.ts";
import { type ContextTemplate, type Policy, PolicyTable } from "./policy.ts";
import type { SmallMap } from "./small-map.ts";
import type { TransientMap } from "./transient-map.ts";
import type { Profile } from "./upstream/profiles.ts";
import type { ContextRecord, Sequence, TraceRecord, TranscriptRecord } from "./traces/records.ts";
import { traceLimits, transcriptLimits } from "../../core/traces/limits.ts";
import type { SentFrame, SentFrames } from "./upstream/sent-frames.ts";
import { WORKING, type WriteHealth } from "./write-health.ts";

/** The progress of a shutdown. In all states except `none` the service accepts nothing new. */
export type Drain =
  | { readonly is: "none" }
  /** Games may still answer their pending actions. */
  | { readonly is: "answering"; readonly answerUntil: Millis; readonly until: Millis }
  /** Everything is answered and unregistered. What crosses that on its way is still answered until the links close. */
  | { readonly is: "leaving"; readonly closeAt: Millis }
  | { readonly is: "drained" };

/** The actions that Neuro has for shutting down, by name, with the ids of their integrations. */
export interface ShutdownActions {
  readonly offered: Map<string, string>;
  /** Integrations that came or left, or whose policy changed. */
  readonly changed: Set<Game>;
}

export interface NeuroState {
  settings: Settings;
  /** Of the settings. */
  policies: PolicyTable;
  /** What is kept of all peers; the part of a socket, a game or a link is charged to its own account below it. */
  readonly retained: RetainedBytes;
  /** What is kept of games that are not connected. */
  readonly parked: RetainedBytes;
  /** Sockets of the game port. */
  readonly sockets: Map<PeerId, GameSocket>;
  /** Integrations of the Intermediary, by their peer. */
  readonly integrations: Map<PeerId, Game>;
  /** Connections for which it is undecided whether they get their game, the oldest first. */
  readonly contested: Set<GameConnection>;
  readonly silent: SilentSockets<Game, GameSocket>;
  /** All known games, connected or away, by key. */
  readonly games: Map<string, Game>;
  /** Those that are not connected, away for longest first. */
  readonly away: Set<Game>;
  readonly slugs: Map<string, Game>;
  /** Number of actions of all games, visible or not. */
  actionCount: number;
  /** The actions by which Neuro asks integrations to shut down. */
  readonly shutdownActions: ShutdownActions;
  /** In the order of the settings; the first serves games that no pattern assigns. */
  readonly upstreams: Map<string, Upstream>;
  /** Everything with a deadline except actions in flight and first messages. */
  readonly timers: Timers<Timer>;
  /** Sockets that have sent no message. */
  readonly firstMessages: DeadlineQueue<GameSocket>;
  /** Records to be written at the next write-behind. */
  readonly unsavedRecords: Set<StoredRecord>;
  /** Of them, those that the save under way has still to write. */
  unsavedLeft: number;
  /** Registries are not written before this. */
  saveFrom: Millis;
  /** The unsaved records are written in this step. Why: games do not repeat a force, and Neuro must not get the same force twice. */
  mustSaveNow: boolean;
  readonly pendingWrites: Map<Key, StoredRecord>;
  writeHealth: WriteHealth;
  /** Keys of entries that a newer one has replaced, found at the restore. */
  readonly staleKeys: Key[];
  /** Id of this relay among chained relays; empty until the first tick. */
  relayId: string;
  unnamedCount: number;
  hasStarted: boolean;
  /** Controls of all integrations. */
  controls: Controls;
  readonly controlsRecord: StoredRecord;
  /** By id, in the order in which they were saved first. */
  readonly macros: Map<string, Macro>;
  /** An integration is solo, so all others are held. */
  hasSolo: boolean;
  drain: Drain;
  /** What diagnostics, traces and transcripts must not contain. */
  readonly secrets: Secrets;
  /** What all traces, and all transcripts, may occupy. */
  readonly traces: RingBudget;
  readonly transcripts: RingBudget;
  /** Traces of no integration: actions that reached none, and contexts of watchers. */
  readonly otherTraces: RecordRing<TraceRecord>;
  /** A watcher wants the event of each trace. */
  isTraceWatched: boolean;
  /** Messages to and from each Neuro, which are numbered for the transcripts. */
  messageCount: number;
  /** Clients that have not named their game. */
  readonly unnamed: Diagnosed;
}

/** The timers of the service, each with its game, socket or upstream. */
export type Timer =
  | { readonly is: GameTimer; readonly game: string }
  | { readonly is: UpstreamTimer; readonly upstream: string }
  | { readonly is: "keepalive" | "contests" | "save_records" | "drain" };
export type GameTimer =
  | "grace"
  | "restart_window"
  | "retention"
  | "shutdown_answer"
  | "delayed_contexts"
  | "action_changes"
  | "unregistered_action";
export type UpstreamTimer = "trial" | "current_force" | "force_names" | "store_contexts" | "context_budget" | "shutdown";

/** One socket of the game port. It may speak for several games. */
export interface GameSocket {
  readonly service: NeuroState;
  readonly peer: PeerId;
  readonly connection: ConnectionInfo;
  /** What is kept of this socket and of the games that it is active for. */
  readonly retained: RetainedBytes;
  readonly openedAt: Millis;
  /** By the name as it stands in the frames. */
  readonly connections: SmallMap<string, GameConnection>;
  /** The connection that sent the latest message. */
  lastConnection: GameConnection | undefined;
  lastHeardAt: Millis;
  /** Since the last pong; `canPong` once there was one. */
  unansweredPings: number;
  canPong: boolean;
  /** When the first ping was sent that was not answered yet. */
  pingedAt: Millis | undefined;
  /** When it was asked to register everything again. */
  reregisterAskedAt: Millis | undefined;
  hasSpoken: boolean;
  /** When its first message is late. Undefined once it is there. */
  firstMessage: Deadline<GameSocket> | undefined;
  readonly isVoice: boolean;
}

/** One game on one socket. */
export interface GameConnection {
  readonly socket: GameSocket;
  /** As it stands in the frames; a name that is too long, in its normal form. */
  readonly name: string;
  readonly game: Game;
  state: GameConnectionState;
  /** It began with `startup`. */
  readonly isStarting: boolean;
  /** Names that this connection has registered, and that its game still has. */
  readonly registeredNames: SmallMap<string, true>;
  /** It has registered an action since it was asked to register everything. */
  hasReregistered: boolean;
}

/** Whether a connection speaks for its game. */
export type GameConnectionState =
  | { readonly is: "active" }
  /** Another socket has the game, and is pinged to find out whether it still works; messages wait for the resolution. */
  | { readonly is: "contested"; readonly since: Millis; readonly backlog: GameMessage[]; bytes: number }
  /** Another socket has the game. All messages of this one are dropped, except its newest force. */
  | { readonly is: "standby"; force: ForceMessage | undefined; bytes: number };

/** The state of nearly all connections. */
export const ACTIVE: GameConnectionState = { is: "active" };

/** The same type with writable fields. */
export type Mutable<View> = { -readonly [Field in keyof View]: View[Field] };

export type GameListener = "neuro" | "intermediary";

/** Whether a game is connected, and since when. */
export type GamePresence =
  | { readonly is: "connected"; readonly peer: PeerId; readonly since: Millis }
  /** It disconnected less than its grace ago, which Neuro does not notice. */
  | { readonly is: "grace"; readonly since: Millis }
  | { readonly is: "away"; readonly since: Millis };

/** True unless its policy asks for an approval that it has not got. */
export const isAdmitted = ({ policy, admission }: Game): boolean =>
  policy.admission === "open" || admission === "known" || admission === "approved";

export const isConnected = ({ presence }: Game): boolean => presence.is === "connected";

/** The peer of a game that is connected. */
export const peerOf = ({ presence }: Game): PeerId | undefined => presence.is === "connected" ? presence.peer : undefined;

/** One diagnostic of one integration: how often it occurred, and its last report. */
export interface Finding {
  count: number;
  readonly firstAt: Millis;
  lastAt: Millis;
  reportedAt: Millis;
  detail: string;
  /** The beginning of the message, without credentials; empty if there is none. */
  message: string;
  /** The id of its trace; empty if there is none. */
  trace: string;
  /** What its integration is charged for it. */
  bytes: number;
}

/** A party with diagnostics. */
export interface Diagnosed {
  readonly name: string;
  /** Undefined: a client that has not named its game. */
  readonly slug: string | undefined;
  /** Replaced when one is added: most parties never have any. */
  findings: ReadonlyMap<DiagnosticId, Finding>;
  readonly retained: RetainedBytes;
}

/** A number of events since the beginning of a period. */
export interface PeriodCount {
  startedAt: Millis;
  count: number;
}

/** An integration, whatever listener it uses: an identity that outlives its connections. */
export interface Game extends Diagnosed {
  readonly service: NeuroState;
  readonly key: string;
  readonly listener: GameListener;
  readonly slug: string;
  /** What is kept of it: a part of its socket's account, or of `parked` while it is not connected. */
  readonly retained: RetainedBytes;
  upstream: Upstream;
  policy: Policy;
  /** Undefined until its first context, and after its policy changed. */
  contextTemplate: ContextTemplate | undefined;
  presence: GamePresence;
  /** Of its last connection. */
  connection: ConnectionInfo | undefined;
  /** Neuro sees its actions: it is not away, not off air and not held. Only `updateVisibility` changes it. */
  isVisible: boolean;
  /** It is pinned to a character that is not on air: its messages do not reach Neuro until that character is on air. */
  isOffAir: boolean;
  /** Whether an operator has approved it, which matters only if its policy asks for that. */
  admission: IntegrationAdmission;
  /** An operator holds it: it is paused or not approved, everything is stopped, or another integration is solo. */
  isHeld: boolean;
  /** Controls that a person has set. */
  controls: IntegrationControls;
  /** Names of its actions that need no approval. */
  alwaysAllowed: ReadonlySet<string>;
  /** Undefined until there is something to count. */
  counts: Mutable<IntegrationCounts> | undefined;
  readonly actions: SmallMap<string, GameAction>;
  /** Names that it unregistered, by its own name for them. They are reserved for it. */
  reservedNames: Map<string, UpstreamAction> | undefined;
  /** Actions whose changes wait for more changes before Neuro gets them. */
  waitingChanges: Set<UpstreamAction> | undefined;
  /** The force that ended when it left. It may still wait for it after its return. */
  interruptedForce: ForceMessage | undefined;
  /** Its force that was completed by an action without a result, and the id of the action. */
  presumedForce: { readonly action: string; readonly message: ForceMessage } | undefined;
  /** After a `startup` or a full list: actions that are not registered again by then are unregistered. */
  reregisterUntil: Millis | undefined;
  /** Id of its session, from the ids of actions: actions with lower ids are of the session before its last `startup`. */
  sessionId: string;
  confirmation: Confirmation;
  /** Pending actions with a delivery to it. */
  readonly pending: PendingAction[];
  lastAnsweredId: string;
  /** The last actions without a result that it got although it has not registered them, see `pending/unregistered-actions.ts`. */
  unregisteredActions: readonly { readonly id: string; readonly name: string; readonly sentAt: Millis }[];
  /** When its force last became the current one. */
  lastForcedAt: Millis;
  /** Whether an operator has asked it to shut down, since it connected, and its answer. */
  shutdown: "none" | "asked" | "ready";
  /** The peer from which its last `startup` came. */
  startedBy: PeerId | undefined;
  /** Its ended traces. */
  readonly traces: RecordRing<TraceRecord>;
  /** It has asked for its traces since it connected. */
  wantsTraces: boolean;
  recentContexts: PeriodCount | undefined;
  /** Those that count for `contexts_per_minute` of its policy. */
  forwardedContexts: PeriodCount | undefined;
  /** Keys of its contexts, with the time from which the next context with that key may be sent, the earliest first. */
  contextKeys: Map<string, Millis> | undefined;
  recentChanges: PeriodCount | undefined;
  takeovers: readonly Millis[];
  /** Connections of other sockets that want it, or lost it. */
  rivals: Set<GameConnection> | undefined;
  /** Its stored registrations, and its stored unanswered force. */
  readonly record: StoredRecord;
  /** Undefined until it sends a force. */
  forceRecord: StoredRecord | undefined;
}

/** An action that operators have saved. */
export interface Macro {
  view: MacroView;
  readonly record: StoredRecord;
}

/** A stored record. Each write gets a new key; the newest is valid. */
export interface StoredRecord {
  readonly kind: "game" | "force" | "controls" | "macro";
  /** Key of the game, or id of the macro; empty for the controls of all integrations. */
  readonly key: string;
  /** The value that is known to be stored, and the value that was written last. */
  storedKey: Key | undefined;
  latestKey: Key | undefined;
}

export const newRecord = (kind: StoredRecord["kind"], key: string): StoredRecord => ({
  kind,
  key,
  storedKey: undefined,
  latestKey: undefined,
});

/** The record of a game's force. */
export const forceRecordOf = (game: Game): StoredRecord => game.forceRecord ??= newRecord("force", game.key);

/** The counts of a game, to add to them. */
export const countsOf = (game: Game): Mutable<IntegrationCounts> => game.counts ??= newCounts();

export const newCounts = (): IntegrationCounts => ({ actions: 0, failures: 0, contexts: 0, forces: 0, result_ms: 0 });

/** One of a game's actions. */
export interface GameAction {
  readonly game: Game;
  /** As the game calls it. */
  readonly name: string;
  upstreamAction: UpstreamAction;
  /** What its game is charged for it. */
  bytes: number;
  /** Not registered again since a `startup`: the relay answers Neuro in its place. */
  isUnconfirmed: boolean;
  /** Its game's policy hides it from Neuro. */
  isHidden: boolean;
}

/** Whether the backend takes an action. It is registered only while it is accepted or tried. */
export type ActionStanding =
  | "accepted"
  /** The backend may have closed the connection because of it. */
  | "suspected"
  /** It was suspected, and is sent to find out. */
  | "tried"
  /** The backend closed the connection because of it. */
  | "rejected";

/** Actions that the backend may have rejected are registered in groups, one after the other. */
export interface Trial {
  readonly close: { readonly code: number; readonly reason: string };
  /** The first is tried, or is next. */
  readonly groups: (readonly UpstreamAction[])[];
  /** Other messages that may have been the cause. */
  readonly others: readonly SentFrame[];
  /** The cause was found. */
  isFound: boolean;
}

/** An action as Neuro sees it: one name, one definition, one or more owners. */
export interface UpstreamAction {
  /** Upstream name. */
  readonly name: string;
  /** The name that its owners use. */
  readonly originalName: string;
  standing: ActionStanding;
  /** Without owners it is not kept: only its name is. */
  definition: Action;
  mainThread: boolean | undefined;
  /** Undefined until it is needed, see `digestOf`. */
  digest: string | undefined;
  /** In order of arrival. */
  readonly owners: SmallMap<Game, GameAction>;
  /** Neuro has it on this connection. */
  isRegistered: boolean;
  /** What Neuro has is an older definition. */
  isStale: boolean;
  /** The last owner, for which the name is reserved until `reservedUntil`. Undefined while it has owners. */
  reservedFor: Game | undefined;
  reservedUntil: Millis;
}

/** A Neuro: reached by a link, or built in. */
export interface Upstream {
  readonly service: NeuroState;
  readonly id: string;
  settings: UpstreamSettings | undefined;
  profile: Profile;
  readonly link: Link;
  decider: Decider | undefined;
  isOpen: boolean;
  since: Millis;
  /** Number of the connection: ids of an earlier one are never answered. */
  linkNumber: number;
  hasBackpressure: boolean;
  /** If it is a relay: the relays on the way to Neuro, that one first, by hop. */
  relaysAhead: readonly (readonly string[])[];
  /** What was sent last on this connection. */
  readonly sent: SentFrames;
  trial: Trial | undefined;
  session: NeuroSession | undefined;
  /** When all actions were last registered. */
  registeredAllAt: Millis;
  readonly actions: Map<string, UpstreamAction>;
  /** Actions that do not have the plain name of their definition, by its digest. */
  readonly prefixed: Map<string, UpstreamAction>;
  /** Actions without owner, those without owner for longest first. */
  readonly reserved: Set<UpstreamAction>;
  /** Actions that `sync` has to look at. */
  readonly unsynced: Set<UpstreamAction>;
  readonly forces: Forces;
  readonly pendingActions: PendingActions;
  readonly contexts: Contexts;
  readonly shutdown: Shutdown;
  /** What Neuro read, and what she did. */
  readonly transcript: RecordRing<TranscriptRecord>;
  /** Messages of the built-in Neuro that are not handled yet. */
  readonly inbox: NeuroMessage[];
}

export interface Forces {
  /** The force that Neuro has. */
  current: Force | undefined;
  /** Until then Neuro has to answer the current one, however often she tries. */
  answerBy: Millis;
  /** At most one of each game. */
  readonly waiting: Map<Game, Force>;
  /** Unregistered names of forces that are over, with the time until which Neuro may still use them. */
  readonly retiredNames: Map<string, Millis>;
}

/** A game wants Neuro to act. */
export interface Force {
  /** Ours, unique over restarts. */
  readonly id: string;
  readonly game: Game;
  readonly message: ForceMessage;
  readonly requestedAt: Millis;
  state: ForceState;
  /** What its game is charged for it, while it waits or is the current one. */
  bytes: number;
  /** Actions for it that its game has got. */
  deliveries: number;
  /** Actions for it that failed, and the beginning of the last one's message. */
  failures: number;
  lastFailure: string | undefined;
  /** The force that ended and was put back into the queue as this one. */
  readonly previous: string | undefined;
  /** Of its trace. */
  readonly steps: TraceStep[];
}

export interface PendingActions {
  /** Those whose results Neuro awaits on this connection, by her ids. */
  readonly byUpstreamId: TransientMap<string, PendingAction>;
  /** The others: their origin is a person, Neuro has their result, or the connection that they came by is closed. */
  readonly others: Set<PendingAction>;
  /** What is kept of the link that they came by. */
  readonly retained: RetainedBytes;
  readonly deadlines: DeadlineQueue<PendingAction>;
}

/** An action whose result is awaited, by its origin or by its force. */
export interface PendingAction {
  /** Ours, unique over restarts. */
  readonly id: string;
  /** Its id in messages to its games. */
  readonly gameId: string;
  readonly origin: ActionOrigin;
  readonly upstream: Upstream;
  /** The request of the person who chose the action while the relay acts as Neuro. The person gets the result, too. */
  chosenBy: RequestId | undefined;
  readonly action: UpstreamAction;
  /** The digest of the action's definition when it was called. */
  readonly digest: string;
  data: string | undefined;
  /** The schema of its definition when it was called. */
  readonly schema: JsonObject | undefined;
  /** What its link is charged for it. */
  bytes: number;
  readonly startedAt: Millis;
  /** The force that it answers. */
  readonly force: Force | undefined;
  readonly deliveries: readonly Delivery[];
  /** The origin gets a result by then. */
  readonly deadline: Millis;
  /** When it is looked at, at `deadline` at the latest. */
  expiry: Deadline<PendingAction> | undefined;
  /** The message of the last failure. */
  failure: string | undefined;
  /** Of its trace, those that are not usual. */
  steps: TraceStep[] | undefined;
  /** Places in the transcript of the action of Neuro, and of the result that she got; 0: it is not in it. */
  readonly sequence: Sequence;
  resultSequence: Sequence;
  state: PendingState;
}

/** The delivery of a pending action to one game. */
export interface Delivery {
  readonly gameAction: GameAction;
  state: DeliveryState;
  /** When its game got it. */
  sentAt: Millis;
}

export interface Contexts {
  /** By the key of the source. */
  readonly queued: Map<string, QueuedContext[]>;
  /** The sources whose contexts may be sent, the one whose turn is next first. */
  readonly ready: Set<string>;
  readonly budget: Bucket;
  /** Queued and not written yet. */
  readonly unstored: Set<QueuedContext>;
  /** Writes that are not settled. */
  readonly writes: Map<Key, QueuedContext>;
}

/** Source of a context: a game or a watcher. */
export type ContextSource =
  & Pick<Game, "key" | "name" | "isOffAir" | "isHeld" | "retained" | "traces">
  & Partial<Pick<Game, "slug" | "presence" | "policy" | "contextTemplate" | "contextKeys" | "wantsTraces">>;

export interface QueuedContext {
  /** Its id, when it arrived, and its trace. */
  readonly record: ContextRecord;
  readonly source: ContextSource;
  readonly message: string;
  readonly silent: boolean;
  /** It is replaced by a newer context with the same key. */
  readonly coalesceKey: string | undefined;
  /** It waits at least until then, unless a force needs it. */
  readonly notBefore: Millis;
  /** The account that it is charged to while it is queued, and how much. */
  account: RetainedBytes;
  bytes: number;
  /** Key of its entry, once it is stored. */
  key: Key | undefined;
}

export interface Shutdown {
  /** Games that were asked to shut down and have not left: they get a cancellation. */
  readonly asked: Set<Game>;
  /** Those of them that are not ready. */
  readonly awaited: Set<Game>;
  isRequested: boolean;
}

/** The state without any game. */
export function emptyState(settings: Settings, retained: RetainedBytes): NeuroState {
  const traces = new RingBudget(retained, traceLimits(settings));
  return {
    settings,
    policies: new PolicyTable(settings),
    retained,
    parked: new RetainedBytes(retained),
    sockets: new Map(),
    integrations: new Map(),
    contested: new Set(),
    silent: new SilentSockets(),
    games: new Map(),
    away: new Set(),
    slugs: new Map(),
    actionCount: 0,
    shutdownActions: { offered: new Map(), changed: new Set() },
    upstreams: new Map(),
    timers: new Timers(),
    firstMessages: new DeadlineQueue(),
    unsavedRecords: new Set(),
    unsavedLeft: 0,
    saveFrom: 0,
    mustSaveNow: false,
    pendingWrites: new Map(),
    writeHealth: WORKING,
    staleKeys: [],
    relayId: "",
    unnamedCount: 0,
    hasStarted: false,
    controls: { stopped: false, approval: false, behaviour: null },
    controlsRecord: newRecord("controls", ""),
    macros: new Map(),
    hasSolo: false,
    drain: { is: "none" },
    secrets: new Secrets(secretsOf(settings)),
    traces,
    transcripts: new RingBudget(retained, transcriptLimits(settings)),
    otherTraces: new RecordRing(traces),
    isTraceWatched: false,
    messageCount: 0,
    unnamed: { name: "", slug: undefined, findings: new Map(), retained: new RetainedBytes(retained) },
  };
}
