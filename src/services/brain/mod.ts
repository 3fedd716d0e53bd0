/**
 * The Brain: event-sourced sessions, operators, the covenant, and predictions.
 *
 * There is no greeting. Every frame is one request and gets one reply, in order.
 */
import { assertNever } from "../../core/assert.ts";
import { bucket } from "../../core/bucket.ts";
import type { StepContext } from "../../core/context.ts";
import { Timers } from "../../core/deadlines.ts";
import type { ResumedPeer, ServiceEvent } from "../../core/event.ts";
import type { Key, Millis, PeerId } from "../../core/ids.ts";
import { LOG_SEGMENT_TEXT_MAX, SESSIONS_BURST_MAX, SNAPSHOT_TEXT_MAX, WRITE_BURST_MAX } from "../../core/limits.ts";
import { RetainedBytes } from "../../core/retained-bytes.ts";
import type { RestoreInput, Service } from "../../core/service.ts";
import type { Settings } from "../../core/settings.ts";
import { decode } from "./codec/decode.ts";
import { errorFrame, type RequestError } from "./codec/request-error.ts";
import { handle, kindOfRequest } from "./commands.ts";
import { brainKey, kindOfKey } from "./keys.ts";
import { type DeferredDeletes, deleteBatch } from "./log/deferred-delete.ts";
import { segmentsLoaded, segmentsNotLoaded } from "./log/reader.ts";
import { defaultPolicy } from "./operations/covenant.ts";
import { type Operator, OperatorRegistry, OPERATORS } from "./operations/operators.ts";
import { artifactRead, readArtifact, reloadArtifact } from "./predictions/artifact-reader.ts";
import { newInferenceState } from "./predictions/inference-state.ts";
import { predictionLoaded, predictionSettled } from "./predictions/prediction-log.ts";
import { markPossiblyMissed, reportMissed, reportPossiblyMissed } from "./replies/notifications.ts";
import { ReplyQueues } from "./replies/reply-queues.ts";
import { segmentSettled } from "./replies/when-stored.ts";
import { restoreSessions } from "./sessions/restore.ts";
import { restoreSubscriptions, unsubscribeAll } from "./sessions/subscriptions.ts";
import { checkSession, tombstoneSettled } from "./sessions/tombstone.ts";
import { evictLeastUsed, lastUseSettled } from "./sessions/ttl.ts";
import type { BrainState, BrainTimer } from "./state.ts";
import { answerQuery } from "./status.ts";

export { type Operator, operator, type OperatorDefinition, OPERATORS } from "./operations/operators.ts";
export type { BrainState } from "./state.ts";

/** The Brain with the given operators. Clients of the original need `OPERATORS` among them. */
export function brainWith(operators: readonly Operator[]): Service<BrainState> {
  return {
    name: "brain",
    resident: [brainKey("tombstone")],
    restore: (settings, input) => restore(settings, input, operators),
    step,
    nextWakeup,
  };
}

/** The Brain with the operators of the original. */
export const brain: Service<BrainState> = brainWith(OPERATORS);

function restore(settings: Settings, input: RestoreInput, operators: readonly Operator[]): BrainState {
  const timers = new Timers<BrainTimer>();
  const deletes: DeferredDeletes = { keys: [], timers };
  const state: BrainState = {
    settings: settings.brain,
    limits: settings.limits,
    logs: {
      operators: new OperatorRegistry(operators),
      isPersistent: settings.brain.persist,
      defaultPolicy: defaultPolicy(settings.brain.covenant),
      // Why: Deno KV accepts at most 64 KiB in one entry.
      segmentTextMax: settings.queue.backend === "deno-kv" ? SNAPSHOT_TEXT_MAX : LOG_SEGMENT_TEXT_MAX,
      writes: new Map(),
      reads: new Map(),
      waitingReads: [],
      retained: new RetainedBytes(input.retained),
      deletes,
      storedLength: 0,
    },
    sessions: new Map(),
    activeSessions: new Set(),
    tombstones: new Map(),
    unusedSessions: new Set(),
    peers: new Map(),
    unreported: new Set(),
    replies: new ReplyQueues(settings.limits.backlog_hard_bytes),
    timers,
    sessionWrites: new Set(),
    predictionWrites: new Map(),
    readyRequests: [],
    deletes,
    inference: newInferenceState(),
    drain: { is: "no" },
  };
  if (settings.brain.persist) restoreSessions(state, input);
  for (const { peer, connection, attachment } of input.resumed) {
    addPeer(state, { peer, connection, ...(attachment !== undefined && { attachment }) }, input.now);
    if (input.hasSlept !== true) markPossiblyMissed(state, peer);
  }
  return state;
}

function addPeer(
  state: BrainState,
  { peer, connection: { credential }, attachment }: Pick<ResumedPeer, "peer" | "connection" | "attachment">,
  now: Millis,
): void {
  const follows = restoreSubscriptions(state, peer, attachment);
  const [sessionRate, writeRate] = [bucket(SESSIONS_BURST_MAX, now), bucket(WRITE_BURST_MAX, now)];
  state.peers.set(peer, { credential, sessionRate, writeRate, follows, isBackpressured: false, missed: new Map() });
  state.replies.addPeer(peer);
}

function step(state: BrainState, event: ServiceEvent, ctx: StepContext): void {
  dispatch(state, event, ctx);
  for (let next = state.readyRequests.shift(); next !== undefined; next = state.readyRequests.shift()) {
    handle(state, next, ctx);
  }
  evictLeastUsed(state);
  if (state.drain.is !== "no") drain(state, ctx);
}

function dispatch(state: BrainState, event: ServiceEvent, ctx: StepContext): void {
  switch (event.is) {
    case "opened":
      return addPeer(state, event, ctx.now);
    case "closed":
      unsubscribeAll(state, event.peer);
      state.peers.delete(event.peer);
      return state.replies.removePeer(event.peer);
    case "frame":
      return receive(state, event, ctx);
    case "throttled":
      return refuseThrottled(state, event, ctx);
    case "backpressure":
      return setBackpressure(state, event.peer, true, ctx);
    case "relieved":
      return setBackpressure(state, event.peer, false, ctx);
    case "stored":
      return writeSettled(state, event.key, true, ctx);
    case "storeFailed":
      return writeSettled(state, event.key, false, ctx);
    case "loaded":
      if (state.inference.queries.has(event.token)) return predictionLoaded(state, event.token, event.entries, ctx);
      return segmentsLoaded(state.logs, event.token, event.entries, ctx);
    case "loadFailed":
      if (state.inference.queries.has(event.token)) return predictionLoaded(state, event.token, [], ctx);
      return segmentsNotLoaded(state.logs, event.token, event.reason, ctx);
    case "jobFinished":
      return artifactRead(state, event, ctx);
    case "tick":
      for (const timer of state.timers.due(ctx.now)) fire(state, timer, ctx);
      readArtifact(state, ctx);
      return reportPossiblyMissed(state, ctx);
    case "configured":
      return configure(state, event.settings, ctx);
    case "requested":
      return answerQuery(state, event, ctx);
    case "draining":
      state.drain = { is: "draining", until: event.until };
      return state.timers.set({ is: "drain" }, event.until);
    // The Brain has no links and no uploads, sends no pings, and gets no messages from other services.
    case "ponged":
    case "dialed":
    case "received":
    case "dropped":
    case "linkBackpressure":
    case "linkRelieved":
    case "fileSaved":
    case "serviceMessage":
      return;
    default:
      return assertNever(event);
  }
}

function receive(state: BrainState, { peer, frame }: ServiceEvent & { readonly is: "frame" }, ctx: StepContext): void {
  if (state.drain.is !== "no") return;
  const reply = state.replies.reserve(peer);
  if (reply === undefined) return ctx.emit({ do: "close", peer, fault: "slowGame" });
  const message = decode(frame, state.limits.json_depth);
  ctx.count("client", "in", message.ok ? kindOfRequest(message.value) : "unreadable");
  if (message.ok) return handle(state, { reply, fields: message.value, frameLength: frame.length }, ctx);
  state.replies.fill(reply, errorFrame(message.error, {}), ctx);
}

/** A throttled request gets its reply, too, because replies are matched to requests by their order. */
function refuseThrottled(
  state: BrainState,
  { peer, retryMs }: ServiceEvent & { readonly is: "throttled" },
  ctx: StepContext,
): void {
  const reply = state.replies.reserve(peer);
  if (reply === undefined) return;
  const error: RequestError = { message: "rate limit", code: "RateLimited", details: { retry_after_ms: retryMs } };
  state.replies.fill(reply, errorFrame(error, {}), ctx);
}

function setBackpressure(state: BrainState, id: PeerId, isBackpressured: boolean, ctx: StepContext): void {
  const peer = state.peers.get(id);
  if (peer === undefined) return;
  peer.isBackpressured = isBackpressured;
  reportMissed(state, id, ctx);
}

/** An entry was stored, or could not be. Its key names the part of the Brain that owns it. */
function writeSettled(state: BrainState, key: Key, isStored: boolean, ctx: StepContext): void {
  const kind = kindOfKey(key);
  switch (kind) {
    case "log":
    case "snapshot":
      return segmentSettled(state, key, isStored, ctx);
    case "tombstone":
      return tombstoneSettled(state, key, isStored, ctx);
    case "last_use":
      return lastUseSettled(state, key, isStored, ctx);
    case "prediction":
      return predictionSettled(state, key, ctx);
    case undefined:
      return;
    default:
      return assertNever(kind);
  }
}

function fire(state: BrainState, timer: BrainTimer, ctx: StepContext): void {
  switch (timer.is) {
    case "session":
      return checkSession(state, timer.session, ctx);
    case "deletes":
      return deleteBatch(state.deletes, ctx);
    case "drain":
      return; // Why: every step drains as far as possible, and this timer only causes a step.
    default:
      return assertNever(timer);
  }
}

function configure(state: BrainState, { brain: settings, limits }: Settings, ctx: StepContext): void {
  const { artifact, artifacts_root: root } = state.settings;
  state.settings = settings;
  state.limits = limits;
  state.replies.bytesMax = limits.backlog_hard_bytes;
  state.logs.isPersistent = settings.persist;
  state.logs.defaultPolicy = defaultPolicy(settings.covenant);
  if (settings.artifact !== artifact || settings.artifacts_root !== root) reloadArtifact(state, ctx);
}

/** Closes the peers to which no reply is outstanding, and all others when the time to drain is over. */
function drain(state: BrainState, ctx: StepContext): void {
  const isOver = state.drain.is !== "draining" || ctx.now >= state.drain.until;
  for (const peer of state.replies.peers()) {
    if (!isOver && !state.replies.isEmpty(peer)) continue;
    state.replies.removePeer(peer);
    ctx.emit({ do: "close", peer, fault: "restarting" });
  }
  const hasPeers = state.replies.peers().length > 0;
  if (state.drain.is === "drained" || (!isOver && (hasPeers || hasWrites(state)))) return;
  state.drain = { is: "drained" };
  state.timers.clear({ is: "drain" });
  ctx.emit({ do: "drained", service: "brain" });
}

const hasWrites = ({ logs, sessionWrites, predictionWrites }: BrainState): boolean =>
  logs.writes.size > 0 || sessionWrites.size > 0 || predictionWrites.size > 0;

function nextWakeup({ timers }: BrainState): Millis | undefined {
  return timers.earliest();
}
