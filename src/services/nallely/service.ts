/**
 * The Nallely service: the relay's neuron and its link to Trevor, driven by the engine.
 *
 * Invariants: W1 with settings that break a rule nothing is dialed, and `ready` gives the reason; W2 each time the neuron's link opens, the
 * session's registration of the neuron is requested, if Trevor can be reached; W3 the service is drained once no attempt has still to
 * register, at the latest at the deadline.
 */
import { assertNever } from "../../core/assert.ts";
import type { StepContext } from "../../core/context.ts";
import { earlier } from "../../core/deadlines.ts";
import type { LinkEvent, ServiceEvent } from "../../core/event.ts";
import type { Millis } from "../../core/ids.ts";
import { linkIdOf } from "../../core/link.ts";
import type { RestoreInput, Service } from "../../core/service.ts";
import type { ServiceMessage } from "../../core/service-message.ts";
import type { Settings } from "../../core/settings.ts";
import {
  type Bridge,
  bridgeSpec,
  createBridge,
  handleBusOpened,
  handleInput,
  handleNeuroMessage,
  handleObservation,
  leaveNeuro,
  publishTo,
} from "./bridge.ts";
import {
  addParameters,
  createNeuron,
  handleNeuronFrame,
  handleNeuronLink,
  isNeuronStopped,
  type NallelyLinkOptions,
  type NeuronUpdate,
  nextNeuronWakeup,
  startNeuron,
  stopNeuron,
  tickNeuron,
} from "./neuron.ts";
import { handleRequest, trevorProblem } from "./requests.ts";
import { isViolation } from "./rule-violation.ts";
import { type Drift, driftOf, hasDrift } from "./session-state.ts";
import type { ActiveRole, NallelyState, Role } from "./state.ts";
import { nextStatsTick, tickStats } from "./stats.ts";
import {
  createTrevor,
  handleTrevorLink,
  nextTrevorWakeup,
  startTrevor,
  stopTrevor,
  submitCommand,
  tickTrevor,
  type TrevorUpdate,
} from "./trevor.ts";

const BACKOFF = { baseMs: 250, capMs: 2_000 };
const DIAL_TIMEOUT_MS = 5_000;
const DRIFT_TIMEOUT_MS = 10_000;

export const nallely: Service<NallelyState> = {
  name: "nallely",
  resident: [],
  restore: (settings: Settings, _input: RestoreInput): NallelyState => ({
    role: roleOf(settings),
    phase: { is: "new" },
  }),
  step(state: NallelyState, event: ServiceEvent, ctx: StepContext): void {
    dispatch(state, event, ctx);
    finishDraining(state, ctx);
  },
  observes: ({ role }: NallelyState): boolean => role.is === "active",
  nextWakeup({ role, phase }: NallelyState): Millis | undefined {
    let first = phase.is === "draining" ? phase.until : undefined;
    if (role.is !== "active") return first;
    const { bridge, trevor } = role;
    first = earlier(first, nextNeuronWakeup(bridge.neuron));
    first = earlier(first, nextStatsTick(bridge.stats));
    return earlier(first, trevor && nextTrevorWakeup(trevor));
  },
};

function roleOf(settings: Settings): Role {
  const { enabled, url, trevor_url: trevorUrl } = settings.nallely;
  if (!enabled) return { is: "disabled" };
  const spec = bridgeSpec(settings.nallely);
  if (isViolation(spec)) return { is: "refused", reason: spec.reason };
  return {
    is: "active",
    bridge: createBridge(settings.nallely, createNeuron(spec, linkOptions(url))),
    trevor: trevorUrl === "" ? undefined : createTrevor(linkOptions(trevorUrl)),
    drift: undefined,
    driftRequest: undefined,
  };
}

const linkOptions = (url: string): NallelyLinkOptions => ({ url, backoff: BACKOFF, dialTimeoutMs: DIAL_TIMEOUT_MS });

function dispatch(state: NallelyState, event: ServiceEvent, ctx: StepContext): void {
  const { role } = state;
  switch (event.is) {
    case "serviceMessage":
      return role.is === "active" ? handleServiceMessage(role.bridge, event.message, ctx) : undefined;
    case "received":
    case "dialed":
    case "dropped":
    case "linkBackpressure":
    case "linkRelieved":
      return role.is === "active" ? handleLink(role, event, ctx) : undefined;
    case "tick":
      return tick(state, ctx);
    case "configured":
      return configure(state, event.settings, ctx);
    case "draining":
      state.phase = { is: "draining", until: event.until };
      return stop(role, ctx);
    case "requested":
      return handleRequest(role, event, ctx);
    // It has no listener, stores nothing, and starts no jobs.
    case "opened":
    case "frame":
    case "closed":
    case "throttled":
    case "ponged":
    case "backpressure":
    case "relieved":
    case "stored":
    case "storeFailed":
    case "loaded":
    case "loadFailed":
    case "jobFinished":
    case "fileSaved":
      return;
    default:
      return assertNever(event);
  }
}

function handleServiceMessage(bridge: Bridge, message: ServiceMessage, ctx: StepContext): void {
  switch (message.is) {
    case "observed":
      return handleObservation(bridge, message.observation, ctx);
    case "neuroMessage":
      return handleNeuroMessage(bridge, message.message, ctx);
    // Between the Intermediary and Neuro.
    case "integrationJoined":
    case "tracesWatched":
    case "serviceChanged":
    case "integrationLeft":
    case "gameMessage":
    case "problemFound":
    case "directMessage":
    case "directSettled":
    case "actionChosen":
    case "upstreamChanged":
    case "choiceRequested":
    case "choiceSettled":
    case "contextShared":
    case "observationsCounted":
      return;
    default:
      return assertNever(message);
  }
}

function handleLink(role: ActiveRole, event: LinkEvent, ctx: StepContext): void {
  const { bridge, trevor } = role;
  const isTrevor = trevor !== undefined && linkIdOf(trevor.link) === event.link;
  if (event.is === "received") ctx.count(isTrevor ? "trevor" : "session", "in", "value");
  if (isTrevor) return handleTrevorUpdates(role, handleTrevorLink(trevor, event, ctx), ctx);
  if (event.is === "received") {
    const input = handleNeuronFrame(bridge.neuron, event, ctx);
    return input === undefined ? undefined : handleInput(bridge, input, ctx);
  }
  handleNeuronUpdate(role, handleNeuronLink(bridge.neuron, event, ctx), ctx);
}

function tick(state: NallelyState, ctx: StepContext): void {
  if (state.phase.is === "new") start(state, ctx);
  const { role } = state;
  if (role.is !== "active") return;
  const { bridge, trevor } = role;
  tickStats(bridge.stats, ctx.now, publishTo(bridge, ctx));
  handleNeuronUpdate(role, tickNeuron(bridge.neuron, ctx), ctx);
  if (trevor !== undefined) handleTrevorUpdates(role, tickTrevor(trevor, ctx), ctx);
}

function start(state: NallelyState, ctx: StepContext): void {
  const { role } = state;
  state.phase = { is: "running" };
  switch (role.is) {
    case "disabled":
      return;
    case "refused":
      return ctx.observe({ is: "nallely_refused", reason: role.reason });
    case "active":
      startNeuron(role.bridge.neuron, ctx);
      if (role.trevor !== undefined) startTrevor(role.trevor, ctx);
      return;
    default:
      return assertNever(role);
  }
}

function stop(role: Role, ctx: StepContext): void {
  if (role.is !== "active") return;
  leaveNeuro(role.bridge, ctx);
  stopNeuron(role.bridge.neuron, ctx);
  if (role.trevor !== undefined) stopTrevor(role.trevor, ctx);
}

/** Changed settings of `nallely` create another neuron; equal settings have no effect. */
function configure(state: NallelyState, settings: Settings, ctx: StepContext): void {
  const role = roleOf(settings);
  if (fingerprint(role) === fingerprint(state.role)) return;
  stop(state.role, ctx);
  state.role = role;
  if (state.phase.is === "new" || state.phase.is === "running") start(state, ctx);
}

function fingerprint(role: Role): string {
  switch (role.is) {
    case "disabled":
      return role.is;
    case "refused":
      return role.reason;
    case "active":
      return JSON.stringify(role.bridge.settings);
    default:
      return assertNever(role);
  }
}

function handleNeuronUpdate(role: ActiveRole, update: NeuronUpdate | undefined, ctx: StepContext): void {
  if (update === undefined) return;
  const { bridge } = role;
  const { name, url } = bridge.settings;
  switch (update.is) {
    case "open":
      ctx.observe({ is: "nallely_connected", name, url });
      handleBusOpened(bridge, ctx);
      return requestDrift(role, ctx);
    case "waiting": {
      const reason = update.reason || `closed with ${update.code}`;
      role.drift = undefined;
      ctx.observe({ is: "nallely_lost", name, reason, retry_ms: update.retryMs });
      return leaveNeuro(bridge, ctx);
    }
    case "dialing":
    case "closed":
      return;
    default:
      return assertNever(update);
  }
}

function handleTrevorUpdates(role: ActiveRole, updates: readonly TrevorUpdate[], ctx: StepContext): void {
  for (const update of updates) handleTrevorUpdate(role, update, ctx);
  // Why: only the comparison reads it, and it may be large.
  if (role.driftRequest === undefined && role.trevor !== undefined) role.trevor.state = undefined;
}

function handleTrevorUpdate(role: ActiveRole, update: TrevorUpdate, ctx: StepContext): void {
  const { bridge, trevor } = role;
  switch (update.is) {
    case "open":
      return requestDrift(role, ctx);
    case "answered":
      if (update.id !== role.driftRequest) return;
      role.driftRequest = undefined;
      // Why not the reply: the last state is the same one, or a later one.
      return trevor?.state && applyDrift(role, driftOf(trevor.state, bridge.neuron.spec), ctx);
    case "failed":
      if (update.id === role.driftRequest) role.driftRequest = undefined;
      return;
    case "waiting":
      // Why only then: the link to Trevor is optional, and `status` shows its state.
      if (update.retryMs === undefined) ctx.observe({ is: "nallely_refused", reason: trevorProblem(update.reason) });
      return;
    case "dialing":
    case "closed":
    case "state":
    case "bus":
    case "message":
      return;
    default:
      return assertNever(update);
  }
}

/** Requests the session's registration of the neuron, once both links are open. */
function requestDrift(role: ActiveRole, ctx: StepContext): void {
  const { bridge, trevor } = role;
  if (role.driftRequest !== undefined || bridge.neuron.link.state.is !== "open") return;
  if (trevor === undefined || trevor.link.state.is !== "open") return;
  const id = ctx.id();
  role.driftRequest = id;
  submitCommand(trevor, { id, name: "full_state", params: {}, deadline: ctx.now + DRIFT_TIMEOUT_MS }, ctx);
}

function applyDrift(role: ActiveRole, drift: Drift, ctx: StepContext): void {
  const { neuron, settings } = role.bridge;
  role.drift = drift;
  if (!hasDrift(drift)) return;
  const { isListed: listed, missing, extra, changed } = drift;
  ctx.observe({ is: "nallely_drifted", name: settings.name, listed, missing, extra, changed });
  if (settings.repair && listed && missing.length > 0) addParameters(neuron, missing, ctx);
}

function finishDraining(state: NallelyState, ctx: StepContext): void {
  const { role, phase } = state;
  if (phase.is !== "draining") return;
  const isStopped = role.is !== "active" || isNeuronStopped(role.bridge.neuron);
  if (!isStopped && ctx.now < phase.until) return;
  state.phase = { is: "drained" };
  ctx.emit({ do: "drained", service: "nallely" });
}
