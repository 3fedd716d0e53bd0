/**
 * Standard output and standard error of the process, written without blocking.
 *
 * Why not `console`: a write to a pipe without a reader blocks the process, and with it every peer.
 */
import { writeSync } from "node:fs";
import process from "node:process";
import { LineBuffer } from "../observability/mod.ts";

/** When the relay stops, its last lines have this long to be written. */
const CLOSE_MS = 500;

export type OutputName = "stdout" | "stderr";

/** Writes some of the bytes without blocking; resolves with their number. */
export type WriteOutput = (output: OutputName, bytes: Uint8Array) => Promise<number>;

export interface OutputLines {
  add(line: string): void;
  close(): Promise<void>;
}

/** Lines to one of the outputs; `dropped` is called with the number of lines that did not fit. */
export function outputLines(output: OutputName, write: WriteOutput, dropped: (lines: number) => void): OutputLines {
  const lines = new LineBuffer({
    async write(text) {
      const bytes = new TextEncoder().encode(text);
      for (let at = 0; at < bytes.length;) at += await write(output, bytes.subarray(at));
    },
    afterTurn: (run) => void setImmediate(run),
    dropped,
  });
  const onExit = (): void => {
    // Why not while a write is in progress: it may wait for a reader that never reads.
    if (!lines.isWriting) writeLast(output, lines.take());
  };
  process.once("exit", onExit);
  return {
    add: (line) => lines.add(line),
    async close() {
      await lines.close(CLOSE_MS);
      process.off("exit", onExit);
    },
  };
}

function writeLast(output: OutputName, text: string): void {
  try {
    if (text !== "") writeSync(output === "stdout" ? 1 : 2, text);
  } catch {
    return; // Why: the reader has ended, and the process ends, too.
  }
}
