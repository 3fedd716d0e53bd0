/**
 * Records the connections of a relay in a file that only its owner can read.
 *
 * Invariants: F1 nothing here throws once the file is open; F2 the file never exceeds its bound, except by the last line; F3 a line is
 * in the file at most `FLUSH_MS` later, and at once when the process exits.
 */
import { Buffer } from "node:buffer";
import { closeSync, fchmodSync, fstatSync, openSync, readSync, writeSync } from "node:fs";
import process from "node:process";
import type { Event } from "../core/event.ts";
import type { Settings } from "../core/settings.ts";
import { errorText } from "../core/text.ts";
import type { Sockets } from "../engine/mod.ts";
import { Recorder, type RecordingSink, recordSockets } from "../recording/mod.ts";
import type { Host } from "./host.ts";
import { StartError } from "./serve-options.ts";

const FLUSH_MS = 100;
const BUFFER_CHARS_MAX = 65_536;
const OWNER_ONLY = 0o600;
const NEWLINE = 10;

/** Stands between the runtime and the engine, and records all frames that pass. */
export interface RecordingTap {
  /** The same sockets; frames that are sent on them are recorded. */
  sockets(sockets: Sockets): Sockets;
  push(event: Event): void;
  stop(): void;
}

/** Starts recording to `record.file`. Throws a `StartError` when the file cannot be written. */
export function openRecordingTap(settings: Settings, host: Host): RecordingTap {
  const { file, bytes } = settings.record;
  const stopped = (why: "full" | "failed", reason: string) => host.observe({ is: "recording_stopped", file, why, reason });
  const sink = RecordingFileWriter.open(file, bytes, (reason) => {
    recorder.stop();
    stopped("failed", reason);
  });
  const recorder: Recorder = new Recorder(
    { sink, relay: host.version, now: Date.now, full: () => stopped("full", `record.bytes is ${bytes}`) },
    host.secrets,
  );
  return {
    sockets: (sockets) => recordSockets(sockets, recorder),
    push(event) {
      recorder.record(event);
      host.push(event);
    },
    stop: () => recorder.stop(),
  };
}

/**
 * Why it writes soon, in pieces: lines in memory are lost when the process is killed, and a recording should show the time before a kill.
 */
class RecordingFileWriter implements RecordingSink {
  readonly #descriptor: number;
  readonly #failed: (reason: string) => void;
  #bytesLeft: number;
  #lines: string[] = [];
  #chars = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isOpen = true;
  readonly #onExit = (): void => this.#flush();

  static open(file: string, bytesMax: number, failed: (reason: string) => void): RecordingFileWriter {
    try {
      const descriptor = openSync(file, "a+", OWNER_ONLY);
      fchmodSync(descriptor, OWNER_ONLY); // Why: the mode applies only to a file that did not exist.
      const { size } = fstatSync(descriptor);
      if (size > 0 && !endsWithNewline(descriptor, size)) writeSync(descriptor, "\n"); // Why: the last session was cut off.
      return new RecordingFileWriter(descriptor, bytesMax - size, failed);
    } catch (error) {
      throw new StartError(`record.file: ${file} cannot be written: ${errorText(error)}`);
    }
  }

  private constructor(descriptor: number, bytesLeft: number, failed: (reason: string) => void) {
    this.#descriptor = descriptor;
    this.#bytesLeft = bytesLeft;
    this.#failed = failed;
    process.once("exit", this.#onExit);
  }

  write(line: string): boolean {
    if (!this.#isOpen) return true;
    const bytes = Buffer.byteLength(line) + 1;
    if (bytes > this.#bytesLeft) return false;
    this.#bytesLeft -= bytes;
    this.#lines.push(line);
    this.#chars += line.length;
    if (this.#chars > BUFFER_CHARS_MAX) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), FLUSH_MS);
    return true;
  }

  end(line: string): void {
    if (!this.#isOpen) return;
    this.#lines.push(line);
    this.#flush();
    this.#close();
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (!this.#isOpen || this.#lines.length === 0) return;
    const text = Buffer.from(`${this.#lines.join("\n")}\n`);
    this.#lines = [];
    this.#chars = 0;
    try {
      for (let at = 0; at < text.length;) at += writeSync(this.#descriptor, text, at);
    } catch (error) {
      this.#close();
      this.#failed(errorText(error));
    }
  }

  #close(): void {
    this.#isOpen = false;
    process.off("exit", this.#onExit);
    try {
      closeSync(this.#descriptor);
    } catch {
      return; // Why: the written lines are complete, and no more will be written.
    }
  }
}

function endsWithNewline(descriptor: number, size: number): boolean {
  const last = Buffer.alloc(1);
  return readSync(descriptor, last, 0, 1, size - 1) === 1 && last[0] === NEWLINE;
}
