/** The state of the Intermediary: one part for each folder, changed only there. */
import type { Millis } from "../../core/ids.ts";
import type { RetainedBytes } from "../../core/retained-bytes.ts";
import type { Settings } from "../../core/settings.ts";
import { Secrets, secretsOf } from "../../core/secrets.ts";
import { traceLimits } from "../../core/traces/limits.ts";
import { RingBudget } from "../../core/traces/record-ring.ts";
import { CommandTraces } from "../../queue/command-traces.ts";
import { Queue } from "../../queue/queue.ts";
import { newPendingRequests, type PendingRequests } from "./operator/responses.ts";
import { Audit } from "./audit/audit.ts";
import { WatcherActs } from "./audit/watcher-acts.ts";
import { Credentials } from "./codec/credentials.ts";
import { type Connections, newConnections } from "./connections/connection-state.ts";
import { Directory } from "./connections/directory.ts";
import { ConnectedGames } from "./connections/game-presence.ts";
import { Choices } from "./integrations/choices.ts";
import { FreeTextBuffer } from "./integrations/free-text.ts";
import { newPeerTimers, type PeerTimers } from "./timers.ts";
import { UploadDirectory } from "./uploads/uploads.ts";
import { ChangeNotices } from "./watchers/change-notices.ts";
import { EventWaiters } from "./watchers/event-waiters.ts";
import { ForwardedRequests, type UpstreamStatus } from "./watchers/forwarded-requests.ts";
import { Subscriptions } from "./watchers/subscriptions.ts";

/** While draining, all peers are closed once nothing is being written, and at `closeAt` at the latest. */
export type IntermediaryPhase =
  | { readonly is: "running" }
  | { readonly is: "draining"; readonly closeAt: Millis }
  | { readonly is: "drained" };

export interface IntermediaryState {
  settings: Settings;
  phase: IntermediaryPhase;
  upstream: UpstreamStatus;
  credentials: Credentials;
  readonly timers: PeerTimers;
  readonly connections: Connections;
  readonly directory: Directory;
  readonly games: ConnectedGames;
  /** The Neuro service was told that a watcher wants the event of each trace. */
  hasAnnouncedTraces: boolean;
  /** What traces must not contain. */
  readonly secrets: Secrets;
  /** What all traces of commands may occupy. */
  readonly traces: RingBudget;
  readonly queue: Queue;
  readonly freeText: FreeTextBuffer;
  readonly choices: Choices;
  readonly subscriptions: Subscriptions;
  readonly changeNotices: ChangeNotices;
  readonly eventWaiters: EventWaiters;
  readonly forwardedRequests: ForwardedRequests;
  readonly uploads: UploadDirectory;
  readonly audit: Audit;
  readonly watcherActs: WatcherActs;
  readonly pendingRequests: PendingRequests;
}

export function newState(settings: Settings, retained: RetainedBytes): IntermediaryState {
  const timers = newPeerTimers();
  const watcherActs = new WatcherActs();
  const secrets = new Secrets(secretsOf(settings));
  const subscriptions = new Subscriptions(retained);
  const traces = new RingBudget(retained, traceLimits(settings));
  return {
    settings,
    phase: { is: "running" },
    upstream: { configured: settings["nakurity-clients"].length > 0, open: false },
    credentials: new Credentials(settings),
    timers,
    connections: newConnections(settings, timers, retained),
    directory: new Directory(),
    games: new ConnectedGames(),
    hasAnnouncedTraces: false,
    secrets,
    traces,
    queue: new Queue("intermediary", settings.queue, new CommandTraces(traces, secrets, () => subscriptions.wantsTraces)),
    freeText: new FreeTextBuffer(timers),
    choices: new Choices(),
    subscriptions,
    changeNotices: new ChangeNotices(),
    eventWaiters: new EventWaiters(),
    forwardedRequests: new ForwardedRequests(watcherActs),
    uploads: new UploadDirectory(settings.uploads),
    audit: new Audit(),
    watcherActs,
    pendingRequests: newPendingRequests(),
  };
}
