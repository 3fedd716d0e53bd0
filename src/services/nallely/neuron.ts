/**
 * One external neuron: its link to the bus, its registration, and its values in both directions.
 *
 * The relay's engine drives this machine in the Nallely service, and `websocket-client/socket-driver.ts` drives it in other programs.
 *
 * Invariants: N1 the registration is the first frame on every socket, sent in the step in which the socket opens; N2 a socket is never
 * closed between its dial and its registration, not even to stop or because the dial takes too long, since the bus would then know the
 * name without its parameters and refuse it until the session is reset (such an attempt is kept as `abandoned` until it opens,
 * registers, and is closed); N3 no close code ends the attempts, because the bus closes with 1000 when it is reset, except 1007 and 1009,
 * with which a bus refuses the registration that each attempt would repeat; N4 frames are always
 * read at once, because a client that stops reading stalls the neuron that sends to it; N5 no received frame throws; N6 a link on
 * which nothing arrives is replaced, or given up: the bus answers nothing, so after `idleMs` of silence a second socket registers the same
 * name, takes the link over if the silence continues, and the link is lost if that socket does not open within `answerMs`.
 */
import { assertNever } from "../../core/assert.ts";
import type { StepContext } from "../../core/context.ts";
import { earlier } from "../../core/deadlines.ts";
import type { LinkEvent } from "../../core/event.ts";
import { type LinkId, linkId, type Millis } from "../../core/ids.ts";
import type { Frame } from "../../core/json.ts";
import {
  type Backoff,
  closeLink,
  confirmLink,
  createLink,
  dialLink,
  failLink,
  giveUpLink,
  type KeepaliveOptions,
  type Link,
  linkDeadline,
  linkDue,
  linkIdOf,
  type LinkOptions,
  loseLink,
  openLink,
  probeLink,
  releaseSocket,
  replaceSocket,
} from "../../core/link.ts";
import { decodeText, encodeAddition, encodeRegistration, type NamedValue } from "./bus-json.ts";
import { clamp, type NeuronSpec, type ParameterSpec, registeredParameters } from "./declaration.ts";
import {
  createOutputs,
  flushDue,
  holdOutputs,
  nextFlush,
  offerValue,
  type Outputs,
  redirectOutputs,
  releaseOutputs,
  resumeOutputs,
  suspendOutputs,
} from "./outputs.ts";
import { type RuleViolation, violation } from "./rule-violation.ts";
import { frameError, frameHead, FrameTable, frameValue } from "./value-frame.ts";

/** An input parameter, and the value that arrived last. */
export interface NeuronInput {
  readonly spec: ParameterSpec;
  latest: number | undefined;
}

export interface InputCounts {
  received: number;
  /** Frames and texts that contain no value. */
  malformed: number;
  /** Values for a parameter that is not declared as an input. */
  unknown: number;
  /** NaN or an infinity, where they are refused. */
  nonFinite: number;
}

export interface NeuronMachine {
  readonly spec: NeuronSpec;
  readonly linkOptions: LinkOptions;
  /** Undefined: a silent link is not noticed. */
  readonly keepalive: KeepaliveOptions | undefined;
  readonly registration: string;
  readonly link: Link;
  readonly outputs: Outputs;
  readonly inputs: ReadonlyMap<string, NeuronInput>;
  readonly inputFrames: FrameTable<NeuronInput>;
  readonly counts: InputCounts;
  /** How often the link opened. */
  openings: number;
  /** Values that were refused because they broke a rule. */
  refused: number;
  /** An attempt that was given up. The socket must register before it may be closed. */
  abandoned: LinkId | undefined;
  replacement: Replacement;
  addition: ParameterAddition;
}

/** The socket that takes over a silent link. */
type Replacement =
  | { readonly is: "none" }
  | { readonly is: "dialing"; readonly id: LinkId }
  /** It has registered. Both sockets get every value until the new one takes over, so that no value is lost if the old one is alive. */
  | { readonly is: "registered"; readonly id: LinkId; readonly until: Millis };

/** The second socket, by which parameters are added to a registered neuron. */
export type ParameterAddition =
  | { readonly is: "none" }
  | { readonly is: "dialing"; readonly id: LinkId; readonly text: string; readonly until: Millis }
  | { readonly is: "sent"; readonly id: LinkId; readonly until: Millis };

/** A change of the neuron's link. */
export type NeuronUpdate =
  | { readonly is: "dialing"; readonly attempt: number }
  /** The registration was sent. `again`: the link had been open before. */
  | { readonly is: "open"; readonly again: boolean }
  | { readonly is: "waiting"; readonly retryMs: Millis | undefined; readonly code: number; readonly reason: string }
  | { readonly is: "closed" };

export interface NallelyLinkOptions {
  /** The address of the bus or of Trevor, without path and query: `ws://127.0.0.1:6789`. */
  readonly url: string;
  readonly backoff: Backoff;
  readonly dialTimeoutMs: Millis;
  /** Detection of a link that died without a close. Default: after 30 s without a frame, within 10 s. */
  readonly keepalive?: KeepaliveOptions | "off" | undefined;
}

export const NALLELY_KEEPALIVE: KeepaliveOptions = { idleMs: 30_000, answerMs: 10_000 };

/** The keepalive of a link; undefined when it is switched off. */
export const keepaliveOf = ({ keepalive = NALLELY_KEEPALIVE }: NallelyLinkOptions): KeepaliveOptions | undefined =>
  keepalive === "off" ? undefined : keepalive;

/** The close code that is reported for an attempt that took too long. */
const CODE_TIMEOUT = 4408;
const SILENCE = "the link was silent, and no second socket could be opened";
/** The socket that adds parameters is closed this long after it sent them. */
const ADDITION_MS = 1_000;
/** A replacement takes over this long after it has registered. */
const TAKEOVER_MS = 250;

/** A neuron that has not dialed yet. */
export function createNeuron(spec: NeuronSpec, options: NallelyLinkOptions): NeuronMachine {
  const { url, backoff, dialTimeoutMs } = options;
  const inputs = new Map<string, NeuronInput>();
  const inputFrames = new FrameTable<NeuronInput>();
  for (const parameter of spec.parameters) {
    if (parameter.direction === "out") continue;
    const input: NeuronInput = { spec: parameter, latest: undefined };
    inputs.set(parameter.name, input);
    inputFrames.add(frameHead(parameter.name), input);
  }
  return {
    spec,
    linkOptions: { url: `${url.replace(/\/+$/, "")}/${spec.name}/autoconfig`, backoff, dialTimeoutMs },
    keepalive: keepaliveOf(options),
    registration: encodeRegistration(registeredParameters(spec)),
    link: createLink("nallely", "neuron"),
    outputs: createOutputs(spec),
    inputs,
    inputFrames,
    counts: { received: 0, malformed: 0, unknown: 0, nonFinite: 0 },
    openings: 0,
    refused: 0,
    abandoned: undefined,
    replacement: { is: "none" },
    addition: { is: "none" },
  };
}

/** Dials and keeps the link open from then on. Also cuts a wait short. */
export function startNeuron(neuron: NeuronMachine, ctx: StepContext): NeuronUpdate | undefined {
  const { link } = neuron;
  if (link.state.is === "dialing" || link.state.is === "open") return undefined;
  dialLink(link, neuron.linkOptions, ctx);
  return { is: "dialing", attempt: link.attempt };
}

/** Closes the link. Parameters and wiring stay in the session, and values that are kept for later stay kept. */
export function stopNeuron(neuron: NeuronMachine, ctx: StepContext): NeuronUpdate | undefined {
  const { link, addition } = neuron;
  if (link.state.is === "idle") return undefined;
  if (link.state.is === "dialing") abandon(neuron, releaseSocket(link), ctx);
  closeLink(link, ctx);
  dropReplacement(neuron, ctx);
  if (addition.is !== "none") ctx.emit({ do: "closeLink", link: addition.id });
  neuron.addition = { is: "none" };
  suspendOutputs(neuron.outputs);
  return { is: "closed" };
}

/** True when the neuron is closed and no attempt has still to register. */
export const isNeuronStopped = ({ link, abandoned }: NeuronMachine): boolean =>
  link.state.is === "idle" && abandoned === undefined;

/** Sends a value, or returns the rule that it breaks. */
export function sendValue(
  neuron: NeuronMachine,
  { name, value }: NamedValue,
  ctx: StepContext,
): RuleViolation | undefined {
  const output = neuron.outputs.byName.get(name);
  const { nonFinite, outOfRange } = neuron.spec;
  if (output === undefined) return refuse(neuron, "parameter-unknown", `${neuron.spec.name} declares no parameter ${name}`);
  if (output.spec.direction === "in") return refuse(neuron, "direction", `${name} is declared as an input`);
  if (typeof value !== "number") return refuse(neuron, "value", `value of ${name}: expected a number`);
  if (!Number.isFinite(value) && nonFinite === "refuse") {
    return refuse(neuron, "value", `value of ${name} is ${value}: the session's state would no longer be valid JSON`);
  }
  const { range } = output.spec;
  if (range === undefined || outOfRange === "pass") offerValue(output, value, ctx);
  else {
    const clamped = clamp(value, range);
    if (clamped !== value && outOfRange === "refuse") {
      return refuse(neuron, "value-range", `value of ${name} is ${value}: outside of ${JSON.stringify(range)}`);
    }
    offerValue(output, clamped, ctx);
  }
  return undefined;
}

function refuse(neuron: NeuronMachine, rule: RuleViolation["rule"], reason: string): RuleViolation {
  neuron.refused++;
  return violation(rule, reason);
}

/** Reads a frame of the bus. Returns the input with its new value, or undefined when the frame was dropped and counted. */
export function receiveValue(neuron: NeuronMachine, frame: Frame): NeuronInput | undefined {
  return typeof frame === "string" ? receiveText(neuron, frame) : receiveBytes(neuron, frame);
}

function receiveBytes(neuron: NeuronMachine, frame: Uint8Array): NeuronInput | undefined {
  if (frameError(frame) !== undefined) {
    neuron.counts.malformed++;
    return undefined;
  }
  return accept(neuron, neuron.inputFrames.find(frame), frameValue(frame));
}

function receiveText(neuron: NeuronMachine, text: string): NeuronInput | undefined {
  const decoded = decodeText(text);
  if (decoded !== undefined) return accept(neuron, neuron.inputs.get(decoded.name), decoded.value);
  neuron.counts.malformed++;
  return undefined;
}

function accept(neuron: NeuronMachine, input: NeuronInput | undefined, value: number): NeuronInput | undefined {
  if (input === undefined) neuron.counts.unknown++;
  else if (!Number.isFinite(value) && neuron.spec.nonFinite === "refuse") neuron.counts.nonFinite++;
  else {
    neuron.counts.received++;
    input.latest = value;
    return input;
  }
  return undefined;
}

/** An event of one of the neuron's sockets. Frames go to `handleNeuronFrame` instead. */
export function handleNeuronLink(neuron: NeuronMachine, event: LinkEvent, ctx: StepContext): NeuronUpdate | undefined {
  const { addition } = neuron;
  if (event.link === neuron.abandoned) return handleAbandoned(neuron, event, ctx);
  if (addition.is !== "none" && event.link === addition.id) return handleAddition(neuron, event, ctx);
  if (neuron.replacement.is !== "none" && event.link === neuron.replacement.id) {
    return handleReplacement(neuron, event, ctx);
  }
  if (event.link !== linkIdOf(neuron.link)) return undefined;
  switch (event.is) {
    case "dialed":
      return open(neuron, event.link, ctx);
    case "dropped":
      return lose(neuron, event, ctx);
    case "linkBackpressure":
      holdOutputs(neuron.outputs);
      return undefined;
    case "linkRelieved":
      releaseOutputs(neuron.outputs, ctx);
      return undefined;
    case "received":
      return undefined;
    default:
      return assertNever(event);
  }
}

/** A frame on one of the neuron's sockets. Returns the input with its new value, or undefined if the frame contains none. */
export function handleNeuronFrame(
  neuron: NeuronMachine,
  { link, frame }: LinkEvent & { readonly is: "received" },
  ctx: StepContext,
): NeuronInput | undefined {
  const { link: { state }, replacement } = neuron;
  if (state.is === "open" && state.id === link) {
    confirmLink(neuron.link, ctx.now);
    dropReplacement(neuron, ctx);
    return receiveValue(neuron, frame);
  }
  if (replacement.is !== "registered" || replacement.id !== link) return undefined;
  takeOver(neuron, link, ctx); // Why: the silent socket would have received the value, too.
  return receiveValue(neuron, frame);
}

/** Handles expired deadlines. */
export function tickNeuron(neuron: NeuronMachine, ctx: StepContext): NeuronUpdate | undefined {
  const { link, linkOptions, addition, replacement } = neuron;
  flushDue(neuron.outputs, ctx);
  if (addition.is !== "none" && addition.until <= ctx.now) {
    ctx.emit({ do: "closeLink", link: addition.id });
    neuron.addition = { is: "none" };
  }
  if (replacement.is === "registered" && replacement.until <= ctx.now) takeOver(neuron, replacement.id, ctx);
  const due = linkDue(link, ctx.now, neuron.keepalive);
  switch (due) {
    case "nothing":
      return undefined;
    case "redial":
      return startNeuron(neuron, ctx);
    case "dialTimeout":
      abandon(neuron, releaseSocket(link), ctx);
      return lose(neuron, { code: CODE_TIMEOUT, reason: `no connection within ${linkOptions.dialTimeoutMs} ms` }, ctx);
    case "probe":
      dialReplacement(neuron, ctx);
      return undefined;
    case "silence":
      dropReplacement(neuron, ctx);
      suspendOutputs(neuron.outputs);
      return { is: "waiting", retryMs: failLink(link, linkOptions, ctx), code: CODE_TIMEOUT, reason: SILENCE };
    default:
      return assertNever(due);
  }
}

/** The time of the next deadline. */
export function nextNeuronWakeup(neuron: NeuronMachine): Millis | undefined {
  const { outputs, link, keepalive, addition, replacement } = neuron;
  let first = earlier(nextFlush(outputs), linkDeadline(link, keepalive));
  if (addition.is !== "none") first = earlier(first, addition.until);
  if (replacement.is === "registered") first = earlier(first, replacement.until);
  return first;
}

/**
 * Adds parameters that the session does not know, over the second socket that the bus expects for it. Only for a neuron that the session
 * lists: on a poisoned name the bus fails.
 */
export function addParameters(
  neuron: NeuronMachine,
  missing: readonly string[],
  ctx: StepContext,
): RuleViolation | undefined {
  if (neuron.addition.is !== "none") return violation("busy", "parameters are being added already");
  const added = registeredParameters(neuron.spec).filter(({ name }) => missing.includes(name));
  const { url, dialTimeoutMs } = neuron.linkOptions;
  const id = linkId(`nallely:addition:${ctx.id()}`);
  neuron.addition = { is: "dialing", id, text: encodeAddition(added), until: ctx.now + dialTimeoutMs };
  ctx.emit({ do: "dial", link: id, url });
  return undefined;
}

function open(neuron: NeuronMachine, id: LinkId, ctx: StepContext): NeuronUpdate {
  openLink(neuron.link, ctx.now);
  ctx.emit({ do: "send", to: id, frame: neuron.registration });
  resumeOutputs(neuron.outputs, id, ctx);
  return { is: "open", again: neuron.openings++ > 0 };
}

function lose(
  neuron: NeuronMachine,
  { code, reason, isFinal }: { readonly code: number; readonly reason: string; readonly isFinal?: boolean },
  ctx: StepContext,
): NeuronUpdate {
  dropReplacement(neuron, ctx);
  suspendOutputs(neuron.outputs);
  const isRefused = neuron.link.state.is === "open" && isFrameRefusal(code);
  const why = isRefused ? refusalText(neuron, { code, reason }) : reason;
  const isOver = isFinal === true || isRefused;
  const retryMs = isOver ? giveUpLink(neuron.link, why) : loseLink(neuron.link, neuron.linkOptions, ctx);
  return { is: "waiting", retryMs, code, reason: why };
}

/** True for the close codes that mean: a frame of this side is invalid (1007) or too large (1009). */
export const isFrameRefusal = (code: number): boolean => code === 1007 || code === 1009;

/** Why the registration: it is the only text, and the only frame of more than some hundred bytes. */
function refusalText(
  { spec, registration }: NeuronMachine,
  { code, reason }: { readonly code: number; readonly reason: string },
): string {
  const closed = `the bus closed the link (${code}${reason === "" ? "" : `: ${reason}`})`;
  const what =
    `the registration of ${spec.name} with ${spec.parameters.length} parameters and ${registration.length} characters`;
  return `${closed} because of ${what}; it is not sent again`;
}

/** Keeps a superseded attempt, so that it can still register when it opens. At most one such attempt is kept. */
function abandon(neuron: NeuronMachine, attempt: LinkId | undefined, ctx: StepContext): void {
  if (neuron.abandoned !== undefined) ctx.emit({ do: "closeLink", link: neuron.abandoned });
  neuron.abandoned = attempt;
}

/** The link is silent: dials a second socket. */
function dialReplacement(neuron: NeuronMachine, ctx: StepContext): void {
  const id = linkId(`nallely:replacement:${ctx.id()}`);
  probeLink(neuron.link, ctx.now);
  neuron.replacement = { is: "dialing", id };
  ctx.emit({ do: "dial", link: id, url: neuron.linkOptions.url });
}

function handleReplacement(neuron: NeuronMachine, event: LinkEvent, ctx: StepContext): undefined {
  switch (event.is) {
    case "dialed":
      ctx.emit({ do: "send", to: event.link, frame: neuron.registration });
      neuron.replacement = { is: "registered", id: event.link, until: ctx.now + TAKEOVER_MS };
      return;
    case "dropped":
      neuron.replacement = { is: "none" }; // Why nothing else: the link is lost unless something arrives within `answerMs`.
      return;
    case "received":
    case "linkBackpressure":
    case "linkRelieved":
      return;
    default:
      return assertNever(event);
  }
}

/** The replacement becomes the link's socket. Values that may have been sent into a dead connection are sent again. */
function takeOver(neuron: NeuronMachine, id: LinkId, ctx: StepContext): void {
  const { state } = neuron.link;
  const provenAt = state.is === "open" ? state.receivedAt : ctx.now;
  const old = replaceSocket(neuron.link, id, ctx.now);
  neuron.replacement = { is: "none" };
  if (old !== undefined) ctx.emit({ do: "closeLink", link: old });
  redirectOutputs(neuron.outputs, id, provenAt, ctx);
}

/** The link is alive, or lost: the replacement is closed, after its registration. */
function dropReplacement(neuron: NeuronMachine, ctx: StepContext): void {
  const { replacement } = neuron;
  neuron.replacement = { is: "none" };
  switch (replacement.is) {
    case "none":
      return;
    case "dialing":
      return abandon(neuron, replacement.id, ctx);
    case "registered":
      return ctx.emit({ do: "closeLink", link: replacement.id });
    default:
      return assertNever(replacement);
  }
}

function handleAbandoned(neuron: NeuronMachine, event: LinkEvent, ctx: StepContext): undefined {
  switch (event.is) {
    case "dialed":
      ctx.emit({ do: "send", to: event.link, frame: neuron.registration });
      ctx.emit({ do: "closeLink", link: event.link });
      neuron.abandoned = undefined;
      return;
    case "dropped":
      neuron.abandoned = undefined;
      return;
    case "received":
    case "linkBackpressure":
    case "linkRelieved":
      return;
    default:
      return assertNever(event);
  }
}

function handleAddition(neuron: NeuronMachine, event: LinkEvent, ctx: StepContext): undefined {
  const { addition } = neuron;
  switch (event.is) {
    case "dialed":
      if (addition.is !== "dialing") return;
      ctx.emit({ do: "send", to: event.link, frame: addition.text });
      neuron.addition = { is: "sent", id: event.link, until: ctx.now + ADDITION_MS };
      return;
    case "dropped":
      neuron.addition = { is: "none" };
      return;
    case "received":
    case "linkBackpressure":
    case "linkRelieved":
      return;
    default:
      return assertNever(event);
  }
}
