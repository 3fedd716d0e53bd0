/** Whether the standard streams of the process are terminals. */
import { fstatSync, statSync } from "node:fs";
import process from "node:process";

const STREAMS = ["stdin", "stdout", "stderr"] as const;
type StreamName = (typeof STREAMS)[number];

/**
 * True if a person sees, or types, what the stream transfers.
 *
 * Why not `isTTY` at once: it loads all streams of the runtime, which takes 5 ms of a start. A service has a file, a pipe or nothing there.
 */
export const isTerminal = (name: StreamName): boolean =>
  mayBeTerminal(STREAMS.indexOf(name)) && process[name].isTTY === true;

function mayBeTerminal(descriptor: number): boolean {
  try {
    const stream = fstatSync(descriptor);
    return stream.isCharacterDevice() && stream.rdev !== statSync("/dev/null").rdev;
  } catch {
    return true; // Why: Windows has no such device, and Deno may not be allowed to look.
  }
}
