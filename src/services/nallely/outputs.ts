/**
 * The values that a neuron sends: the latest one of each parameter, at a limited rate, kept or dropped while the bus is offline.
 *
 * A native neuron takes 256 values a second and queues the rest, so sending faster makes it lag. Values that come faster than the rate
 * are merged into the latest one, which is sent as soon as the rate allows.
 *
 * Invariants: O1 a parameter's values are sent in the order in which they were offered, and the last value offered is the last one
 * sent; O2 over any second a parameter exceeds its rate by at most one value, and a late timer does not lower the rate; O3 with
 * `queue`, values kept while offline are sent before any later value; O4 offering a value costs one comparison when nothing is pending.
 * Time is in microseconds here, so that every rate has a whole interval.
 * Knows nothing of: sockets, registration.
 */
import type { StepContext } from "../../core/context.ts";
import type { LinkId, Millis } from "../../core/ids.ts";
import type { NeuronSpec, OfflinePolicy, ParameterSpec } from "./declaration.ts";
import { encodeFrame, frameHead } from "./value-frame.ts";

export interface Output {
  /** All outputs of its neuron. */
  readonly outputs: Outputs;
  readonly spec: ParameterSpec;
  readonly head: Uint8Array;
  readonly intervalUs: number;
  /** When the next value may be sent. */
  readyUs: number;
  /** The latest value that waits for its time or for the bus. */
  pending: number | undefined;
  /** The value that was sent last, and when. */
  lastSent: number | undefined;
  lastSentAt: Millis;
}

export interface OutputCounts {
  sent: number;
  /** Number of values that a later value replaced before they could be sent. */
  merged: number;
  /** Dropped while the bus was offline. */
  dropped: number;
  /** Last values sent again after a reconnect. */
  resent: number;
}

export interface Outputs {
  readonly byName: ReadonlyMap<string, Output>;
  readonly policy: OfflinePolicy;
  readonly counts: OutputCounts;
  /** The link to the bus; undefined while the bus is offline. */
  to: LinkId | undefined;
  /** The socket's buffer is full: values are merged until it has been read. */
  isCongested: boolean;
  /** Outputs with a pending value, in the order in which they got it. */
  pending: Output[];
  /** Values kept while offline under `queue`; those before `queueStart` were sent or dropped. */
  queue: { readonly output: Output; readonly value: number }[];
  queueStart: number;
  /** When the first pending value may be sent. */
  flushUs: number | undefined;
}

const US_PER_MS = 1_000;
/** The sent part of the queue is released once it is longer than this and longer than the rest. */
const QUEUE_COMPACT_MIN = 1_024;

/** The outputs of a neuron whose bus is offline. */
export function createOutputs(spec: NeuronSpec): Outputs {
  const byName = new Map<string, Output>();
  const outputs: Outputs = {
    byName,
    policy: spec.whileOffline,
    counts: { sent: 0, merged: 0, dropped: 0, resent: 0 },
    to: undefined,
    isCongested: false,
    pending: [],
    queue: [],
    queueStart: 0,
    flushUs: undefined,
  };
  for (const parameter of spec.parameters) byName.set(parameter.name, createOutput(outputs, parameter));
  return outputs;
}

const createOutput = (outputs: Outputs, spec: ParameterSpec): Output => ({
  outputs,
  spec,
  head: frameHead(spec.name),
  intervalUs: spec.rate === 0 ? 0 : Math.floor(1_000_000 / spec.rate),
  readyUs: 0,
  pending: undefined,
  lastSent: undefined,
  lastSentAt: 0,
});

/** Sends a value now, or as soon as the rate and the bus allow. */
export function offerValue(output: Output, value: number, ctx: StepContext): void {
  const { outputs } = output;
  if (outputs.to === undefined) return storeWhileOffline(output, value);
  const isFree = output.pending === undefined && outputs.queueStart === outputs.queue.length && !outputs.isCongested;
  if (isFree && output.readyUs <= ctx.now * US_PER_MS) return transmit(output, value, ctx);
  setPending(output, value);
  scheduleFlush(outputs, output.readyUs);
}

/** The link is open and the registration is sent: sends the kept values, and the last values again. */
export const resumeOutputs = (outputs: Outputs, to: LinkId, ctx: StepContext): void =>
  redirectOutputs(outputs, to, -Infinity, ctx);

/** Values go to another socket from now on. Last values that were sent after `since` are sent again, because they may be lost. */
export function redirectOutputs(outputs: Outputs, to: LinkId, since: Millis, ctx: StepContext): void {
  outputs.to = to;
  outputs.isCongested = false;
  const queued = new Set<Output>();
  for (let at = outputs.queueStart; at < outputs.queue.length; at++) {
    const entry = outputs.queue[at];
    if (entry !== undefined) queued.add(entry.output);
  }
  for (const output of outputs.byName.values()) {
    const { lastSent, lastSentAt, pending, spec } = output;
    if (lastSent === undefined || lastSentAt < since) continue;
    if (!spec.resend || pending !== undefined || queued.has(output)) continue;
    transmit(output, lastSent, ctx);
    outputs.counts.sent--;
    outputs.counts.resent++;
  }
  scheduleFlush(outputs, 0);
  flushDue(outputs, ctx);
}

/** The bus is offline: pending values are kept or dropped as the policy says. */
export function suspendOutputs(outputs: Outputs): void {
  outputs.to = undefined;
  outputs.flushUs = undefined;
  if (outputs.policy !== "drop") return;
  outputs.counts.dropped += outputs.pending.length;
  for (const output of outputs.pending) output.pending = undefined;
  outputs.pending = [];
}

/** Sends the pending values whose time has come. */
export function flushDue(outputs: Outputs, ctx: StepContext): void {
  if (outputs.to === undefined || outputs.flushUs === undefined || outputs.isCongested) return;
  const nowUs = ctx.now * US_PER_MS;
  if (outputs.flushUs > nowUs) return;
  outputs.flushUs = undefined;
  if (!sendQueueDue(outputs, ctx)) return;
  const later: Output[] = [];
  for (const output of outputs.pending) {
    if (output.readyUs <= nowUs) sendPending(output, ctx);
    else {
      later.push(output);
      scheduleFlush(outputs, output.readyUs);
    }
  }
  outputs.pending = later;
}

/** Sends everything that is pending, regardless of the rate. */
export function flushAll(outputs: Outputs, ctx: StepContext): void {
  if (outputs.to === undefined) return;
  for (; outputs.queueStart < outputs.queue.length; outputs.queueStart++) {
    const entry = outputs.queue[outputs.queueStart];
    if (entry !== undefined) transmit(entry.output, entry.value, ctx);
  }
  clearQueue(outputs);
  for (const output of outputs.pending) sendPending(output, ctx);
  outputs.pending = [];
  outputs.flushUs = undefined;
}

/** The socket's buffer is full: values stay pending and are merged. */
export function holdOutputs(outputs: Outputs): void {
  outputs.isCongested = true;
}

/** The socket's buffer has been read: pending values are sent. */
export function releaseOutputs(outputs: Outputs, ctx: StepContext): void {
  outputs.isCongested = false;
  scheduleFlush(outputs, 0);
  flushDue(outputs, ctx);
}

export const nextFlush = (outputs: Outputs): Millis | undefined =>
  outputs.flushUs === undefined || outputs.to === undefined || outputs.isCongested
    ? undefined
    : Math.ceil(outputs.flushUs / US_PER_MS);

/** Values that wait for their time or for the bus. */
export const waitingCount = (outputs: Outputs): number =>
  outputs.pending.length + outputs.queue.length - outputs.queueStart;

/** Sends queued values until one may not be sent yet. True when the queue is empty. */
function sendQueueDue(outputs: Outputs, ctx: StepContext): boolean {
  const nowUs = ctx.now * US_PER_MS;
  for (; outputs.queueStart < outputs.queue.length; outputs.queueStart++) {
    const entry = outputs.queue[outputs.queueStart];
    if (entry === undefined) continue;
    if (entry.output.readyUs > nowUs) {
      scheduleFlush(outputs, entry.output.readyUs);
      return false;
    }
    transmit(entry.output, entry.value, ctx);
  }
  clearQueue(outputs);
  return true;
}

function clearQueue(outputs: Outputs): void {
  if (outputs.queue.length > 0) outputs.queue = [];
  outputs.queueStart = 0;
}

function storeWhileOffline(output: Output, value: number): void {
  const { outputs } = output;
  const { policy } = outputs;
  if (policy === "drop") {
    outputs.counts.dropped++;
    return;
  }
  if (policy === "latest") return setPending(output, value);
  if (output.pending !== undefined) { // Why: it was pending when the link was lost, so it is older than this value.
    outputs.pending.splice(outputs.pending.indexOf(output), 1);
    outputs.queue.push({ output, value: output.pending });
    output.pending = undefined;
  }
  outputs.queue.push({ output, value });
  while (outputs.queue.length - outputs.queueStart > policy.queue) {
    outputs.queueStart++;
    outputs.counts.dropped++;
  }
  if (outputs.queueStart > QUEUE_COMPACT_MIN && outputs.queueStart * 2 > outputs.queue.length) {
    outputs.queue = outputs.queue.slice(outputs.queueStart);
    outputs.queueStart = 0;
  }
}

function setPending(output: Output, value: number): void {
  if (output.pending !== undefined) output.outputs.counts.merged++;
  else output.outputs.pending.push(output);
  output.pending = value;
}

function sendPending(output: Output, ctx: StepContext): void {
  const { pending } = output;
  output.pending = undefined;
  if (pending !== undefined) transmit(output, pending, ctx);
}

function transmit(output: Output, value: number, ctx: StepContext): void {
  const { to, counts } = output.outputs;
  if (to === undefined) return;
  const nowUs = ctx.now * US_PER_MS;
  // Why: counted from the due time of the value, not from the time at which the timer fired. Otherwise the rate would never be reached.
  const since = nowUs - output.readyUs < output.intervalUs ? Math.min(output.readyUs, nowUs) : nowUs;
  output.readyUs = since + output.intervalUs;
  output.lastSent = value;
  output.lastSentAt = ctx.now;
  counts.sent++;
  ctx.count("session", "out", "value");
  ctx.emit({ do: "send", to, frame: encodeFrame(output.head, value) });
}

function scheduleFlush(outputs: Outputs, atUs: number): void {
  if (outputs.flushUs === undefined || atUs < outputs.flushUs) outputs.flushUs = atUs;
}
