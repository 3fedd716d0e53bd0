/**
 * The link to Trevor, the control protocol of a session. Commands are sent one at a time, each followed by a fence.
 *
 * Trevor sends a reply to every client, without an id; some commands have no reply, and unsolicited messages come in between. So each
 * command is followed by a request that does nothing and whose answer carries our id. Messages that arrive before that answer belong to the
 * command.
 *
 * Invariants: T1 at most one command is in flight, so a socket that closes with 1011 shows which one failed; T2 every command ends exactly
 * once: answered, refused by Trevor, lost, or timed out; T3 commands that were not sent yet wait for the next socket, and nothing is sent
 * twice; T4 an idle link is probed with a fence, and lost if nothing arrives within `answerMs`; T5 while the state shows no bus, it is
 * requested again every 150 ms, because a reset creates a new bus later without a notification; T6 the session's state is dropped when the
 * socket closes; T7 a state is the reply only if no other state arrived before the fence, because Trevor also sends the states of other
 * clients' commands, which may be older.
 */
import { assertNever } from "../../core/assert.ts";
import type { StepContext } from "../../core/context.ts";
import { earlier } from "../../core/deadlines.ts";
import type { LinkEvent } from "../../core/event.ts";
import type { Millis } from "../../core/ids.ts";
import { type Frame, isObject, type Json, type JsonObject } from "../../core/json.ts";
import { TREVOR_COMMAND_BYTES_MAX, TREVOR_COMMANDS_MAX, TREVOR_TEXT_MAX } from "../../core/limits.ts";
import { utf8Length } from "../../core/text.ts";
import {
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
} from "../../core/link.ts";
import { parseTolerantJson } from "./bus-json.ts";
import { checkCommand, type CommandName, COMMANDS } from "./commands.ts";
import { isFrameRefusal, keepaliveOf, type NallelyLinkOptions } from "./neuron.ts";
import { collectPart, createReplyParts, NO_REPLY, replyOf, type ReplyParts } from "./replies.ts";
import { type RuleViolation, violation } from "./rule-violation.ts";
import { busIdOf, isSessionState, type SessionState } from "./session-state.ts";

/** A command for Trevor. */
export interface TrevorCommand {
  readonly id: string;
  readonly name: CommandName;
  readonly params: JsonObject;
  readonly deadline: Millis;
}

interface InFlight {
  readonly command: TrevorCommand;
  readonly parts: ReplyParts;
  readonly sentAt: Millis;
  /** Number of repeated requests for the state, because some of the received states may belong to other clients. */
  repeats: number;
}

export interface TrevorMachine {
  readonly linkOptions: LinkOptions;
  /** Undefined: no keepalive, so a silent link is not detected. */
  readonly keepalive: KeepaliveOptions | undefined;
  readonly link: Link;
  readonly waiting: TrevorCommand[];
  inFlight: InFlight | undefined;
  /** The last state of this connection; undefined before the first. */
  state: SessionState | undefined;
  /** The id of the bus in that state. */
  busId: number | undefined;
  /** When the state is requested again to find the bus. */
  searchAt: Millis | undefined;
  /** The first part of this socket's fence ids. Secret, because answers to fences go to every client, too. */
  fence: string;
  readonly counts: { answered: number; failed: number; unreadable: number; openings: number; fenceMs: Millis };
}

/** A change of the link, a message of Trevor, or the end of a command. */
export type TrevorUpdate =
  | { readonly is: "dialing"; readonly attempt: number }
  | { readonly is: "open"; readonly again: boolean }
  | { readonly is: "waiting"; readonly retryMs: Millis | undefined; readonly code: number; readonly reason: string }
  | { readonly is: "closed" }
  | { readonly is: "state"; readonly state: SessionState }
  /** The session has another bus; undefined while it has none, or is not connected. */
  | { readonly is: "bus"; readonly busId: number | undefined }
  /** Any other message: notifications, lines of output, values of controllers. */
  | { readonly is: "message"; readonly message: Json }
  | { readonly is: "answered"; readonly id: string; readonly reply: unknown }
  | { readonly is: "failed"; readonly id: string; readonly failure: CommandFailure; readonly reason: string };

/**
 * How a command failed. `refused`: Trevor closed the socket because of it (1007, 1009, 1011). `lost`: the socket closed, and the command may have been
 * carried out. `timeout`: its deadline passed. `closed`: the client was closed.
 */
export type CommandFailure = "refused" | "lost" | "timeout" | "closed";

interface Loss {
  readonly code: number;
  readonly reason: string;
  readonly isFinal?: boolean;
}

const SEARCH_MS = 150;
/** After this many requests that each brought more than one state, the last state is used. */
const REPEATS_MAX = 32;
/** Trevor closes with this code when a command raises an exception. */
const CODE_COMMAND_FAILED = 1011;
/** The close code that is reported when this side gives the socket up. */
const CODE_GIVEN_UP = 1000;

/** A client that has not dialed yet. */
export function createTrevor(options: NallelyLinkOptions): TrevorMachine {
  const { url, backoff, dialTimeoutMs } = options;
  return {
    linkOptions: { url: `${url.replace(/\/+$/, "")}/trevor`, backoff, dialTimeoutMs },
    keepalive: keepaliveOf(options),
    link: createLink("nallely", "trevor"),
    waiting: [],
    inFlight: undefined,
    state: undefined,
    busId: undefined,
    searchAt: undefined,
    fence: "",
    counts: { answered: 0, failed: 0, unreadable: 0, openings: 0, fenceMs: 0 },
  };
}

/** Dials and keeps the link open from then on. Also cuts a wait short. */
export function startTrevor({ link, linkOptions }: TrevorMachine, ctx: StepContext): readonly TrevorUpdate[] {
  if (link.state.is === "dialing" || link.state.is === "open") return [];
  dialLink(link, linkOptions, ctx);
  return [{ is: "dialing", attempt: link.attempt }];
}

/** Closes the link. Commands that have not ended fail. */
export function stopTrevor(trevor: TrevorMachine, ctx: StepContext): readonly TrevorUpdate[] {
  const unfinished = [...(trevor.inFlight === undefined ? [] : [trevor.inFlight.command]), ...trevor.waiting.splice(0)];
  const updates = unfinished.map((command) => fail(trevor, command, "closed", "the client was closed"));
  trevor.inFlight = undefined;
  updates.push(...forgetSession(trevor));
  if (trevor.link.state.is !== "idle") updates.push({ is: "closed" });
  closeLink(trevor.link, ctx);
  return updates;
}

/** Queues a command. Its end follows as an update. Returns the broken rule if Trevor would only close the socket. */
export function submitCommand(
  trevor: TrevorMachine,
  command: TrevorCommand,
  ctx: StepContext,
): RuleViolation | undefined {
  const broken = checkCommand(command.name, command.params);
  if (broken !== undefined) return broken;
  const bytes = utf8Length(JSON.stringify(command.params));
  if (bytes > TREVOR_COMMAND_BYTES_MAX) {
    return violation(
      "size",
      `${command.name} has ${bytes} bytes; Trevor closes the socket above ${TREVOR_COMMAND_BYTES_MAX}`,
    );
  }
  const { waiting } = trevor;
  if (waiting.length >= TREVOR_COMMANDS_MAX) {
    return violation("busy", `${waiting.length} commands are waiting; at most ${TREVOR_COMMANDS_MAX} may`);
  }
  waiting.push(command);
  sendNext(trevor, ctx);
  return undefined;
}

/** An event of Trevor's link; events of other links are ignored. */
export function handleTrevorLink(trevor: TrevorMachine, event: LinkEvent, ctx: StepContext): readonly TrevorUpdate[] {
  if (event.link !== linkIdOf(trevor.link)) return [];
  switch (event.is) {
    case "dialed":
      openLink(trevor.link, ctx.now);
      trevor.fence = `fence-${ctx.secret()}-`;
      sendNext(trevor, ctx);
      return [{ is: "open", again: trevor.counts.openings++ > 0 }];
    case "received":
      confirmLink(trevor.link, ctx.now);
      return receive(trevor, event.frame, ctx);
    case "dropped":
      return lose(trevor, event, ctx);
    case "linkBackpressure":
    case "linkRelieved":
      return [];
    default:
      return assertNever(event);
  }
}

/** Handles expired deadlines: commands time out, the bus is searched, the next attempt begins. */
export function tickTrevor(trevor: TrevorMachine, ctx: StepContext): readonly TrevorUpdate[] {
  const { link, linkOptions, inFlight, waiting } = trevor;
  const updates: TrevorUpdate[] = [];
  for (const command of waiting.filter(({ deadline }) => deadline <= ctx.now)) {
    waiting.splice(waiting.indexOf(command), 1);
    updates.push(fail(trevor, command, "timeout", "Trevor could not be reached in time"));
  }
  if (inFlight !== undefined && inFlight.command.deadline <= ctx.now) {
    updates.push(fail(trevor, inFlight.command, "timeout", "Trevor did not answer in time"));
    trevor.inFlight = undefined;
    // Why a new socket: late messages on the old one could be mistaken for the next command's reply.
    updates.push(...giveUp(trevor, "a command took too long", ctx));
  }
  if (trevor.searchAt !== undefined && trevor.searchAt <= ctx.now) searchBus(trevor, ctx);
  const due = linkDue(link, ctx.now, trevor.keepalive);
  switch (due) {
    case "nothing":
      return updates;
    case "probe":
      probe(trevor, ctx);
      return updates;
    case "silence":
      return [...updates, ...endInFlight(trevor, CODE_GIVEN_UP), ...giveUp(trevor, "Trevor did not answer a probe", ctx)];
    case "redial":
      return [...updates, ...startTrevor(trevor, ctx)];
    case "dialTimeout":
      return [...updates, ...giveUp(trevor, `no connection within ${linkOptions.dialTimeoutMs} ms`, ctx)];
    default:
      return assertNever(due);
  }
}

/** The time of the next deadline. */
export function nextTrevorWakeup({ link, keepalive, searchAt, inFlight, waiting }: TrevorMachine): Millis | undefined {
  let first = earlier(linkDeadline(link, keepalive), searchAt);
  first = earlier(first, inFlight?.command.deadline);
  for (const { deadline } of waiting) first = earlier(first, deadline);
  return first;
}

function receive(trevor: TrevorMachine, frame: Frame, ctx: StepContext): readonly TrevorUpdate[] {
  const message = typeof frame === "string" && frame.length <= TREVOR_TEXT_MAX ? parseTolerantJson(frame) : undefined;
  if (message === undefined) {
    trevor.counts.unreadable++;
    return [];
  }
  if (isObject(message) && message.command === "completion") return receiveCompletion(trevor, message, ctx);
  if (trevor.inFlight !== undefined) collect(trevor.inFlight, message, frame.length);
  if (!isSessionState(message)) return [{ is: "message", message }];
  trevor.state = message;
  return [...followBus(trevor, message, ctx), { is: "state", state: message }];
}

/** Parts of a reply other than its state arrive before the first fence. */
function collect({ parts, repeats }: InFlight, message: Json, length: number): void {
  if (isSessionState(message)) return collectPart(parts, message);
  parts.length += length;
  if (repeats === 0 && parts.length <= TREVOR_TEXT_MAX) collectPart(parts, message);
}

/** The answer to a fence ends the command before it. */
function receiveCompletion(trevor: TrevorMachine, message: JsonObject, ctx: StepContext): readonly TrevorUpdate[] {
  const { inFlight } = trevor;
  if (inFlight === undefined || message.requestId !== fenceId(trevor, inFlight)) return []; // Why: it answers another client.
  const { command, parts, sentAt } = inFlight;
  const { name, id } = command;
  if (parts.states > 1 && inFlight.repeats < REPEATS_MAX) {
    repeatState(trevor, inFlight, ctx);
    return [];
  }
  trevor.inFlight = undefined;
  trevor.counts.fenceMs = ctx.now - sentAt;
  const options = Array.isArray(message.options) ? message.options : [];
  const reply = replyOf(COMMANDS[name].reply, parts, options);
  // Why: the state that a reset sends shows no bus. When the fence is answered, there is a new one.
  if (name === "reset_all" && trevor.busId === undefined) trevor.searchAt = ctx.now;
  if (trevor.searchAt !== undefined && trevor.searchAt <= ctx.now) searchBus(trevor, ctx);
  else sendNext(trevor, ctx);
  if (reply === NO_REPLY) return [fail(trevor, command, "lost", `Trevor sent no state in reply to ${name}`)];
  trevor.counts.answered++;
  return [{ is: "answered", id, reply }];
}

function followBus(trevor: TrevorMachine, state: SessionState, ctx: StepContext): readonly TrevorUpdate[] {
  const busId = busIdOf(state);
  trevor.searchAt = busId === undefined ? ctx.now + SEARCH_MS : undefined;
  if (busId === trevor.busId) return [];
  trevor.busId = busId;
  return [{ is: "bus", busId }];
}

/** Requests the state, unless it has been requested already. */
function searchBus(trevor: TrevorMachine, ctx: StepContext): void {
  const { inFlight, waiting, link, linkOptions } = trevor;
  trevor.searchAt = ctx.now + SEARCH_MS;
  const isRequested = inFlight !== undefined || waiting.some(({ name }) => name === "full_state");
  if (!isRequested && link.state.is === "open") {
    waiting.push({ id: ctx.id(), name: "full_state", params: {}, deadline: ctx.now + linkOptions.dialTimeoutMs });
  }
  sendNext(trevor, ctx);
}

function sendNext(trevor: TrevorMachine, ctx: StepContext): void {
  const { state } = trevor.link;
  if (trevor.inFlight !== undefined || state.is !== "open") return;
  const command = trevor.waiting.shift();
  if (command === undefined) return;
  const { name, params } = command;
  const inFlight: InFlight = { command, parts: createReplyParts(), sentAt: ctx.now, repeats: 0 };
  trevor.inFlight = inFlight;
  ctx.count("trevor", "out", name);
  if (name !== "completion_request") send(trevor, { command: name, ...params }, ctx);
  sendFence(trevor, inFlight, ctx);
}

/** Requests the state once more. Its other parts are complete. */
function repeatState(trevor: TrevorMachine, inFlight: InFlight, ctx: StepContext): void {
  inFlight.repeats++;
  inFlight.parts.states = 0;
  send(trevor, { command: "full_state" }, ctx);
  sendFence(trevor, inFlight, ctx);
}

/** A request whose answer carries our id. Why "x": Trevor evaluates an expression only if it contains a dot. */
function sendFence(trevor: TrevorMachine, inFlight: InFlight, ctx: StepContext): void {
  const { name, params } = inFlight.command;
  const isItsOwn = name === "completion_request" && inFlight.repeats === 0;
  const expression = isItsOwn ? params : { expression: "x" };
  send(trevor, { command: "completion_request", requestId: fenceId(trevor, inFlight), ...expression }, ctx);
}

const fenceId = ({ fence }: TrevorMachine, { command, repeats }: InFlight): string =>
  `${fence}${command.id}${repeats === 0 ? "" : `-${repeats}`}`;

function send({ link }: TrevorMachine, message: JsonObject, ctx: StepContext): void {
  const to = linkIdOf(link);
  if (to !== undefined) ctx.emit({ do: "send", to, frame: JSON.stringify(message) });
}

/** Requests something that Trevor answers. While a command is in flight, its deadline replaces the probe. */
function probe(trevor: TrevorMachine, ctx: StepContext): void {
  const { link, inFlight, fence } = trevor;
  if (inFlight !== undefined) return confirmLink(link, ctx.now);
  probeLink(link, ctx.now);
  send(trevor, { command: "completion_request", requestId: `${fence}probe`, expression: "x" }, ctx);
}

/** The socket closed, or could not be opened. */
function lose(trevor: TrevorMachine, { code, reason, isFinal }: Loss, ctx: StepContext): readonly TrevorUpdate[] {
  const ended = endInFlight(trevor, code);
  const forgotten = forgetSession(trevor);
  const retryMs = isFinal ? giveUpLink(trevor.link, reason) : loseLink(trevor.link, trevor.linkOptions, ctx);
  return [...ended, ...forgotten, { is: "waiting", retryMs, code, reason }];
}

/** Why: the session behind the next connection may be another one. */
function forgetSession(trevor: TrevorMachine): TrevorUpdate[] {
  const hadBus = trevor.busId !== undefined;
  trevor.searchAt = undefined;
  trevor.state = undefined;
  trevor.busId = undefined;
  return hadBus ? [{ is: "bus", busId: undefined }] : [];
}

function endInFlight(trevor: TrevorMachine, code: number): TrevorUpdate[] {
  if (trevor.inFlight === undefined) return [];
  const { command } = trevor.inFlight;
  trevor.inFlight = undefined;
  if (isFrameRefusal(code)) {
    return [
      fail(
        trevor,
        command,
        "refused",
        `Trevor closed the socket (${code}) because of the size or content of ${command.name}`,
      ),
    ];
  }
  if (code !== CODE_COMMAND_FAILED) {
    return [fail(trevor, command, "lost", `the socket closed with ${code} before ${command.name} was answered`)];
  }
  return [fail(trevor, command, "refused", `Trevor failed at ${command.name}: unknown device, path, class or file?`)];
}

/** This side closes the socket and dials again after the backoff. */
function giveUp(trevor: TrevorMachine, reason: string, ctx: StepContext): TrevorUpdate[] {
  const forgotten = forgetSession(trevor);
  const retryMs = failLink(trevor.link, trevor.linkOptions, ctx);
  return [...forgotten, { is: "waiting", retryMs, code: CODE_GIVEN_UP, reason }];
}

function fail(
  { counts }: TrevorMachine,
  { id }: TrevorCommand,
  failure: CommandFailure,
  reason: string,
): TrevorUpdate {
  counts.failed++;
  return { is: "failed", id, failure, reason };
}
