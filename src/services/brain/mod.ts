/**
 * The Brain: sessions of which the log is the truth, operators, the covenant, and predictions.
 *
 * Peers speak its protocol at once, there is no greeting. Every frame is one request and gets one reply, in order.
 */
import { Deadlines, earlier } from "../../core/deadlines.ts";
import type { ResumedPeer, ServiceEvent } from "../../core/event.ts";
import type { Millis } from "../../core/ids.ts";
import { PAGE_TEXT_MAX, STRETCH_TEXT_MAX } from "../../core/limits.ts";
import type { RestoreInput, Service } from "../../core/service.ts";
import type { Settings } from "../../core/settings.ts";
import type { StepContext } from "../../core/context.ts";
import type { Brain } from "./brain.ts";
import { handle, kindOf } from "./commands.ts";
import { ENDED, lookAtSessions } from "./log/ending.ts";
import { sweep } from "./log/rubbish.ts";
import { followsOf, unfollowAll } from "./followers.ts";
import { newInference, ran, readArtifact, recorded, renewArtifact } from "./inference.ts";
import { foundPrediction } from "./record.ts";
import { settled } from "./log/journal.ts";
import { Lanes } from "./lanes.ts";
import { births } from "./lifecycle.ts";
import { doubt, makeUp } from "./news.ts";
import { type Operator, OPERATORS, Operators } from "./rules/operators.ts";
import { type Problem, problemText } from "./problem.ts";
import { recall } from "./log/recall.ts";
import { loaded, notLoaded } from "./log/scan.ts";
import { reply } from "./status.ts";
import { decode } from "./wire.ts";

export { type Operator, operator, type OperatorPlan, OPERATORS } from "./rules/operators.ts";
export type { Brain } from "./brain.ts";
export { detectDomain } from "../../inference/domain.ts";
export { SIZES } from "../../inference/parameters.ts";
export { type Run, runIdOf, type RunPlan, runTraining } from "../../inference/run.ts";
export { normalizeUnits } from "../../inference/units.ts";

/** The Brain with some operators; those that every Brain has are among them or its clients miss them. */
export function brainWith(operators: readonly Operator[]): Service<Brain> {
  return {
    name: "brain",
    resident: [ENDED],
    restore: (settings, input) => restore(settings, input, operators),
    step,
    nextWakeup,
  };
}

/** The Brain as it comes. */
export const brain: Service<Brain> = brainWith(OPERATORS);

function restore(settings: Settings, input: RestoreInput, operators: readonly Operator[]): Brain {
  const state: Brain = {
    settings: settings.brain,
    limits: settings.limits,
    // Why: an entry of Deno KV is no larger than a page.
    stretchTextMax: settings.queue.backend === "deno-kv" ? PAGE_TEXT_MAX : STRETCH_TEXT_MAX,
    operators: new Operators(operators),
    sessions: new Map(),
    ended: new Map(),
    peers: new Map(),
    lanes: new Lanes(),
    deadlines: new Deadlines(),
    writes: new Map(),
    records: new Map(),
    scans: new Map(),
    ready: [],
    rubbish: [],
    sweepAt: undefined,
    inference: newInference(),
    drainUntil: undefined,
    isDrained: false,
  };
  if (settings.brain.persist) recall(state, input);
  for (const resumedPeer of input.resumed) {
    join(state, resumedPeer, input.now);
    if (input.hasSlept !== true) doubt(state, resumedPeer.peer);
  }
  return state;
}

function join(state: Brain, { peer, attachment }: Pick<ResumedPeer, "peer" | "attachment">, now: Millis): void {
  const follows = followsOf(state, peer, attachment);
  state.peers.set(peer, { births: births({ now }), follows, isPressed: false, gaps: new Map() });
  state.lanes.join(peer);
}

function step(state: Brain, event: ServiceEvent, ctx: StepContext): void {
  happen(state, event, ctx);
  for (let next = state.ready.shift(); next !== undefined; next = state.ready.shift()) {
    handle({ brain: state, ctx, ...next });
  }
  if (state.drainUntil !== undefined) drain(state, ctx);
}

function happen(state: Brain, event: ServiceEvent, ctx: StepContext): void {
  switch (event.is) {
    case "opened":
      return join(state, { peer: event.peer }, ctx.now);
    case "closed":
      unfollowAll(state, event.peer);
      state.peers.delete(event.peer);
      return state.lanes.leave(event.peer);
    case "frame":
      return receive(state, event, ctx);
    case "throttled":
      return refuseFrame(state, event, ctx);
    case "backpressure":
    case "relieved":
      return setPressed(state, event, ctx);
    case "stored":
      settled(state, ctx, { at: event.key, isStored: true });
      return recorded(state, event.key, ctx);
    case "storeFailed":
      settled(state, ctx, { at: event.key, isStored: false });
      return recorded(state, event.key, ctx);
    case "loaded":
      foundPrediction(state, ctx, event);
      return loaded(state, ctx, event);
    case "loadFailed":
      foundPrediction(state, ctx, { token: event.token, entries: [] });
      return notLoaded(state, ctx, event);
    case "jobFinished":
      return ran(state, ctx, event);
    case "tick":
      lookAtSessions(state, ctx);
      readArtifact(state, ctx);
      makeUp(state, ctx);
      return sweep(state, ctx);
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

function receive(state: Brain, { peer, frame }: ServiceEvent & { is: "frame" }, ctx: StepContext): void {
  if (state.drainUntil !== undefined) return;
  const slot = state.lanes.open(peer);
  if (slot === undefined) return ctx.emit({ do: "close", peer, fault: "slowGame" });
  const message = decode(frame, state.limits.json_depth);
  ctx.count("client", "in", message.ok ? kindOf(message.value) : "unreadable");
  if (message.ok) return handle({ brain: state, ctx, slot, fields: message.value, frameLength: frame.length });
  state.lanes.fill(slot, problemText(message.problem, {}), ctx);
}

/** One reply per request holds for a request that came too fast as well. */
function refuseFrame(state: Brain, { peer, retryMs }: ServiceEvent & { is: "throttled" }, ctx: StepContext): void {
  const slot = state.lanes.open(peer);
  if (slot === undefined) return;
  const problem: Problem = { error: "rate limit", code: "RateLimited", more: { retry_after_ms: retryMs } };
  state.lanes.fill(slot, problemText(problem, {}), ctx);
}

function setPressed(
  state: Brain,
  { is, peer }: ServiceEvent & { is: "backpressure" | "relieved" },
  ctx: StepContext,
): void {
  const known = state.peers.get(peer);
  if (known === undefined) return;
  known.isPressed = is === "backpressure";
  makeUp(state, ctx);
}

function configure(state: Brain, ctx: StepContext, { brain: settings, limits }: Settings): void {
  const { artifact, artifacts_root: root } = state.settings;
  state.settings = settings;
  state.limits = limits;
  if (settings.artifact !== artifact || settings.artifacts_root !== root) renewArtifact(state, ctx);
}

/** Lets everybody go who is owed nothing, and everybody else when the time is over. */
function drain(state: Brain, ctx: StepContext): void {
  const isOver = ctx.now >= (state.drainUntil ?? 0);
  for (const peer of state.lanes.peers()) {
    if (isOver || state.lanes.isClear(peer)) {
      state.lanes.leave(peer);
      ctx.emit({ do: "close", peer, fault: "restarting" });
    }
  }
  const isWritten = state.writes.size === 0 && state.records.size === 0;
  if (state.isDrained || (!isOver && !(isWritten && state.lanes.peers().length === 0))) return;
  state.isDrained = true;
  ctx.emit({ do: "drained", service: "brain" });
}

function nextWakeup({ deadlines, sweepAt, drainUntil, isDrained }: Brain): Millis | undefined {
  return earlier(earlier(deadlines.earliest(), sweepAt), isDrained ? undefined : drainUntil);
}
