/**
 * The room: the relay's neuron and its link to Trevor, driven by the engine.
 *
 * Invariants: W1 with settings that break a rule nothing is dialled, and `ready` says why; W2 after each opening the session is
 * asked what it knows of the neuron, where Trevor can be reached; W3 it is drained once no attempt is left that has to register.
 */
import { earlier } from "../../core/deadlines.ts";
import type { LinkEvent, ServiceEvent } from "../../core/event.ts";
import type { Millis } from "../../core/ids.ts";
import type { Json } from "../../core/json.ts";
import type { RestoreInput, Service } from "../../core/service.ts";
import type { Settings } from "../../core/settings.ts";
import type { StepContext } from "../../core/context.ts";
import { type Bridge, bridge, bridgePlan, join, leave, obey, observe, react, showOn } from "./bridge.ts";
import {
  isOpenOn,
  isStopped,
  linkStep,
  neuron,
  type NeuronLinkOptions,
  type NeuronNews,
  nextWakeup,
  receive,
  repair,
  start,
  stop,
  tick,
} from "./neuron.ts";
import { waitingCount } from "./outputs.ts";
import { isRefusal } from "./refusal.ts";
import { type Drift, driftOf, hasDrift } from "./state.ts";
import {
  ask,
  nextTrevorWakeup,
  startTrevor,
  stopTrevor,
  tickTrevor,
  type Trevor,
  trevor,
  type TrevorNews,
  trevorStep,
} from "./trevor.ts";
import { beat, nextBeat } from "./vitals.ts";

const BACKOFF = { baseMs: 250, capMs: 2_000 };
const DIAL_MS = 5_000;
const ASK_MS = 10_000;

export interface Nallely {
  bridge: Bridge | undefined;
  trevor: Trevor | undefined;
  /** The rule that the settings break. */
  refused: string | undefined;
  drift: Drift | undefined;
  /** The question after the drift that is on its way. */
  asked: string | undefined;
  hasStarted: boolean;
  drainUntil: Millis | undefined;
  hasDrained: boolean;
}

export const nallely: Service<Nallely> = {
  name: "nallely",
  resident: [],
  restore: (settings: Settings, _past: RestoreInput): Nallely => build(settings),
  step(room: Nallely, event: ServiceEvent, ctx: StepContext): void {
    dispatch(room, event, ctx);
    concludeDrain(room, ctx);
  },
  nextWakeup(room: Nallely): Millis | undefined {
    let earliest = room.hasDrained ? undefined : room.drainUntil;
    for (const at of deadlines(room)) earliest = earlier(earliest, at);
    return earliest;
  },
};

function build(settings: Settings): Nallely {
  const { url, trevor_url, ...rest } = settings.nallely;
  const room: Nallely = {
    bridge: undefined,
    trevor: undefined,
    refused: undefined,
    drift: undefined,
    asked: undefined,
    hasStarted: false,
    drainUntil: undefined,
    hasDrained: false,
  };
  if (!rest.enabled) return room;
  const plan = bridgePlan(settings.nallely);
  if (isRefusal(plan)) return { ...room, refused: plan.reason };
  const at = (to: string): NeuronLinkOptions => ({ url: to, backoff: BACKOFF, dialTimeoutMs: DIAL_MS });
  room.bridge = bridge(settings.nallely, neuron(plan, at(url)));
  if (trevor_url !== "") room.trevor = trevor(at(trevor_url));
  return room;
}

const deadlines = ({ bridge, trevor }: Nallely): readonly (Millis | undefined)[] => [
  bridge && nextWakeup(bridge.neuron),
  bridge && nextBeat(bridge.vitals),
  trevor && nextTrevorWakeup(trevor),
];

function dispatch(room: Nallely, event: ServiceEvent, ctx: StepContext): void {
  const { bridge } = room;
  switch (event.is) {
    case "serviceMessage":
      if (bridge === undefined) return;
      if (event.message.is === "observed") observe(bridge, event.message.observation, ctx);
      else if (event.message.is === "neuroMessage") obey(bridge, event.message.message, ctx);
      return;
    case "received":
    case "dialed":
    case "dropped":
    case "linkBackpressure":
    case "linkRelieved":
      return linkEvent(room, event, ctx);
    case "tick":
      return ring(room, ctx);
    case "configured":
      return reconfigure(room, event.settings, ctx);
    case "draining":
      room.drainUntil = event.until;
      return halt(room, ctx);
    case "requested":
      return ctx.emit({
        do: "respond",
        requestId: event.requestId,
        body: "get" in event.request && event.request.get === "ready" ? readiness(room) : overview(room),
      });
    default:
      return;
  }
}

function linkEvent(room: Nallely, event: LinkEvent, ctx: StepContext): void {
  const { bridge, trevor } = room;
  if (event.is === "received") ctx.count(event.link === trevor?.link.id ? "trevor" : "session", "in", "value");
  if (bridge !== undefined && event.is === "received" && isOpenOn(bridge.neuron, event.link)) {
    const input = receive(bridge.neuron, event.frame);
    return input === undefined ? undefined : react(bridge, input, ctx);
  }
  if (trevor !== undefined && trevor.link.id === event.link) return hearTrevor(room, trevorStep(trevor, event, ctx), ctx);
  if (bridge !== undefined) hearNeuron(room, linkStep(bridge.neuron, event, ctx), ctx);
}

function ring(room: Nallely, ctx: StepContext): void {
  const { bridge, trevor } = room;
  if (!room.hasStarted) begin(room, ctx);
  if (bridge !== undefined) {
    beat(bridge.vitals, { now: ctx.now, show: showOn(bridge, ctx) });
    hearNeuron(room, tick(bridge.neuron, ctx), ctx);
  }
  if (trevor !== undefined) hearTrevor(room, tickTrevor(trevor, ctx), ctx);
}

function begin(room: Nallely, ctx: StepContext): void {
  room.hasStarted = true;
  if (room.refused !== undefined) ctx.observe({ is: "nallely_refused", reason: room.refused });
  if (room.drainUntil !== undefined) return;
  if (room.bridge !== undefined) start(room.bridge.neuron, ctx);
  if (room.trevor !== undefined) startTrevor(room.trevor, ctx);
}

function halt(room: Nallely, ctx: StepContext): void {
  if (room.bridge !== undefined) {
    leave(room.bridge, ctx);
    stop(room.bridge.neuron, ctx);
  }
  if (room.trevor !== undefined) stopTrevor(room.trevor, ctx);
}

/** New settings of this block mean a new neuron; an equal block leaves it alone. */
function reconfigure(room: Nallely, settings: Settings, ctx: StepContext): void {
  const next = build(settings);
  if (JSON.stringify(next.bridge?.settings) === JSON.stringify(room.bridge?.settings) && next.refused === room.refused) {
    return;
  }
  halt(room, ctx);
  Object.assign(room, next, { drainUntil: room.drainUntil });
  begin(room, ctx);
}

function hearNeuron(room: Nallely, news: NeuronNews | undefined, ctx: StepContext): void {
  const { bridge } = room;
  if (bridge === undefined || news === undefined) return;
  const { name, url } = bridge.settings;
  if (news.is === "open") {
    ctx.observe({ is: "nallely_connected", name, url });
    join(bridge, ctx);
    askForDrift(room, ctx);
  } else if (news.is === "waiting") {
    room.drift = undefined;
    ctx.observe({ is: "nallely_lost", name, reason: news.reason || `closed with ${news.code}`, retry_ms: news.retryMs });
    leave(bridge, ctx);
  }
}

function hearTrevor(room: Nallely, news: readonly TrevorNews[], ctx: StepContext): void {
  for (const one of news) {
    if (one.is === "open" && room.bridge?.neuron.link.state === "open") askForDrift(room, ctx);
    if (one.is === "failed" && one.id === room.asked) room.asked = undefined;
    if (one.is !== "answered" || one.id !== room.asked) continue;
    room.asked = undefined;
    const { bridge, trevor } = room;
    // Why not the reply: the last state is the same one, or a later.
    if (bridge !== undefined && trevor?.state !== undefined) judge(room, driftOf(trevor.state, bridge.neuron.plan), ctx);
  }
}

function askForDrift(room: Nallely, ctx: StepContext): void {
  const { trevor } = room;
  if (trevor === undefined || trevor.link.state !== "open" || room.asked !== undefined) return;
  room.asked = ctx.id();
  ask(trevor, { id: room.asked, name: "full_state", params: {}, deadline: ctx.now + ASK_MS }, ctx);
}

function judge(room: Nallely, drift: Drift, ctx: StepContext): void {
  const { bridge } = room;
  room.drift = drift;
  if (bridge === undefined || !hasDrift(drift)) return;
  const { isListed: listed, missing, extra, changed } = drift;
  ctx.observe({ is: "nallely_drifted", name: bridge.settings.name, listed, missing, extra, changed });
  if (bridge.settings.repair && listed && missing.length > 0) repair(bridge.neuron, missing, ctx);
}

function concludeDrain(room: Nallely, ctx: StepContext): void {
  if (room.drainUntil === undefined || room.hasDrained) return;
  const isQuiet = room.bridge === undefined || isStopped(room.bridge.neuron);
  if (!isQuiet && ctx.now < room.drainUntil) return;
  room.hasDrained = true;
  ctx.emit({ do: "drained", service: "nallely" });
}

function readiness({ bridge, refused, drift }: Nallely): Json {
  const waits: string[] = [];
  if (refused !== undefined) waits.push(refused);
  if (bridge !== undefined && bridge.neuron.link.state !== "open") waits.push(`the bus at ${bridge.settings.url} is away`);
  if (drift?.isListed === false) waits.push("the session does not list the neuron: reset it");
  return { ok: waits.length === 0, waits };
}

function overview({ bridge, trevor, drift }: Nallely): Json {
  if (bridge === undefined) return { enabled: false };
  const { neuron, settings } = bridge;
  const values = (pairs: Iterable<readonly [string, number]>): Json => Object.fromEntries(pairs);
  return {
    enabled: true,
    name: settings.name,
    url: settings.url,
    state: neuron.link.state,
    outputs: values([...neuron.outputs.table].map(([name, { last }]) => [name, last] as const)),
    inputs: values([...neuron.inputs].flatMap(([name, { value, hasValue }]) => hasValue ? [[name, value] as const] : [])),
    counts: {
      ...neuron.outputs.counts,
      ...neuron.counts,
      waiting: waitingCount(neuron.outputs),
      openings: neuron.openings,
    },
    trevor: trevor && { state: trevor.link.state, bus: trevor.busId, ...trevor.counts },
    drift: drift && { ...drift },
  };
}
