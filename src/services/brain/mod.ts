/**
 * The Brain: sessions of which the log is the truth, operators, the covenant, and predictions.
 *
 * Peers speak its protocol at once, there is no greeting. Every frame is one request and gets one reply, in order.
 */
import { Deadlines, earlier } from "../../core/deadlines.ts";
import type { ResumedPeer, ServiceEvent } from "../../core/event.ts";
import type { Millis } from "../../core/ids.ts";
import { LOG_SEGMENT_TEXT_MAX, SNAPSHOT_TEXT_MAX } from "../../core/limits.ts";
import type { RestoreInput, Service } from "../../core/service.ts";
import type { Settings } from "../../core/settings.ts";
import type { StepContext } from "../../core/context.ts";
import type { BrainState } from "./state.ts";
import { handle, kindOf } from "./commands.ts";
import { expireAndEvict, TOMBSTONES } from "./sessions/tombstone.ts";
import { deleteDue } from "./log/deferred-delete.ts";
import { restoreSubscriptions, unsubscribeAll } from "./sessions/subscriptions.ts";
import { artifactRead, newInferenceState, predictionSettled, readArtifact, reloadArtifact } from "./predictions/infer.ts";
import { predictionLoaded } from "./predictions/prediction-log.ts";
import { writeSettled } from "./log/journal.ts";
import { ReplyQueues } from "./replies/reply-queues.ts";
import { newSessionBucket } from "./sessions/create.ts";
import { markPossiblyMissed, reportMissed } from "./replies/notifications.ts";
import { type Operator, OperatorRegistry, OPERATORS } from "./operations/operators.ts";
import { errorText, type RequestError } from "./codec/request-error.ts";
import { recover } from "./log/recovery.ts";
import { segmentsLoaded, segmentsNotLoaded } from "./log/reader.ts";
import { reply } from "./status.ts";
import { decode } from "./codec/decode.ts";

export { type Operator, operator, type OperatorDefinition, OPERATORS } from "./operations/operators.ts";
export type { BrainState } from "./state.ts";
export { detectDomain } from "../../inference/domain.ts";
export { SIZES } from "../../inference/parameters.ts";
export { runIdOf, runTraining, type TrainingPlan, type TrainingRun } from "../../inference/training-run.ts";
export { normalizeUnits } from "../../inference/units.ts";

/** The Brain with some operators; those that every Brain has are among them or its clients miss them. */
export function brainWith(operators: readonly Operator[]): Service<BrainState> {
  return {
    name: "brain",
    resident: [TOMBSTONES],
    restore: (settings, input) => restore(settings, input, operators),
    step,
    nextWakeup,
  };
}

/** The Brain as it comes. */
export const brain: Service<BrainState> = brainWith(OPERATORS);

function restore(settings: Settings, input: RestoreInput, operators: readonly Operator[]): BrainState {
  const state: BrainState = {
    settings: settings.brain,
    limits: settings.limits,
    // Why: an entry of Deno KV is no larger than a page.
    segmentTextMax: settings.queue.backend === "deno-kv" ? SNAPSHOT_TEXT_MAX : LOG_SEGMENT_TEXT_MAX,
    operators: new OperatorRegistry(operators),
    sessions: new Map(),
    tombstones: new Map(),
    peers: new Map(),
    replies: new ReplyQueues(),
    deadlines: new Deadlines(),
    writes: new Map(),
    predictionWrites: new Map(),
    reads: new Map(),
    readyRequests: [],
    garbage: [],
    deleteAt: undefined,
    inference: newInferenceState(),
    drainUntil: undefined,
    isDrained: false,
  };
  if (settings.brain.persist) recover(state, input);
  for (const resumedPeer of input.resumed) {
    addPeer(state, resumedPeer, input.now);
    if (input.hasSlept !== true) markPossiblyMissed(state, resumedPeer.peer);
  }
  return state;
}

function addPeer(state: BrainState, { peer, attachment }: Pick<ResumedPeer, "peer" | "attachment">, now: Millis): void {
  const follows = restoreSubscriptions(state, peer, attachment);
  state.peers.set(peer, { sessionBucket: newSessionBucket({ now }), follows, isBackpressured: false, missed: new Map() });
  state.replies.addPeer(peer);
}

function step(state: BrainState, event: ServiceEvent, ctx: StepContext): void {
  dispatch(state, event, ctx);
  for (let next = state.readyRequests.shift(); next !== undefined; next = state.readyRequests.shift()) {
    handle({ brain: state, ctx, ...next });
  }
  if (state.drainUntil !== undefined) drain(state, ctx);
}

function dispatch(state: BrainState, event: ServiceEvent, ctx: StepContext): void {
  switch (event.is) {
    case "opened":
      return addPeer(state, { peer: event.peer }, ctx.now);
    case "closed":
      unsubscribeAll(state, event.peer);
      state.peers.delete(event.peer);
      return state.replies.removePeer(event.peer);
    case "frame":
      return receive(state, event, ctx);
    case "throttled":
      return refuseFrame(state, event, ctx);
    case "backpressure":
    case "relieved":
      return setBackpressure(state, event, ctx);
    case "stored":
      writeSettled(state, ctx, { at: event.key, isStored: true });
      return predictionSettled(state, event.key, ctx);
    case "storeFailed":
      writeSettled(state, ctx, { at: event.key, isStored: false });
      return predictionSettled(state, event.key, ctx);
    case "loaded":
      predictionLoaded(state, ctx, event);
      return segmentsLoaded(state, ctx, event);
    case "loadFailed":
      predictionLoaded(state, ctx, { token: event.token, entries: [] });
      return segmentsNotLoaded(state, ctx, event);
    case "jobFinished":
      return artifactRead(state, ctx, event);
    case "tick":
      expireAndEvict(state, ctx);
      readArtifact(state, ctx);
      reportMissed(state, ctx);
      return deleteDue(state, ctx);
    case "configured":
      return configure(state, ctx, event.settings);
    case "requested":
      return reply(state, ctx, event);
    case "draining":
      state.drainUntil = event.until;
      return;
    default: // Why: links, uploads and what rooms tell each other are none of the Brain's.
      return;
  }
}

function receive(state: BrainState, { peer, frame }: ServiceEvent & { is: "frame" }, ctx: StepContext): void {
  if (state.drainUntil !== undefined) return;
  const slot = state.replies.reserve(peer);
  if (slot === undefined) return ctx.emit({ do: "close", peer, fault: "slowGame" });
  const message = decode(frame, state.limits.json_depth);
  ctx.count("client", "in", message.ok ? kindOf(message.value) : "unreadable");
  if (message.ok) return handle({ brain: state, ctx, reply: slot, fields: message.value, frameLength: frame.length });
  state.replies.fill(slot, errorText(message.problem, {}), ctx);
}

/** One reply per request holds for a request that came too fast as well. */
function refuseFrame(state: BrainState, { peer, retryMs }: ServiceEvent & { is: "throttled" }, ctx: StepContext): void {
  const slot = state.replies.reserve(peer);
  if (slot === undefined) return;
  const problem: RequestError = { message: "rate limit", code: "RateLimited", details: { retry_after_ms: retryMs } };
  state.replies.fill(slot, errorText(problem, {}), ctx);
}

function setBackpressure(
  state: BrainState,
  { is, peer }: ServiceEvent & { is: "backpressure" | "relieved" },
  ctx: StepContext,
): void {
  const known = state.peers.get(peer);
  if (known === undefined) return;
  known.isBackpressured = is === "backpressure";
  reportMissed(state, ctx);
}

function configure(state: BrainState, ctx: StepContext, { brain: settings, limits }: Settings): void {
  const { artifact, artifacts_root: root } = state.settings;
  state.settings = settings;
  state.limits = limits;
  if (settings.artifact !== artifact || settings.artifacts_root !== root) reloadArtifact(state, ctx);
}

/** Lets everybody go who is owed nothing, and everybody else when the time is over. */
function drain(state: BrainState, ctx: StepContext): void {
  const isOver = ctx.now >= (state.drainUntil ?? 0);
  for (const peer of state.replies.peers()) {
    if (isOver || state.replies.isEmpty(peer)) {
      state.replies.removePeer(peer);
      ctx.emit({ do: "close", peer, fault: "restarting" });
    }
  }
  const isWritten = state.writes.size === 0 && state.predictionWrites.size === 0;
  if (state.isDrained || (!isOver && !(isWritten && state.replies.peers().length === 0))) return;
  state.isDrained = true;
  ctx.emit({ do: "drained", service: "brain" });
}

function nextWakeup({ deadlines, deleteAt, drainUntil, isDrained }: BrainState): Millis | undefined {
  return earlier(earlier(deadlines.earliest(), deleteAt), isDrained ? undefined : drainUntil);
}
