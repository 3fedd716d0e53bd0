/**
 * A recording as text: one JSON object a line, the first of them says who recorded it and when.
 *
 * A file may hold several sessions one after another, each with its own first line. The last line of a session may be torn, for
 * a process may be killed while it writes; whatever cannot be read is counted and left out.
 */
import { isObject, type Json, type JsonObject } from "../core/json.ts";
import type { Millis } from "../core/ids.ts";

export const TAPE_VERSION = 1;

/** The first line of a session. */
export interface Head {
  readonly v: number;
  /** The version of the relay that recorded it. */
  readonly relay: string;
  readonly started_at: string;
}

/** What happened at one connection. */
export interface Happening {
  /** Milliseconds since the session began. */
  readonly t: Millis;
  /** The number of the connection: the first one of a session is 1. */
  readonly peer: number;
  /** The door it came in by; of a dialled connection, absent. */
  readonly listener?: string;
  /** Who was dialled, as `<room>:<name>`; of one that came in, absent. */
  readonly link?: string;
  readonly is: "opened" | "dialling" | "in" | "out" | "closed";
  /** Of a frame that is text. */
  readonly text?: string;
  /** Of a frame that is bytes: their beginning, as base64, and how many there were. */
  readonly base64?: string;
  readonly bytes?: number;
  /** Of who came in. */
  readonly path?: string;
  readonly agent?: string;
  /** Of who was dialled, without credentials. */
  readonly url?: string;
  readonly code?: number;
  readonly reason?: string;
  /** Who closed it. */
  readonly by?: "relay" | "peer";
}

/** The last line of a session that ended in order, or had no more room. */
export interface End {
  readonly t: Millis;
  readonly is: "ended" | "full";
}

export type Line = Head | Happening | End;

/** One session of a file. */
export interface Session {
  readonly head: Head;
  readonly happenings: readonly Happening[];
  /** Undefined when it was cut off. */
  readonly end: End["is"] | undefined;
  /** Lines that could not be read. */
  readonly unreadable: number;
}

/** Why a file is no recording. */
export class TapeError extends Error {
  override readonly name = "TapeError";
}

/** The sessions of a file, the oldest first. Throws a `TapeError` for what is no recording at all. */
export function readTape(text: string): readonly Session[] {
  const sessions: { head: Head; happenings: Happening[]; end: End["is"] | undefined; unreadable: number }[] = [];
  for (const line of text.split("\n")) {
    if (line.trim() === "") continue;
    const read = readLine(line);
    const current = sessions.at(-1);
    if (isHead(read)) {
      if (read.v !== TAPE_VERSION) throw new TapeError(`it is of version ${read.v}, this program reads ${TAPE_VERSION}`);
      sessions.push({ head: read, happenings: [], end: undefined, unreadable: 0 });
    } else if (current === undefined) throw new TapeError("it does not begin with the head of a recording");
    else if (isHappening(read)) current.happenings.push(read);
    else if (isEnd(read)) current.end = read.is;
    else current.unreadable++;
  }
  if (sessions.length === 0) throw new TapeError("it is empty");
  return sessions;
}

function readLine(line: string): JsonObject | undefined {
  try {
    const value: Json = JSON.parse(line);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const isHead = (line: JsonObject | undefined): line is JsonObject & Head =>
  typeof line?.v === "number" && typeof line.relay === "string" && typeof line.started_at === "string";

const isEnd = (line: JsonObject | undefined): line is JsonObject & End =>
  typeof line?.t === "number" && (line.is === "ended" || line.is === "full");

const KINDS: readonly (Json | undefined)[] = ["opened", "dialling", "in", "out", "closed"];
const TEXTS = ["listener", "link", "text", "base64", "path", "agent", "url", "reason"] as const;
const NUMBERS = ["bytes", "code"] as const;

function isHappening(line: JsonObject | undefined): line is JsonObject & Happening {
  if (typeof line?.t !== "number" || typeof line.peer !== "number" || !KINDS.includes(line.is)) return false;
  return TEXTS.every((name) => line[name] === undefined || typeof line[name] === "string") &&
    NUMBERS.every((name) => line[name] === undefined || typeof line[name] === "number");
}
