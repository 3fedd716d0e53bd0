/**
 * The Brain: sessions of which the log is the truth, operators, the covenant, and predictions.
 *
 * Peers speak its protocol at once, there is no greeting. Every frame is one request and gets one reply, in order.
 */
import { Deadlines, earlier } from "../core/deadlines.ts";
import type { RoomEvent, Survivor } from "../core/event.ts";
import type { Millis } from "../core/ids.ts";
import { PAGE_TEXT_MAX, STRETCH_TEXT_MAX } from "../core/limits.ts";
import type { Past, Room } from "../core/room.ts";
import type { Settings } from "../core/settings.ts";
import type { Turn } from "../core/turn.ts";
import type { Brain } from "./brain.ts";
import { handle, kindOf } from "./commands.ts";
import { ENDED, lookAtSessions } from "./log/ending.ts";
import { sweep } from "./log/rubbish.ts";
import { followsOf, unfollowAll } from "./followers.ts";
import { newInference, ran, readArtifact, recorded, renewArtifact } from "./infer/inference.ts";
import { foundPrediction } from "./infer/record.ts";
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
export { detectDomain } from "./infer/domain.ts";
export { SIZES } from "./infer/parameters.ts";
export { type Run, runIdOf, type RunPlan, runTraining } from "./infer/run.ts";
export { normalizeUnits } from "./infer/units.ts";

/** The Brain with some operators; those that every Brain has are among them or its clients miss them. */
export function brainWith(operators: readonly Operator[]): Room<Brain> {
  return {
    name: "brain",
    resident: [ENDED],
    restore: (settings, past) => restore(settings, past, operators),
    step,
    nextWakeup,
  };
}

/** The Brain as it comes. */
export const brain: Room<Brain> = brainWith(OPERATORS);

function restore(settings: Settings, past: Past, operators: readonly Operator[]): Brain {
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
  if (settings.brain.persist) recall(state, past);
  for (const survivor of past.survivors) {
    join(state, survivor, past.now);
    if (past.hasSlept !== true) doubt(state, survivor.peer);
  }
  return state;
}

function join(state: Brain, { peer, attachment }: Pick<Survivor, "peer" | "attachment">, now: Millis): void {
  const follows = followsOf(state, peer, attachment);
  state.peers.set(peer, { births: births({ now }), follows, isPressed: false, gaps: new Map() });
  state.lanes.join(peer);
}

function step(state: Brain, event: RoomEvent, turn: Turn): void {
  happen(state, event, turn);
  for (let next = state.ready.shift(); next !== undefined; next = state.ready.shift()) {
    handle({ brain: state, turn, ...next });
  }
  if (state.drainUntil !== undefined) drain(state, turn);
}

function happen(state: Brain, event: RoomEvent, turn: Turn): void {
  switch (event.is) {
    case "opened":
      return join(state, { peer: event.peer }, turn.now);
    case "closed":
      unfollowAll(state, event.peer);
      state.peers.delete(event.peer);
      return state.lanes.leave(event.peer);
    case "frame":
      return receive(state, event, turn);
    case "limited":
      return refuseFrame(state, event, turn);
    case "pressed":
    case "eased":
      return setPressed(state, event, turn);
    case "stored":
      settled(state, turn, { at: event.key, isStored: true });
      return recorded(state, event.key, turn);
    case "storeFailed":
      settled(state, turn, { at: event.key, isStored: false });
      return recorded(state, event.key, turn);
    case "loaded":
      foundPrediction(state, turn, event);
      return loaded(state, turn, event);
    case "loadFailed":
      foundPrediction(state, turn, { token: event.token, entries: [] });
      return notLoaded(state, turn, event);
    case "ran":
      return ran(state, turn, event);
    case "tick":
      lookAtSessions(state, turn);
      readArtifact(state, turn);
      makeUp(state, turn);
      return sweep(state, turn);
    case "configured":
      return configure(state, turn, event.settings);
    case "asked":
      return reply(state, turn, event);
    case "draining":
      state.drainUntil = event.until;
      return;
    default: // Why: links, uploads and what rooms tell each other are none of the Brain's.
      return;
  }
}

function receive(state: Brain, { peer, frame }: RoomEvent & { is: "frame" }, turn: Turn): void {
  if (state.drainUntil !== undefined) return;
  const slot = state.lanes.open(peer);
  if (slot === undefined) return turn.put({ do: "close", peer, fault: "slowGame" });
  const message = decode(frame, state.limits.json_depth);
  turn.count("client", "in", message.ok ? kindOf(message.value) : "unreadable");
  if (message.ok) return handle({ brain: state, turn, slot, fields: message.value, frameLength: frame.length });
  state.lanes.fill(slot, problemText(message.problem, {}), turn);
}

/** One reply per request holds for a request that came too fast as well. */
function refuseFrame(state: Brain, { peer, retryMs }: RoomEvent & { is: "limited" }, turn: Turn): void {
  const slot = state.lanes.open(peer);
  if (slot === undefined) return;
  const problem: Problem = { error: "rate limit", code: "RateLimited", more: { retry_after_ms: retryMs } };
  state.lanes.fill(slot, problemText(problem, {}), turn);
}

function setPressed(state: Brain, { is, peer }: RoomEvent & { is: "pressed" | "eased" }, turn: Turn): void {
  const known = state.peers.get(peer);
  if (known === undefined) return;
  known.isPressed = is === "pressed";
  makeUp(state, turn);
}

function configure(state: Brain, turn: Turn, { brain: settings, limits }: Settings): void {
  const { artifact, artifacts_root: root } = state.settings;
  state.settings = settings;
  state.limits = limits;
  if (settings.artifact !== artifact || settings.artifacts_root !== root) renewArtifact(state, turn);
}

/** Lets everybody go who is owed nothing, and everybody else when the time is over. */
function drain(state: Brain, turn: Turn): void {
  const isOver = turn.now >= (state.drainUntil ?? 0);
  for (const peer of state.lanes.peers()) {
    if (isOver || state.lanes.isClear(peer)) {
      state.lanes.leave(peer);
      turn.put({ do: "close", peer, fault: "restarting" });
    }
  }
  const isWritten = state.writes.size === 0 && state.records.size === 0;
  if (state.isDrained || (!isOver && !(isWritten && state.lanes.peers().length === 0))) return;
  state.isDrained = true;
  turn.put({ do: "drained", room: "brain" });
}

function nextWakeup({ deadlines, sweepAt, drainUntil, isDrained }: Brain): Millis | undefined {
  return earlier(earlier(deadlines.earliest(), sweepAt), isDrained ? undefined : drainUntil);
}
