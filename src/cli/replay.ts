/**
 * `replay`: plays one side of a recorded conversation to whoever has to prove itself on the other.
 *
 * It is a relay with one room, the recording's: so it listens, dials and keeps time on every runtime as the relay does.
 */
import { Command, InvalidArgumentError, Option } from "commander";
import { readFile } from "node:fs/promises";
import process from "node:process";
import { DEFAULTS } from "../core/defaults.ts";
import type { ServiceEvent } from "../core/event.ts";
import { type Frame, printable } from "../core/json.ts";
import type { Settings } from "../core/settings.ts";
import type { StepContext } from "../core/context.ts";
import {
  type Choice,
  chosen,
  conversationsIn,
  described,
  playBackend,
  playGame,
  type Playing,
  readTape,
  type Report,
  reportLines,
  type Session,
  TapeError,
} from "../recording/mod.ts";
import { Complaint } from "./complaint.ts";
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

/** The status for a replay that was broken off, or with `--strict` differed. */
const DIFFERED = 1;
/** Characters of a message that a trace shows. */
const SHOWN_MAX = 500;
const DEFAULT_LISTEN: Address = { host: "127.0.0.1", port: 8_000 };

/** The command with its options. */
export function replayCommand(): Command {
  return new Command("replay")
    .description("play a recorded conversation to a game, or to a backend, and say what differs")
    .argument("<file>", "what `serve --record` wrote")
    .addOption(new Option("--as <side>", "which side to play").choices(["backend", "game"]))
    .option("--list", "show who is in the recording, and play nothing")
    .option("--listen <host:port>", "where the game connects (default: 127.0.0.1:8000)", addressOf)
    .option("--to <url>", "the backend that the game connects to, such as ws://127.0.0.1:8000", urlOf)
    .option("--game <name>", "the conversation of this game")
    .option("--upstream <id>", "the relay's own conversation with this upstream, such as neuro")
    .option("--peer <number>", "the conversation of this number, as --list shows it", numberOf)
    .option("--session <number>", "which session of the file; the last one by default", numberOf)
    .option("--speed <factor>", "how many times as fast as it was, or max", speedOf, 1)
    .option("--patience <seconds>", "how late the other side may be", secondsOf, 10)
    .option("--trace", "show each message as it comes and goes")
    .option("--strict", "end with status 1 when anything differs")
    .option("--json", "print the report, or the list, as JSON")
    .action(replay);
}

async function replay(file: string, options: ReplayOptions): Promise<void> {
  const session = await sessionOf(file, options);
  if (options.list) return list(session, options);
  if (options.as === undefined) throw new Complaint(["expected --as backend, --as game or --list"]);
  const { said, from } = conversationOf(session, options);
  const script = { said, from, speed: options.speed, patience: options.patience * 1_000 };
  if (options.as === "backend") return await play(playBackend(script), options);
  if (options.to === undefined) throw new Complaint(["expected --to and the address of a backend for the game"]);
  await play(playGame(script, options.to), options);
}

async function sessionOf(file: string, { session: number }: ReplayOptions): Promise<Session> {
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    throw new Complaint([`${file}: cannot be read: ${error instanceof Error ? error.message : error}`]);
  });
  const sessions = readSessions(file, text);
  const session = sessions.at(number === undefined ? -1 : number - 1);
  if (session === undefined) throw new Complaint([`${file}: there are ${sessions.length} sessions, and no ${number}`]);
  if (session.unreadable > 0) note(`${session.unreadable} lines of the recording cannot be read and are left out`);
  return session;
}

function readSessions(file: string, text: string): readonly Session[] {
  try {
    return readTape(text);
  } catch (error) {
    throw error instanceof TapeError ? new Complaint([`${file}: no recording: ${error.message}`]) : error;
  }
}

function conversationOf(session: Session, choice: Choice): Exclude<ReturnType<typeof chosen>, string> {
  const conversation = chosen(conversationsIn(session), choice);
  if (typeof conversation !== "string") return conversation;
  throw new Complaint([conversation, "choose with --game, --upstream or --peer; --list shows them"]);
}

function list(session: Session, { json }: ReplayOptions): void {
  const conversations = conversationsIn(session);
  if (json) {
    return console.log(
      JSON.stringify(conversations.map(({ said, ...rest }) => ({ ...rest, playable: said !== undefined }))),
    );
  }
  const { head, end } = session;
  console.log(`recorded by neuro-relay ${head.relay} from ${head.started_at}${end === undefined ? ", cut off" : ""}`);
  for (const conversation of conversations) console.log(described(conversation));
}

/** Runs until the recording has been played, or until it is told to stop. */
async function play(playing: Playing, options: ReplayOptions): Promise<void> {
  const { promise: over, resolve } = Promise.withResolvers<void>();
  const room = {
    ...playing.room,
    step: (event: ServiceEvent, ctx: StepContext): boolean => {
      if (options.trace) traceEvent(event);
      const isDone = playing.room.step(event, options.trace ? tracing(ctx) : ctx);
      if (playing.report() !== undefined) resolve();
      return isDone;
    },
  };
  const { serve, untilStopped } = await runtime();
  const served = await serve(settingsFor(options), { services: [room], print: () => {} });
  const stopped = untilStopped(served); // Why first: whoever reads the line below may stop it at once.
  if (options.as === "backend") console.error(`play the game at ${served.urls.neuro}`);
  await Promise.race([over, stopped]);
  const report = playing.report();
  await served.drain();
  finish(report, options);
}

function traceEvent(event: ServiceEvent): void {
  if (event.is === "frame" || event.is === "received") show("<", event.frame);
}

/** The same turn, with what is sent shown on the way. */
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
  const text = typeof frame === "string" ? frame : new TextDecoder().decode(frame);
  console.error(`${way} ${printable(text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}...` : text)}`);
}

function finish(report: Report | undefined, { strict, json }: ReplayOptions): never {
  if (json) console.log(JSON.stringify(report ?? null));
  else if (report === undefined) console.log("stopped");
  else for (const line of reportLines(report)) console.log(line);
  const isGood = report !== undefined && report.broken === undefined && (!strict || report.differing === 0);
  process.exit(isGood ? 0 : DIFFERED); // Why: as for `serve`, a half-closed socket must not keep the process.
}

/** One door, or none; nothing is kept, and nobody is too fast. */
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
  throw new InvalidArgumentError("expected an address such as ws://127.0.0.1:8000");
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
