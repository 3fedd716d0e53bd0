/**
 * What a neuron sends: the latest value of each parameter, at most so often, and what happens to it while the bus is away.
 *
 * A native neuron takes 256 values a second and queues the rest, so faster is later there. What comes faster than the ceiling is
 * merged into the latest value, which leaves as soon as its time has come.
 *
 * Invariants: O1 per parameter, what leaves is in the order of what was offered, and the last value offered is the last that
 * leaves; O2 over any second no parameter is above its rate by more than one value, and a late timer does not lower it; O3
 * under `queue`, what was kept while away leaves before anything later; O4 offering costs a comparison when nothing waits. Time here is in microseconds, so that any rate has a whole interval.
 * Knows nothing of: sockets, registration.
 */
import type { LinkId, Millis } from "../../core/ids.ts";
import type { StepContext } from "../../core/context.ts";
import type { AwayPolicy, NeuronPlan, ParameterPlan } from "./declaration.ts";
import { encodeFrame, frameHead } from "./frame.ts";

export interface Output {
  /** All outputs of its neuron. */
  readonly all: Outputs;
  readonly plan: ParameterPlan;
  readonly head: Uint8Array;
  readonly intervalUs: number;
  /** When the next value may leave. */
  readyUs: number;
  held: number;
  isHeld: boolean;
  last: number;
  hasLast: boolean;
}

export interface OutputCounts {
  sent: number;
  /** Replaced by a later value before its time came. */
  merged: number;
  /** Given up while the bus was away. */
  dropped: number;
  /** Last values sent again after a reconnect. */
  resent: number;
}

export interface Outputs {
  readonly table: ReadonlyMap<string, Output>;
  readonly policy: AwayPolicy;
  readonly counts: OutputCounts;
  /** Where values go; undefined while the bus is away. */
  to: LinkId | undefined;
  /** The socket is full: values are merged until it has caught up. */
  isPressed: boolean;
  /** Those with a held value, in the order in which they were first held. */
  waiting: Output[];
  /** Kept while away under `queue`, from `queueStart` on. */
  queue: { readonly output: Output; readonly value: number }[];
  queueStart: number;
  /** When something that waits may leave. */
  flushUs: number | undefined;
}

const US_PER_MS = 1_000;

/** The outputs of a plan, away from the bus. */
export function outputs(plan: NeuronPlan): Outputs {
  const table = new Map<string, Output>();
  const all: Outputs = {
    table,
    policy: plan.whileAway,
    counts: { sent: 0, merged: 0, dropped: 0, resent: 0 },
    to: undefined,
    isPressed: false,
    waiting: [],
    queue: [],
    queueStart: 0,
    flushUs: undefined,
  };
  for (const parameter of plan.parameters) table.set(parameter.name, outputOf(all, parameter));
  return all;
}

const outputOf = (all: Outputs, plan: ParameterPlan): Output => ({
  all,
  plan,
  head: frameHead(plan.name),
  intervalUs: plan.rate === 0 ? 0 : Math.floor(1_000_000 / plan.rate),
  readyUs: 0,
  held: 0,
  isHeld: false,
  last: 0,
  hasLast: false,
});

/** A value to be sent: leaves at once, or as soon as it may. */
export function offer(output: Output, value: number, ctx: StepContext): void {
  const of = output.all;
  if (of.to === undefined) return keep(output, value);
  const isFree = !output.isHeld && of.queueStart === of.queue.length && !of.isPressed;
  if (isFree && output.readyUs <= ctx.now * US_PER_MS) return transmit(output, value, ctx);
  hold(output, value);
  scheduleFlush(of, output.readyUs);
}

/** The link is open and the registration is on its way: sends what it missed. */
export function resume(of: Outputs, to: LinkId, ctx: StepContext): void {
  of.to = to;
  of.isPressed = false;
  const isQueued = new Set<Output>();
  for (let at = of.queueStart; at < of.queue.length; at++) {
    const entry = of.queue[at];
    if (entry !== undefined) isQueued.add(entry.output);
  }
  for (const output of of.table.values()) {
    if (!output.hasLast || !output.plan.resend || output.isHeld || isQueued.has(output)) continue;
    transmit(output, output.last, ctx);
    of.counts.sent--;
    of.counts.resent++;
  }
  scheduleFlush(of, 0);
  flushDue(of, ctx);
}

/** The bus is away: what waits for its time is kept as the policy says. */
export function suspend(of: Outputs): void {
  of.to = undefined;
  of.flushUs = undefined;
  if (of.policy !== "drop") return;
  of.counts.dropped += of.waiting.length;
  for (const output of of.waiting) output.isHeld = false;
  of.waiting = [];
}

/** Sends what may leave now. */
export function flushDue(of: Outputs, ctx: StepContext): void {
  if (of.to === undefined || of.flushUs === undefined || of.isPressed) return;
  const nowUs = ctx.now * US_PER_MS;
  if (of.flushUs > nowUs) return;
  of.flushUs = undefined;
  if (!drainQueue(of, ctx)) return;
  const later: Output[] = [];
  for (const output of of.waiting) {
    if (output.readyUs <= nowUs) release(output, ctx);
    else {
      later.push(output);
      scheduleFlush(of, output.readyUs);
    }
  }
  of.waiting = later;
}

/** Sends everything that waits, ceiling or not. */
export function flushAll(of: Outputs, ctx: StepContext): void {
  if (of.to === undefined) return;
  for (; of.queueStart < of.queue.length; of.queueStart++) {
    const entry = of.queue[of.queueStart];
    if (entry !== undefined) transmit(entry.output, entry.value, ctx);
  }
  emptyQueue(of);
  for (const output of of.waiting) release(output, ctx);
  of.waiting = [];
  of.flushUs = undefined;
}

/** The socket holds more than it should: values wait and are merged. */
export function press(of: Outputs): void {
  of.isPressed = true;
}

/** It holds little again: what waits goes on. */
export function ease(of: Outputs, ctx: StepContext): void {
  of.isPressed = false;
  scheduleFlush(of, 0);
  flushDue(of, ctx);
}

export const nextFlush = (of: Outputs): Millis | undefined =>
  of.flushUs === undefined || of.to === undefined || of.isPressed ? undefined : Math.ceil(of.flushUs / US_PER_MS);

/** Values that wait, for their time or for the bus. */
export const waitingCount = (of: Outputs): number => of.waiting.length + of.queue.length - of.queueStart;

/** Sends the queue from its head, until one is too early. True when it is empty. */
function drainQueue(of: Outputs, ctx: StepContext): boolean {
  const nowUs = ctx.now * US_PER_MS;
  for (; of.queueStart < of.queue.length; of.queueStart++) {
    const entry = of.queue[of.queueStart];
    if (entry === undefined) continue;
    if (entry.output.readyUs > nowUs) {
      scheduleFlush(of, entry.output.readyUs);
      return false;
    }
    transmit(entry.output, entry.value, ctx);
  }
  emptyQueue(of);
  return true;
}

function emptyQueue(of: Outputs): void {
  if (of.queue.length > 0) of.queue = [];
  of.queueStart = 0;
}

function keep(output: Output, value: number): void {
  const of = output.all;
  if (of.policy === "drop") {
    of.counts.dropped++;
    return;
  }
  if (of.policy === "latest") return hold(output, value);
  if (output.isHeld) { // Why: it was held when the bus went; what comes now is after it.
    of.waiting.splice(of.waiting.indexOf(output), 1);
    output.isHeld = false;
    of.queue.push({ output, value: output.held });
  }
  of.queue.push({ output, value });
  while (of.queue.length - of.queueStart > of.policy.queue) {
    of.queueStart++;
    of.counts.dropped++;
  }
  if (of.queueStart > 1_024 && of.queueStart * 2 > of.queue.length) {
    of.queue = of.queue.slice(of.queueStart);
    of.queueStart = 0;
  }
}

function hold(output: Output, value: number): void {
  if (output.isHeld) output.all.counts.merged++;
  else output.all.waiting.push(output);
  output.isHeld = true;
  output.held = value;
}

function release(output: Output, ctx: StepContext): void {
  output.isHeld = false;
  transmit(output, output.held, ctx);
}

function transmit(output: Output, value: number, ctx: StepContext): void {
  const { to, counts } = output.all;
  if (to === undefined) return;
  const nowUs = ctx.now * US_PER_MS;
  // Why: counted from when it was due, not from when the timer came, or the rate would fall short of the ceiling.
  const since = nowUs - output.readyUs < output.intervalUs ? Math.min(output.readyUs, nowUs) : nowUs;
  output.readyUs = since + output.intervalUs;
  output.last = value;
  output.hasLast = true;
  counts.sent++;
  ctx.count("session", "out", "value");
  ctx.emit({ do: "send", to, frame: encodeFrame(output.head, value) });
}

function scheduleFlush(of: Outputs, atUs: number): void {
  if (of.flushUs === undefined || atUs < of.flushUs) of.flushUs = atUs;
}
