/**
 * A recording in a file that only its owner may read.
 *
 * Invariants: F1 nothing here throws once the file is open; F2 the file never grows beyond its bound, save by the last line; F3 what
 * was handed in is in the file at the latest `FLUSH_MS` later, and at once when the process ends by itself.
 */
import { Buffer } from "node:buffer";
import { closeSync, fchmodSync, fstatSync, openSync, readSync, writeSync } from "node:fs";
import process from "node:process";
import type { Event } from "../core/event.ts";
import type { Settings } from "../core/settings.ts";
import type { Sockets } from "../engine/mod.ts";
import { overheard, Recorder, type Tape } from "../recording/mod.ts";
import type { Host } from "./host.ts";
import { StartError } from "./served.ts";

const FLUSH_MS = 100;
const BUFFER_CHARS_MAX = 65_536;
const OWNER_ONLY = 0o600;
const NEWLINE = 10;

/** Somebody who takes notes at the edge of the relay. */
export interface Overhearing {
  /** The same sockets, overheard. */
  sockets(sockets: Sockets): Sockets;
  push(event: Event): void;
  stop(): void;
}

/** Begins to record; throws a `StartError` when the file cannot be written. */
export function record(settings: Settings, host: Host): Overhearing {
  const { file, bytes } = settings.record;
  const say = (why: "full" | "failed", reason: string) => host.observe({ is: "recording_stopped", file, why, reason });
  const tape = TapeFile.open(file, bytes, (reason) => {
    recorder.stop();
    say("failed", reason);
  });
  const recorder: Recorder = new Recorder(
    { tape, relay: host.version, now: Date.now, full: () => say("full", `record.bytes is ${bytes}`) },
    host.secrets,
  );
  return {
    sockets: (sockets) => overheard(sockets, recorder),
    push(event) {
      recorder.happened(event);
      host.push(event);
    },
    stop: () => recorder.stop(),
  };
}

/** Why written at once, in pieces: what is held in memory is lost when the process is killed, and that is what one records for. */
class TapeFile implements Tape {
  readonly #descriptor: number;
  readonly #failed: (reason: string) => void;
  #left: number;
  #lines: string[] = [];
  #chars = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isOpen = true;
  readonly #onExit = (): void => this.#flush();

  static open(file: string, bytesMax: number, failed: (reason: string) => void): TapeFile {
    try {
      const descriptor = openSync(file, "a+", OWNER_ONLY);
      fchmodSync(descriptor, OWNER_ONLY); // Why: the mode counts only for a file that was not there.
      const { size } = fstatSync(descriptor);
      if (size > 0 && !endsLine(descriptor, size)) writeSync(descriptor, "\n"); // Why: the last session was cut off.
      return new TapeFile(descriptor, bytesMax - size, failed);
    } catch (error) {
      throw new StartError(`record.file: ${file} cannot be written: ${error instanceof Error ? error.message : error}`);
    }
  }

  private constructor(descriptor: number, left: number, failed: (reason: string) => void) {
    this.#descriptor = descriptor;
    this.#left = left;
    this.#failed = failed;
    process.once("exit", this.#onExit);
  }

  write(line: string): boolean {
    if (!this.#isOpen) return true;
    const bytes = Buffer.byteLength(line) + 1;
    if (bytes > this.#left) return false;
    this.#left -= bytes;
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
      this.#failed(error instanceof Error ? error.message : String(error));
    }
  }

  #close(): void {
    this.#isOpen = false;
    process.off("exit", this.#onExit);
    try {
      closeSync(this.#descriptor);
    } catch {
      return; // Why: what was written is written, and no more will be.
    }
  }
}

function endsLine(descriptor: number, size: number): boolean {
  const last = Buffer.alloc(1);
  return readSync(descriptor, last, 0, 1, size - 1) === 1 && last[0] === NEWLINE;
}
