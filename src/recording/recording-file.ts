/**
 * The format of a recording: one JSON object on each line. The first line names the relay and the time of the recording.
 *
 * A file may contain several sessions one after another, each with a header of its own. The last line of a session may be incomplete,
 * because a process may be killed while it writes. Lines that cannot be read are counted and skipped.
 */
import { isObject, type Json, type JsonObject } from "../core/json.ts";
import type { Millis } from "../core/ids.ts";

export const RECORDING_VERSION = 1;

/** The first line of a session. */
export interface RecordingHeader {
  readonly v: number;
  /** The version of the relay that recorded it. */
  readonly relay: string;
  readonly started_at: string;
}

/** Something that happened on one connection. */
export interface RecordedEvent {
  /** Milliseconds since the session began. */
  readonly t: Millis;
  /** The number of the connection; the first of a session is 1. */
  readonly peer: number;
  /** The listener of an accepted connection. Absent for a dialled one. */
  readonly listener?: string;
  /** `<service>:<name>` of a dialled connection. Absent for an accepted one. */
  readonly link?: string;
  readonly is: "opened" | "dialling" | "in" | "out" | "closed";
  /** A text frame. */
  readonly text?: string;
  /** The first bytes of a binary frame in base64, and the number of all its bytes. */
  readonly base64?: string;
  readonly bytes?: number;
  /** Only for an accepted connection. */
  readonly path?: string;
  readonly agent?: string;
  /** Only for a dialled connection; without credentials. */
  readonly url?: string;
  readonly code?: number;
  readonly reason?: string;
  /** The side that closed the connection. */
  readonly by?: "relay" | "peer";
}

/** The last line of a session that ended in order, or reached `record.bytes`. */
export interface RecordingEnd {
  readonly t: Millis;
  readonly is: "ended" | "full";
}

export type RecordingLine = RecordingHeader | RecordedEvent | RecordingEnd;

export interface RecordedSession {
  readonly header: RecordingHeader;
  readonly events: readonly RecordedEvent[];
  /** Undefined when the session was cut off. */
  readonly end: RecordingEnd["is"] | undefined;
  /** The number of lines that could not be read. */
  readonly unreadable: number;
}

/** A file is not a recording. */
export class RecordingError extends Error {
  override readonly name = "RecordingError";
}

/** The sessions of a file, oldest first. Throws a `RecordingError` for a file that is not a recording. */
export function readRecording(text: string): readonly RecordedSession[] {
  const sessions: {
    header: RecordingHeader;
    events: RecordedEvent[];
    end: RecordingEnd["is"] | undefined;
    unreadable: number;
  }[] = [];
  for (const line of text.split("\n")) {
    if (line.trim() === "") continue;
    const read = readLine(line);
    const current = sessions.at(-1);
    if (isHeader(read)) {
      if (read.v !== RECORDING_VERSION) {
        throw new RecordingError(`the recording has version ${read.v}; this program reads version ${RECORDING_VERSION}`);
      }
      sessions.push({ header: read, events: [], end: undefined, unreadable: 0 });
    } else if (current === undefined) throw new RecordingError("the file does not begin with the header of a recording");
    else if (isEvent(read)) current.events.push(read);
    else if (isEnd(read)) current.end = read.is;
    else current.unreadable++;
  }
  if (sessions.length === 0) throw new RecordingError("the file is empty");
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

const isHeader = (line: JsonObject | undefined): line is JsonObject & RecordingHeader =>
  typeof line?.v === "number" && typeof line.relay === "string" && typeof line.started_at === "string";

const isEnd = (line: JsonObject | undefined): line is JsonObject & RecordingEnd =>
  typeof line?.t === "number" && (line.is === "ended" || line.is === "full");

const KINDS: readonly (Json | undefined)[] = ["opened", "dialling", "in", "out", "closed"];
const TEXTS = ["listener", "link", "text", "base64", "path", "agent", "url", "reason"] as const;
const NUMBERS = ["bytes", "code"] as const;

function isEvent(line: JsonObject | undefined): line is JsonObject & RecordedEvent {
  if (typeof line?.t !== "number" || typeof line.peer !== "number" || !KINDS.includes(line.is)) return false;
  return TEXTS.every((name) => line[name] === undefined || typeof line[name] === "string") &&
    NUMBERS.every((name) => line[name] === undefined || typeof line[name] === "number");
}
