/**
 * One external neuron: its link to the bus, its registration, its values both ways.
 *
 * The same machine is driven by the relay's engine and by the client for programs of their own.
 *
 * Invariants: N1 the registration is the first frame on every socket, put in the very step in which it opens; N2 a socket is never
 * given up between its dial and that frame, not even to stop or when the dial takes too long, for the bus would then know the name
 * without its parameters, and refuse it until the session is reset (an attempt that is given up is remembered until it opens,
 * registers, and only then hung up); N3 no close code ends the attempts: the bus closes 1000 when it is reset; N4 what
 * arrives is read at once, always: whoever stops reading stalls the neuron that sends; N5 nothing that arrives throws.
 */
import type { Backoff } from "../../core/backoff.ts";
import { earlier } from "../../core/deadlines.ts";
import type { LinkEvent } from "../../core/event.ts";
import type { LinkId, Millis } from "../../core/ids.ts";
import type { Frame } from "../../core/json.ts";
import { dial, due, hangup, type Link, link, type LinkPlan, lost, opened } from "../../core/link.ts";
import type { StepContext } from "../../core/context.ts";
import { clamp, type NeuronPlan, type ParameterPlan, wireParameters } from "./declaration.ts";
import { frameFlaw, frameHead, FrameTable, frameValue } from "./frame.ts";
import { ease, flushDue, nextFlush, offer, type Outputs, outputs, press, resume, suspend } from "./outputs.ts";
import { type Refusal, refusal } from "./refusal.ts";
import { decodeText, encodeAddition, encodeRegistration, type NamedValue } from "./wire.ts";

/** An input, and the value that came last. */
export interface Input {
  readonly plan: ParameterPlan;
  value: number;
  hasValue: boolean;
}

export interface InputCounts {
  received: number;
  /** Frames and texts that are no value. */
  malformed: number;
  /** Values for a parameter that was not declared as an input. */
  unknown: number;
  /** NaN or an infinity, where they are refused. */
  nonFinite: number;
}

export interface Neuron {
  readonly plan: NeuronPlan;
  readonly linkPlan: LinkPlan;
  readonly registration: string;
  readonly link: Link;
  readonly outputs: Outputs;
  readonly inputs: ReadonlyMap<string, Input>;
  readonly inputFrames: FrameTable<Input>;
  readonly counts: InputCounts;
  /** Times the link was open. */
  openings: number;
  /** Sent in vain: the value broke a rule. */
  refused: number;
  /** An attempt that was given up and has still to register before it may be closed. */
  abandoned: LinkId | undefined;
  /** The further socket that adds parameters. */
  readonly repair: Link;
  repairText: string;
}

/** What became of the link. */
export type NeuronNews =
  | { readonly is: "dialing"; readonly attempt: number }
  /** The registration was sent. `again`: it had been open before. */
  | { readonly is: "open"; readonly again: boolean }
  | { readonly is: "waiting"; readonly retryMs: Millis; readonly code: number; readonly reason: string }
  | { readonly is: "closed" };

/** Close codes of this side, for what the bus had no part in. */
const CODE_TIMEOUT = 4408;

export interface NeuronLinkOptions {
  /** Of the bus, as `ws://127.0.0.1:6789`; without path and query. */
  readonly url: string;
  readonly backoff: Backoff;
  readonly dialTimeoutMs: Millis;
}

/** How long the further socket of a repair is kept before it is closed. */
const REPAIR_MS = 1_000;

/** A neuron that has not dialled yet. */
export function neuron(plan: NeuronPlan, options: NeuronLinkOptions): Neuron {
  const inputs = new Map<string, Input>();
  const inputFrames = new FrameTable<Input>();
  for (const parameter of plan.parameters) {
    if (parameter.direction === "out") continue;
    const input: Input = { plan: parameter, value: 0, hasValue: false };
    inputs.set(parameter.name, input);
    inputFrames.add(frameHead(parameter.name), input);
  }
  return {
    plan,
    linkPlan: {
      url: `${options.url.replace(/\/+$/, "")}/${plan.name}/autoconfig`,
      backoff: options.backoff,
      dialTimeoutMs: options.dialTimeoutMs,
    },
    registration: encodeRegistration(wireParameters(plan)),
    link: link("nallely", "neuron"),
    outputs: outputs(plan),
    inputs,
    inputFrames,
    counts: { received: 0, malformed: 0, unknown: 0, nonFinite: 0 },
    openings: 0,
    refused: 0,
    abandoned: undefined,
    repair: link("nallely", "repair"),
    repairText: "",
  };
}

/** Dials, and from then on keeps the link. Also cuts a wait short. */
export function start(of: Neuron, ctx: StepContext): NeuronNews | undefined {
  if (of.link.state !== "idle" && of.link.state !== "waiting") return undefined;
  dial(of.link, of.linkPlan, ctx);
  return { is: "dialing", attempt: of.link.attempt };
}

/** Lets go of the link; parameters and wiring stay in the session. Values kept for later are kept. */
export function stop(of: Neuron, ctx: StepContext): NeuronNews | undefined {
  if (of.link.state === "idle") return undefined;
  if (of.link.state === "dialing") abandon(of, ctx);
  hangup(of.link, ctx);
  hangup(of.repair, ctx);
  suspend(of.outputs);
  return { is: "closed" };
}

/** True when no socket is left that has to be waited for. */
export const isStopped = (of: Neuron): boolean => of.link.state === "idle" && of.abandoned === undefined;

/** A value for the wire. Returns the rule that it breaks, if it does. */
export function send(of: Neuron, { name, value }: NamedValue, ctx: StepContext): Refusal | undefined {
  const output = of.outputs.table.get(name);
  if (output === undefined) return refuse(of, "parameter-unknown", `${of.plan.name} declares no parameter ${name}`);
  if (output.plan.direction === "in") return refuse(of, "direction", `${name} is declared as an input`);
  if (typeof value !== "number") return refuse(of, "value", `value of ${name}: a number`);
  if (!Number.isFinite(value) && of.plan.nonFinite === "refuse") {
    return refuse(of, "value", `value of ${name} is ${value}: it would make the session's state unreadable as JSON`);
  }
  const { range } = output.plan;
  if (range === undefined || of.plan.outOfRange === "pass") offer(output, value, ctx);
  else {
    const inside = clamp(value, range);
    if (inside !== value && of.plan.outOfRange === "refuse") {
      return refuse(of, "value-range", `value of ${name} is ${value}: outside of ${JSON.stringify(range)}`);
    }
    offer(output, inside, ctx);
  }
  return undefined;
}

function refuse(of: Neuron, rule: Refusal["rule"], reason: string): Refusal {
  of.refused++;
  return refusal(rule, reason);
}

/** What the bus sent: the input that it is for, holding the value, or undefined when it was dropped and counted. */
export function receive(of: Neuron, frame: Frame): Input | undefined {
  return typeof frame === "string" ? receiveText(of, frame) : receiveBytes(of, frame);
}

function receiveBytes(of: Neuron, frame: Uint8Array): Input | undefined {
  if (frameFlaw(frame) !== undefined) {
    of.counts.malformed++;
    return undefined;
  }
  return accept(of, of.inputFrames.find(frame), frameValue(frame));
}

function receiveText(of: Neuron, text: string): Input | undefined {
  const read = decodeText(text);
  if (read !== undefined) return accept(of, of.inputs.get(read.name), read.value);
  of.counts.malformed++;
  return undefined;
}

function accept(of: Neuron, input: Input | undefined, value: number): Input | undefined {
  if (input === undefined) of.counts.unknown++;
  else if (!Number.isFinite(value) && of.plan.nonFinite === "refuse") of.counts.nonFinite++;
  else {
    of.counts.received++;
    input.value = value;
    input.hasValue = true;
    return input;
  }
  return undefined;
}

/** Something happened to one of the neuron's sockets; values go to `receive` instead. */
export function linkStep(of: Neuron, event: LinkEvent, ctx: StepContext): NeuronNews | undefined {
  if (event.link === of.abandoned) return settleAbandoned(of, event, ctx);
  if (event.link === of.repair.id) return stepRepair(of, event, ctx);
  if (event.link !== of.link.id) return undefined;
  switch (event.is) {
    case "dialed":
      return open(of, ctx);
    case "dropped":
      return lose(of, event, ctx);
    case "linkBackpressure":
      press(of.outputs);
      return undefined;
    case "linkRelieved":
      ease(of.outputs, ctx);
      return undefined;
    case "received":
      return undefined;
  }
}

/** True when values that come by this link are the neuron's. */
export const isOpenOn = (of: Neuron, link: LinkId): boolean => of.link.id === link && of.link.state === "open";

/** A deadline came, or may have. */
export function tick(of: Neuron, ctx: StepContext): NeuronNews | undefined {
  flushDue(of.outputs, ctx);
  if (of.repair.deadline !== undefined && of.repair.deadline <= ctx.now) hangup(of.repair, ctx);
  const { link } = of;
  if (link.deadline === undefined || link.deadline > ctx.now) return undefined;
  if (link.state === "dialing") {
    abandon(of, ctx);
    return lose(of, { code: CODE_TIMEOUT, reason: "the dial took too long" }, ctx);
  }
  due(link, of.linkPlan, ctx);
  return { is: "dialing", attempt: link.attempt };
}

/** When it has something to do by itself. */
export function nextWakeup(of: Neuron): Millis | undefined {
  return earlier(nextFlush(of.outputs), earlier(of.link.deadline, of.repair.deadline));
}

/**
 * Adds parameters that the session does not know, by the further socket that the bus wants for it. Only for a neuron that the
 * session lists: on a poisoned name the bus fails at it.
 */
export function repair(of: Neuron, missing: readonly string[], ctx: StepContext): Refusal | undefined {
  if (of.repair.state !== "idle") return refusal("busy", "a repair is going on");
  const wanted = wireParameters(of.plan).filter(({ name }) => missing.includes(name));
  of.repairText = encodeAddition(wanted);
  dial(of.repair, of.linkPlan, ctx);
  return undefined;
}

function open(of: Neuron, ctx: StepContext): NeuronNews {
  opened(of.link, ctx);
  const { id } = of.link;
  if (id !== undefined) {
    ctx.emit({ do: "send", to: id, frame: of.registration });
    resume(of.outputs, id, ctx);
  }
  return { is: "open", again: of.openings++ > 0 };
}

function lose(
  of: Neuron,
  { code, reason }: { readonly code: number; readonly reason: string },
  ctx: StepContext,
): NeuronNews {
  suspend(of.outputs);
  return { is: "waiting", retryMs: lost(of.link, of.linkPlan, ctx), code, reason };
}

/** Takes the attempt out of the link's hands, so that it can still register when it opens. One of them is kept at most. */
function abandon(of: Neuron, ctx: StepContext): void {
  if (of.abandoned !== undefined) ctx.emit({ do: "closeLink", link: of.abandoned });
  of.abandoned = of.link.id;
  of.link.id = undefined;
}

function settleAbandoned(of: Neuron, event: LinkEvent, ctx: StepContext): undefined {
  if (event.is === "dialed") {
    ctx.emit({ do: "send", to: event.link, frame: of.registration });
    ctx.emit({ do: "closeLink", link: event.link });
  }
  if (event.is === "dialed" || event.is === "dropped") of.abandoned = undefined;
}

function stepRepair(of: Neuron, event: LinkEvent, ctx: StepContext): undefined {
  if (event.is === "dialed") {
    ctx.emit({ do: "send", to: event.link, frame: of.repairText });
    of.repair.state = "open";
    of.repair.deadline = ctx.now + REPAIR_MS;
  }
  if (event.is !== "dropped") return;
  of.repair.id = undefined;
  of.repair.state = "idle";
  of.repair.deadline = undefined;
}
