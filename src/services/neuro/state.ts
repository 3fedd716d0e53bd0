/**
 * The room as plain data: who is there, what each offers, and each Neuro there is.
 *
 * Invariants: S1 a game belongs to exactly one upstream, and so does everything it owns there; S2 a `Game` is an identity (door
 * and name) and outlives its sockets; S3 what refers to another thing here refers to the thing itself, and whoever removes the
 * thing removes the reference.
 * Knows nothing of: frames, storage.
 */
import type { Action, ForceMessage, GameMessage, NeuroMessage, Session } from "../../core/neuro-messages.ts";
import type { Bucket } from "../../core/bucket.ts";
import { type Deadlines, Timers } from "../../core/deadlines.ts";
import type { ConnectionInfo } from "../../core/event.ts";
import type { Key, Millis, PeerId, RequestId } from "../../core/ids.ts";
import type { Link } from "../../core/link.ts";
import type { IntegrationPolicy, Settings, UpstreamSettings } from "../../core/settings.ts";
import type { Controls, IntegrationControls, IntegrationCounts } from "../../core/view.ts";
import type { Decider } from "./standalone/decider.ts";
import type { ForceState } from "./forces/states.ts";
import type { ActionOrigin, DeliveryState, PendingState } from "./pending/states.ts";
import type { SmallMap } from "./small-map.ts";
import type { Profile } from "./upstream/profiles.ts";

export interface NeuroState {
  settings: Settings;
  /** Everybody who came in by the game port. */
  readonly sockets: Map<PeerId, GameSocket>;
  /** Integrations of the Intermediary, by the peer they are on. */
  readonly integrations: Map<PeerId, Game>;
  /** Seats that want a game which another socket has: being decided, and decided against. */
  readonly contested: Set<GameConnection>;
  readonly standby: Set<GameConnection>;
  /** Present or parked, by key. */
  readonly games: Map<string, Game>;
  readonly slugs: Map<string, Game>;
  /** Actions of all games that Neuro sees. */
  actionCount: number;
  /** In the order of the settings; the first serves whom no pattern assigns. */
  readonly upstreams: Map<string, Upstream>;
  /** Everything with a deadline except actions in flight. */
  readonly timers: Timers<Timer>;
  /** Records to be written at the next write-behind, and puts not settled yet. */
  readonly unsavedRecords: Set<StoredRecord>;
  /** A game asked for a force, or was acted on for it: its record cannot wait, for no game asks twice, or is asked twice. */
  mustSaveNow: boolean;
  readonly pendingWrites: Map<Key, StoredRecord>;
  /** Entries that a newer one has replaced, found when this room was made. */
  readonly staleKeys: Key[];
  /** How this relay is called by relays that it is chained with; empty until the first tick. */
  relayId: string;
  unnamedCount: number;
  hasStarted: boolean;
  /** What a person has decided about everybody. */
  readonly controls: Mutable<Controls>;
  readonly controlsRecord: StoredRecord;
  /** Some integration is solo: all others are held. */
  hasSolo: boolean;
  /** The relay leaves, at the latest then: nothing new begins. */
  drainUntil: Millis | undefined;
  hasDrained: boolean;
}

/** What the service waits for, by the game, the socket or the upstream that it concerns. */
export type Timer =
  | { readonly is: "first_message"; readonly peer: PeerId }
  | { readonly is: GameTimer; readonly game: string }
  | { readonly is: UpstreamTimer; readonly upstream: string }
  | { readonly is: "keepalive" | "contests" | "save_records" | "drain" };
export type GameTimer = "grace" | "restart_window" | "retention";
export type UpstreamTimer = "current_force" | "force_names" | "store_contexts" | "context_budget" | "shutdown";

/** One connection of the game port. It may speak for several games. */
export interface GameSocket {
  readonly service: NeuroState;
  readonly peer: PeerId;
  readonly connection: ConnectionInfo;
  readonly openedAt: Millis;
  /** By the name as it stands in the frames. */
  readonly connections: SmallMap<string, GameConnection>;
  /** The seat that spoke last. */
  lastConnection: GameConnection | undefined;
  lastHeardAt: Millis;
  /** Pings without an answer so far; `canPong` once there was one. */
  unansweredPings: number;
  canPong: boolean;
  /** When it was asked to register all again. */
  reregisterAskedAt: Millis | undefined;
  hasSpoken: boolean;
  readonly isVoice: boolean;
}

/** A game's place on a socket. */
export interface GameConnection {
  readonly socket: GameSocket;
  readonly name: string;
  readonly game: Game;
  /** `contested`: another socket has the game, and it is being found out whether it is alive. */
  is: "active" | "contested" | "standby";
  readonly since: Millis;
  /** It began with `startup`. */
  readonly isStarting: boolean;
  /** What was said while contested. */
  readonly backlog: GameMessage[];
  /** Names registered by this seat so far. */
  readonly registeredNames: SmallMap<string, true>;
  /** It has registered something since it was asked for everything. */
  hasReregistered: boolean;
}

/** The same, to be changed in place. */
export type Mutable<View> = { -readonly [Field in keyof View]: View[Field] };

export type GameListener = "neuro" | "intermediary";

/** An integration, whichever door it uses: what outlives its connections. */
export interface Game {
  readonly service: NeuroState;
  readonly key: string;
  readonly listener: GameListener;
  readonly name: string;
  readonly slug: string;
  upstream: Upstream;
  policy: IntegrationPolicy;
  /** Undefined while it is away. */
  peer: PeerId | undefined;
  connection: ConnectionInfo | undefined;
  connectedAt: Millis;
  leftAt: Millis;
  /** It is here, or away for less than its grace. */
  isActive: boolean;
  /** Neuro sees its actions: it is around, and nothing keeps it from her. */
  isVisible: boolean;
  /** Its owner's other half is on the air: nothing of it reaches Neuro until that changes. */
  isOffAir: boolean;
  /** A person holds it back: by itself, with all others, or because another is solo. */
  isHeld: boolean;
  /** What a person has decided about it. */
  readonly controls: Mutable<IntegrationControls>;
  readonly counts: Mutable<IntegrationCounts>;
  readonly actions: SmallMap<string, GameAction>;
  /** Names it had and gave up, by its own name for them: they are kept for its return. */
  readonly reservedNames: Map<string, UpstreamAction>;
  /** Its force that no longer has a place, for its return: it may still block on it. */
  interruptedForce: ForceMessage | undefined;
  /** After a `startup` or a full list: what is not registered again by then is gone. */
  reregisterUntil: Millis | undefined;
  /** Its own id, as of an action: actions with earlier ids are of the session before its last `startup`. */
  sessionId: string;
  /** Deadlines in a row that it let pass. */
  missedDeadlines: number;
  neverConfirms: boolean;
  lastAnsweredId: string;
  /** When it last had the slot. */
  lastForcedAt: Millis;
  readonly reportedRepairs: Set<string>;
  takeovers: Millis[];
  /** Its names and registry as stored, and its unanswered force. */
  readonly record: StoredRecord;
  readonly forceRecord: StoredRecord;
}

/** What is stored of a game: a new key each time, the newest counts. */
export interface StoredRecord {
  readonly kind: "game" | "force" | "controls";
  /** Of the game; empty for what concerns everybody. */
  readonly key: string;
  /** What is known to be stored, and what was written last. */
  storedKey: Key | undefined;
  latestKey: Key | undefined;
}

/** One of a game's actions. */
export interface GameAction {
  readonly game: Game;
  /** As the game calls it. */
  readonly name: string;
  upstreamAction: UpstreamAction;
  /** Not registered again since a `startup`: the relay answers for it. */
  isUnconfirmed: boolean;
}

/** An action as Neuro sees it: one name, one definition, one owner or several. */
export interface UpstreamAction {
  /** Upstream. */
  readonly name: string;
  /** As its owners call it. */
  readonly originalName: string;
  definition: Action;
  mainThread: boolean | undefined;
  /** Equal for equal definitions. */
  digest: string;
  /** In order of arrival. */
  readonly owners: SmallMap<Game, GameAction>;
  /** Neuro has it, on this connection. */
  isRegistered: boolean;
  /** What Neuro has is an older definition. */
  isStale: boolean;
  /** Without an owner: its last one, for whom the name is kept until `freeAt`. */
  reservedFor: Game | undefined;
  reservedUntil: Millis;
}

/** A Neuro: reached by a link, or played by the relay. */
export interface Upstream {
  readonly service: NeuroState;
  readonly id: string;
  settings: UpstreamSettings | undefined;
  profile: Profile;
  readonly link: Link;
  decider: Decider | undefined;
  isOpen: boolean;
  since: Millis;
  /** Counts connections: an id of an earlier one is never answered. */
  linkNumber: number;
  hasBackpressure: boolean;
  session: Session | undefined;
  /** When everything was last registered. */
  registeredAllAt: Millis;
  readonly actions: Map<string, UpstreamAction>;
  readonly byDefinition: Map<string, UpstreamAction>;
  /** Offered without owners, the longest first. */
  readonly reserved: Set<UpstreamAction>;
  /** What Neuro has may differ from what she should have. */
  readonly unsynced: Set<UpstreamAction>;
  readonly forces: Forces;
  readonly pendingActions: PendingActions;
  readonly contexts: Contexts;
  readonly shutdown: Shutdown;
  /** What the relay, playing Neuro, has said and nobody has read yet. */
  readonly inbox: NeuroMessage[];
}

export interface Forces {
  /** The one that Neuro has been asked. */
  current: Force | undefined;
  /** At most one of each game. */
  readonly waiting: Map<Game, Force>;
  /** Names of forces that are over and that were unregistered, until when they count: Neuro may still be about to use them. */
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
  /** Actions for it that its game has got. */
  deliveries: number;
}

export interface PendingActions {
  readonly byId: Map<string, PendingAction>;
  readonly byUpstreamId: Map<string, PendingAction>;
  readonly deadlines: Deadlines;
}

/** An action whose result somebody waits for. */
export interface PendingAction {
  /** Ours, unique over restarts. */
  readonly id: string;
  readonly origin: ActionOrigin;
  readonly upstream: Upstream;
  /** The request of a person who chose the action where the relay is Neuro: that person is told the result, too. */
  chosenBy: RequestId | undefined;
  readonly action: UpstreamAction;
  /** Of the definition that it was called by. */
  readonly digest: string;
  readonly data: string | undefined;
  readonly startedAt: Millis;
  /** The force that it answers. */
  readonly force: Force | undefined;
  readonly deliveries: readonly Delivery[];
  /** The origin gets a result by then. */
  readonly deadline: Millis;
  /** What the last failing game said. */
  failure: string | undefined;
  state: PendingState;
}

/** One game's share of a pending action. */
export interface Delivery {
  readonly gameAction: GameAction;
  state: DeliveryState;
}

export interface Contexts {
  /** By the key of who said it; whose turn is first, first. */
  readonly queued: Map<string, QueuedContext[]>;
  readonly budget: Bucket;
}

/** Who says a context: a game, or somebody who watches. */
export type ContextSource = Pick<Game, "key" | "name" | "isOffAir" | "isHeld"> & Partial<Pick<Game, "slug">>;

export interface QueuedContext {
  readonly id: string;
  readonly source: ContextSource;
  readonly message: string;
  readonly silent: boolean;
  readonly at: Millis;
  /** Neuro cannot be told now, so it has to survive us. */
  key: Key | undefined;
}

/** Who was asked to shut down, and has not said that it is ready. */
export interface Shutdown {
  readonly awaited: Set<Game>;
  isRequested: boolean;
}

/** A room with nobody in it. */
export const emptyState = (settings: Settings): NeuroState => ({
  settings,
  sockets: new Map(),
  integrations: new Map(),
  contested: new Set(),
  standby: new Set(),
  games: new Map(),
  slugs: new Map(),
  actionCount: 0,
  upstreams: new Map(),
  timers: new Timers(),
  unsavedRecords: new Set(),
  mustSaveNow: false,
  pendingWrites: new Map(),
  staleKeys: [],
  relayId: "",
  unnamedCount: 0,
  hasStarted: false,
  controls: { stopped: false, approval: false },
  controlsRecord: { kind: "controls", key: "", storedKey: undefined, latestKey: undefined },
  hasSolo: false,
  drainUntil: undefined,
  hasDrained: false,
});
