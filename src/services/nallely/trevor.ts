/**
 * The link to Trevor, the control protocol of a session: commands one at a time, each with a fence behind it.
 *
 * A reply is sent to everybody, carries no id, some commands have none, and pushes of other origin come in between. So after each
 * command goes a request that does nothing and whose answer carries our id: what came before that answer belongs to the command.
 *
 * Invariants: T1 at most one command is on the wire, so a socket that closes 1011 says which one failed; T2 every command ends
 * exactly once: answered, refused there, lost, or too late; T3 commands that were not yet sent wait for the next socket, and
 * nothing is sent twice; T4 while the bus is missing from the state it is asked for again, for a reset makes a new one later
 * and tells nobody.
 */
import { earlier } from "../../core/deadlines.ts";
import type { LinkEvent } from "../../core/event.ts";
import { isObject, type Json, type JsonObject } from "../../core/json.ts";
import type { Frame } from "../../core/json.ts";
import type { Millis } from "../../core/ids.ts";
import { TREVOR_COMMANDS_MAX, TREVOR_TEXT_MAX } from "../../core/limits.ts";
import { dial, due, hangup, type Link, link, type LinkPlan, lost, opened } from "../../core/link.ts";
import type { StepContext } from "../../core/context.ts";
import { checkCommand, type CommandName, COMMANDS } from "./commands.ts";
import { gather, type Gathered, gathered, missing, shapeReply } from "./replies.ts";
import { type Refusal, refusal } from "./refusal.ts";
import { busIdOf, isSessionState, type SessionState } from "./state.ts";
import { parseTolerantJson } from "./wire.ts";
import type { NeuronLinkOptions } from "./neuron.ts";

export interface Command {
  readonly id: string;
  readonly name: CommandName;
  readonly params: JsonObject;
  readonly deadline: Millis;
}

interface InFlight {
  readonly command: Command;
  readonly gathered: Gathered;
}

export interface Trevor {
  readonly linkPlan: LinkPlan;
  readonly link: Link;
  readonly waiting: Command[];
  inFlight: InFlight | undefined;
  /** The last state that came; undefined before the first. */
  state: SessionState | undefined;
  busId: number | undefined;
  /** When the bus is looked for again. */
  searchAt: Millis | undefined;
  sentAt: Millis;
  /** Begins the ids of this socket's fences: completions, too, go to everybody. */
  fence: string;
  readonly counts: { answered: number; failed: number; unreadable: number; openings: number; fenceMs: Millis };
}

/** What a command came to. */
export type TrevorNews =
  | { readonly is: "dialing"; readonly attempt: number }
  | { readonly is: "open"; readonly again: boolean }
  | { readonly is: "waiting"; readonly retryMs: Millis; readonly code: number; readonly reason: string }
  | { readonly is: "closed" }
  | { readonly is: "state"; readonly state: SessionState }
  /** The bus is another one now; undefined while there is none. */
  | { readonly is: "bus"; readonly busId: number | undefined }
  /** Any other message: notifications, lines of output, values of controllers. */
  | { readonly is: "message"; readonly message: Json }
  | { readonly is: "answered"; readonly id: string; readonly reply: unknown }
  | { readonly is: "failed"; readonly id: string; readonly why: CommandEnd; readonly reason: string };

/** `refused`: Trevor failed at it. `lost`: the socket went, and it may have been done. `late`: its deadline came. */
export type CommandEnd = "refused" | "lost" | "late" | "closed";

const SEARCH_MS = 150;
/** Trevor closes with it when a command fails. */
const CODE_FAILED = 1011;

/** A client that has not dialled yet. */
export function trevor(options: NeuronLinkOptions): Trevor {
  return {
    linkPlan: {
      url: `${options.url.replace(/\/+$/, "")}/trevor`,
      backoff: options.backoff,
      dialTimeoutMs: options.dialTimeoutMs,
    },
    link: link("nallely", "trevor"),
    waiting: [],
    inFlight: undefined,
    state: undefined,
    busId: undefined,
    searchAt: undefined,
    sentAt: 0,
    fence: "",
    counts: { answered: 0, failed: 0, unreadable: 0, openings: 0, fenceMs: 0 },
  };
}

/** Dials, and from then on keeps the link. Also cuts a wait short. */
export function startTrevor(of: Trevor, ctx: StepContext): readonly TrevorNews[] {
  if (of.link.state !== "idle" && of.link.state !== "waiting") return [];
  dial(of.link, of.linkPlan, ctx);
  return [{ is: "dialing", attempt: of.link.attempt }];
}

/** Lets go of the link; what waits fails. */
export function stopTrevor(of: Trevor, ctx: StepContext): readonly TrevorNews[] {
  const news: TrevorNews[] = [];
  const { inFlight } = of;
  if (inFlight !== undefined) news.push(fail(of, inFlight.command, { why: "closed", reason: "the client was closed" }));
  for (const command of of.waiting.splice(0)) {
    news.push(fail(of, command, { why: "closed", reason: "the client was closed" }));
  }
  of.inFlight = undefined;
  of.searchAt = undefined;
  if (of.link.state !== "idle") news.push({ is: "closed" });
  hangup(of.link, ctx);
  return news;
}

/** A command for Trevor; its end follows as news. Refused when Trevor would only close the socket at it. */
export function ask(of: Trevor, command: Command, ctx: StepContext): Refusal | undefined {
  const refused = checkCommand(command.name, command.params);
  if (refused !== undefined) return refused;
  if (of.waiting.length >= TREVOR_COMMANDS_MAX) return refusal("busy", `${TREVOR_COMMANDS_MAX} commands wait already`);
  of.waiting.push(command);
  sendNext(of, ctx);
  return undefined;
}

/** What its link says; anything of another link is not for it. */
export function trevorStep(of: Trevor, event: LinkEvent, ctx: StepContext): readonly TrevorNews[] {
  if (event.link !== of.link.id) return [];
  switch (event.is) {
    case "dialed":
      opened(of.link, ctx);
      of.fence = `fence-${ctx.secret()}-`;
      sendNext(of, ctx);
      return [{ is: "open", again: of.counts.openings++ > 0 }];
    case "received":
      return read(of, event.frame, ctx);
    case "dropped":
      return lose(of, event, ctx);
    case "linkBackpressure":
    case "linkRelieved":
      return [];
  }
}

/** What is due: commands that were not done in time, a search, the next dial. */
export function tickTrevor(of: Trevor, ctx: StepContext): readonly TrevorNews[] {
  const news: TrevorNews[] = [];
  const late = of.waiting.filter(({ deadline }) => deadline <= ctx.now);
  for (const command of late) {
    of.waiting.splice(of.waiting.indexOf(command), 1);
    news.push(fail(of, command, { why: "late", reason: "Trevor could not be reached in time" }));
  }
  if (of.inFlight !== undefined && of.inFlight.command.deadline <= ctx.now) {
    news.push(fail(of, of.inFlight.command, { why: "late", reason: "Trevor did not get to its end in time" }));
    of.inFlight = undefined;
    // Why: what it still sends could be taken for the next command's.
    hangup(of.link, ctx);
    news.push(waitFor(of, { code: 1000, reason: "a command took too long" }, ctx));
  }
  if (of.searchAt !== undefined && of.searchAt <= ctx.now) search(of, ctx);
  if (of.link.deadline === undefined || of.link.deadline > ctx.now) return news;
  if (due(of.link, of.linkPlan, ctx)) {
    return [...news, waitFor(of, { code: 1000, reason: "the dial took too long" }, ctx)];
  }
  return [...news, { is: "dialing", attempt: of.link.attempt }];
}

/** When something is due. */
export function nextTrevorWakeup(of: Trevor): Millis | undefined {
  let first = earlier(of.link.deadline, of.searchAt);
  first = earlier(first, of.inFlight?.command.deadline);
  for (const { deadline } of of.waiting) first = earlier(first, deadline);
  return first;
}

function read(of: Trevor, frame: Frame, ctx: StepContext): readonly TrevorNews[] {
  const message = typeof frame === "string" && frame.length <= TREVOR_TEXT_MAX ? parseTolerantJson(frame) : undefined;
  if (message === undefined) {
    of.counts.unreadable++;
    return [];
  }
  if (isObject(message) && message.command === "completion") return readCompletion(of, message, ctx);
  if (of.inFlight !== undefined) gather(of.inFlight.gathered, message);
  if (!isSessionState(message)) return [{ is: "message", message }];
  of.state = message;
  return [...followBus(of, message, ctx), { is: "state", state: message }];
}

function readCompletion(of: Trevor, message: JsonObject, ctx: StepContext): readonly TrevorNews[] {
  const { inFlight } = of;
  if (inFlight === undefined || message.requestId !== of.fence + inFlight.command.id) return []; // Why: another client's.
  of.inFlight = undefined;
  of.counts.fenceMs = ctx.now - of.sentAt;
  const { name, id } = inFlight.command;
  const options = Array.isArray(message.options) ? message.options : [];
  const reply = shapeReply(COMMANDS[name].gives, inFlight.gathered, options);
  // Why: the state that a reset sends has no bus in it; by the fence there is a new one.
  if (name === "reset_all" && of.busId === undefined) of.searchAt = ctx.now;
  if (of.searchAt !== undefined && of.searchAt <= ctx.now) search(of, ctx);
  else sendNext(of, ctx);
  if (reply === missing) {
    return [fail(of, inFlight.command, { why: "lost", reason: "Trevor gave no state where it always does" })];
  }
  of.counts.answered++;
  return [{ is: "answered", id, reply }];
}

function followBus(of: Trevor, state: SessionState, ctx: StepContext): readonly TrevorNews[] {
  const busId = busIdOf(state);
  of.searchAt = busId === undefined ? ctx.now + SEARCH_MS : undefined;
  if (busId === of.busId) return [];
  of.busId = busId;
  return [{ is: "bus", busId }];
}

/** Asks for the state, on nobody's behalf. */
function search(of: Trevor, ctx: StepContext): void {
  of.searchAt = ctx.now + SEARCH_MS;
  const isAsked = of.inFlight !== undefined || of.waiting.some(({ name }) => name === "full_state");
  if (!isAsked && of.link.state === "open") {
    of.waiting.push({ id: ctx.id(), name: "full_state", params: {}, deadline: ctx.now + of.linkPlan.dialTimeoutMs });
  }
  sendNext(of, ctx);
}

function sendNext(of: Trevor, ctx: StepContext): void {
  if (of.inFlight !== undefined || of.link.state !== "open" || of.link.id === undefined) return;
  const command = of.waiting.shift();
  if (command === undefined) return;
  of.inFlight = { command, gathered: gathered() };
  of.sentAt = ctx.now;
  const { id, name, params } = command;
  const to = of.link.id;
  ctx.count("trevor", "out", name);
  if (name === "completion_request") { // Why: it is its own fence.
    ctx.emit({ do: "send", to, frame: JSON.stringify({ command: name, requestId: of.fence + id, ...params }) });
    return;
  }
  ctx.emit({ do: "send", to, frame: JSON.stringify({ command: name, ...params }) });
  // Why "x": without a dot in it, nothing is evaluated over there.
  ctx.emit({
    do: "send",
    to,
    frame: JSON.stringify({ command: "completion_request", requestId: of.fence + id, expression: "x" }),
  });
}

function lose(of: Trevor, { code, reason }: { code: number; reason: string }, ctx: StepContext): readonly TrevorNews[] {
  const news: TrevorNews[] = [];
  if (of.inFlight !== undefined) {
    const { command } = of.inFlight;
    of.inFlight = undefined;
    news.push(
      code === CODE_FAILED
        ? fail(of, command, {
          why: "refused",
          reason: `Trevor failed at ${command.name} (an unknown device, path, class or file?)`,
        })
        : fail(of, command, { why: "lost", reason: `the socket closed ${code} before ${command.name} was through` }),
    );
  }
  return [...news, waitFor(of, { code, reason }, ctx)];
}

function waitFor(of: Trevor, { code, reason }: { code: number; reason: string }, ctx: StepContext): TrevorNews {
  of.searchAt = undefined;
  return { is: "waiting", retryMs: lost(of.link, of.linkPlan, ctx), code, reason };
}

function fail(of: Trevor, { id }: Command, end: { readonly why: CommandEnd; readonly reason: string }): TrevorNews {
  of.counts.failed++;
  return { is: "failed", id, ...end };
}
