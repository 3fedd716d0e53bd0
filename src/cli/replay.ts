/**
 * `replay`: plays one side of a recorded conversation to a game or a backend, and compares the other side.
 *
 * It is a relay with a single service, the recording's, so it listens, dials and keeps time as the relay does on every runtime.
 */
import { Command, InvalidArgumentError, Option } from "commander";
import { readFile } from "node:fs/promises";
import process from "node:process";
import { DEFAULTS } from "../core/defaults.ts";
import type { ServiceEvent } from "../core/event.ts";
import { type Frame, printable } from "../core/json.ts";
import type { Settings } from "../core/settings.ts";
import type { StepContext } from "../core/context.ts";
import { errorText, lenientText } from "../core/text.ts";
import {
  type ConversationFilter,
  conversationsIn,
  describeConversation,
  readRecording,
  type RecordedSession,
  RecordingError,
  type Replay,
  replayBackend,
  replayGame,
  type ReplayReport,
  reportLines,
  selectConversation,
} from "../recording/mod.ts";
import { CliError } from "./cli-error.ts";
import { runtime } from "./runtime.ts";

interface ReplayOptions {
  readonly as?: "backend" | "game";
  readonly list?: true;
  readonly listen?: Address;
  readonly to?: string;
  readonly peer?: number;
  readonly game?: string;
  readonly upstream?: string;
  readonly session?: number;
  readonly speed: number;
  readonly patience: number;
  readonly trace?: true;
  readonly strict?: true;
  readonly json?: true;
}

interface Address {
  readonly host: string;
  readonly port: number;
}

/** The exit status of a replay that was interrupted or, with `--strict`, differed. */
const DIFFERED = 1;
/** Maximum number of characters of a message in a trace. */
const TRACE_LENGTH_MAX = 500;
const DEFAULT_LISTEN: Address = { host: "127.0.0.1", port: 8_000 };

export function replayCommand(): Command {
  return new Command("replay")
    .description("play a recorded conversation to a game or a backend, and report the differences")
    .argument("<file>", "a recording made by `serve --record`")
    .addOption(new Option("--as <side>", "the side to play").choices(["backend", "game"]))
    .option("--list", "list the conversations in the recording, and play nothing")
    .option("--listen <host:port>", "the address that the game connects to (default: 127.0.0.1:8000)", addressOf)
    .option("--to <url>", "the URL of the backend to play the game to, such as ws://127.0.0.1:8000", urlOf)
    .option("--game <name>", "play the conversation of this game")
    .option("--upstream <id>", "play the relay's own conversation with this upstream, such as neuro")
    .option("--peer <number>", "play the conversation with this number, as printed by --list", numberOf)
    .option("--session <number>", "the session in the file (default: the last one)", numberOf)
    .option("--speed <factor>", "playback speed as a factor, or max", speedOf, 1)
    .option("--patience <seconds>", "how long to wait for the other side", secondsOf, 10)
    .option("--trace", "print each message that is sent or received")
    .option("--strict", "exit with status 1 if anything differs")
    .option("--json", "print the report, or the list, as JSON")
    .action(replay);
}

async function replay(file: string, options: ReplayOptions): Promise<void> {
  const session = await sessionOf(file, options);
  if (options.list) return list(session, options);
  if (options.as === undefined) throw new CliError(["expected --as backend, --as game or --list"]);
  const { transcript, from } = conversationOf(session, options);
  const script = { transcript, from, speed: options.speed, patience: options.patience * 1_000 };
  if (options.as === "backend") return await play(replayBackend(script), options);
  if (options.to === undefined) throw new CliError(["expected --to and the URL of a backend"]);
  await play(replayGame(script, options.to), options);
}

async function sessionOf(file: string, { session: number }: ReplayOptions): Promise<RecordedSession> {
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    throw new CliError([`${file}: cannot be read: ${errorText(error)}`]);
  });
  const sessions = readSessions(file, text);
  const session = sessions.at(number === undefined ? -1 : number - 1);
  if (session === undefined) {
    throw new CliError([`${file}: has ${sessions.length} sessions; session ${number} does not exist`]);
  }
  if (session.unreadable > 0) note(`${session.unreadable} lines of the recording cannot be read and are skipped`);
  return session;
}

function readSessions(file: string, text: string): readonly RecordedSession[] {
  try {
    return readRecording(text);
  } catch (error) {
    throw error instanceof RecordingError ? new CliError([`${file}: not a recording: ${error.message}`]) : error;
  }
}

function conversationOf(
  session: RecordedSession,
  choice: ConversationFilter,
): Exclude<ReturnType<typeof selectConversation>, string> {
  const conversation = selectConversation(conversationsIn(session), choice);
  if (typeof conversation !== "string") return conversation;
  throw new CliError([conversation, "choose one with --game, --upstream or --peer; --list prints them"]);
}

function list(session: RecordedSession, { json }: ReplayOptions): void {
  const conversations = conversationsIn(session);
  if (json) {
    return console.log(
      JSON.stringify(conversations.map(({ transcript, ...rest }) => ({ ...rest, playable: transcript !== undefined }))),
    );
  }
  const { header, end } = session;
  console.log(`recorded by neuro-relay ${header.relay} from ${header.started_at}${end === undefined ? ", cut off" : ""}`);
  for (const conversation of conversations) console.log(describeConversation(conversation));
}

/** Runs until the recording has been played, or until the process is stopped. */
async function play(playing: Replay, options: ReplayOptions): Promise<void> {
  const { promise: over, resolve } = Promise.withResolvers<void>();
  const service = {
    ...playing.service,
    step: (event: ServiceEvent, ctx: StepContext): boolean => {
      if (options.trace) traceEvent(event);
      const isDone = playing.service.step(event, options.trace ? tracing(ctx) : ctx);
      if (playing.report() !== undefined) resolve();
      return isDone;
    },
  };
  const { serve, untilStopped } = await runtime();
  const served = await serve(settingsFor(options), { services: [service], print: () => {} });
  const stopped = untilStopped(served); // Why before the line below: a script that reads it may stop this process at once.
  if (options.as === "backend") console.error(`play the game at ${served.urls.neuro}`);
  await Promise.race([over, stopped]);
  const report = playing.report();
  await served.drain();
  finish(report, options);
}

function traceEvent(event: ServiceEvent): void {
  if (event.is === "frame" || event.is === "received") show("<", event.frame);
}

/** The same context, except that sent frames are printed. */
const tracing = (ctx: StepContext): StepContext => ({
  now: ctx.now,
  random: () => ctx.random(),
  id: () => ctx.id(),
  secret: () => ctx.secret(),
  post: (service, message) => ctx.post(service, message),
  observe: (observation) => ctx.observe(observation),
  count: (who, way, kind) => ctx.count(who, way, kind),
  emit(effect) {
    if (effect.do === "send") show(">", effect.frame);
    ctx.emit(effect);
  },
});

function show(way: "<" | ">", frame: Frame): void {
  const text = lenientText(frame);
  console.error(`${way} ${printable(text.length > TRACE_LENGTH_MAX ? `${text.slice(0, TRACE_LENGTH_MAX)}...` : text)}`);
}

function finish(report: ReplayReport | undefined, { strict, json }: ReplayOptions): never {
  if (json) console.log(JSON.stringify(report ?? null));
  else if (report === undefined) console.log("stopped");
  else for (const line of reportLines(report)) console.log(line);
  const isGood = report !== undefined && report.broken === undefined && (!strict || report.differing === 0);
  process.exit(isGood ? 0 : DIFFERED); // Why: as in `serve`, a half-closed socket must not keep the process alive.
}

/** One listener or none, an in-memory queue, and no rate limits. */
function settingsFor({ as, listen = DEFAULT_LISTEN }: ReplayOptions): Settings {
  const off = { enabled: false };
  return {
    ...DEFAULTS,
    intermediary: { ...DEFAULTS.intermediary, ...off },
    brain: { ...DEFAULTS.brain, ...off },
    web: { ...DEFAULTS.web, ...off },
    "nakurity-backend": { ...DEFAULTS["nakurity-backend"], ...listen, enabled: as === "backend", open: true },
    queue: { ...DEFAULTS.queue, backend: "memory" },
    limits: { ...DEFAULTS.limits, messages_per_second: 0, bytes_per_second: 0 },
    log: { ...DEFAULTS.log, level: "error" },
    shutdown: { grace: 1_000 },
  };
}

function addressOf(text: string): Address {
  const [, host = "", port = ""] = /^(?:\[?([^\]]*?)\]?:)?(\d+)$/.exec(text) ?? [];
  const number = Number(port);
  if (port === "" || number > 65_535) throw new InvalidArgumentError("expected a host and a port, such as 127.0.0.1:8000");
  return { host: host || DEFAULT_LISTEN.host, port: number };
}

function urlOf(text: string): string {
  if (URL.canParse(text) && /^wss?:$/.test(new URL(text).protocol)) return text;
  throw new InvalidArgumentError("expected a URL such as ws://127.0.0.1:8000");
}

function numberOf(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("expected a whole number from 1 on");
}

function speedOf(text: string): number {
  const speed = text === "max" ? Infinity : Number(text);
  if (speed > 0) return speed;
  throw new InvalidArgumentError("expected a number above 0, or max");
}

function secondsOf(text: string): number {
  const seconds = Number(text);
  if (text.trim() !== "" && seconds >= 0 && seconds <= 86_400) return seconds;
  throw new InvalidArgumentError("expected a number of seconds");
}

const note = (line: string): void => console.error(`note: ${line}`);
