/** The log in a file that is rotated, for runtimes that have files. */
import { getRotatingFileSink } from "@logtape/file";
import type { OpenFile } from "./logger.ts";

const FILE_BYTES_MAX = 10 * 1_024 * 1_024;
const FILES_MAX = 5;
/** A line is in the file at the latest this much later. */
const FLUSH_MS = 200;

/** Opens the file, or goes on at its end. */
export const rotatingFile: OpenFile = (path, formatter) =>
  // Why not at once: it syncs every write to the disk, and would hold up the relay for each line.
  getRotatingFileSink(path, {
    ...{ maxSize: FILE_BYTES_MAX, maxFiles: FILES_MAX, flushInterval: FLUSH_MS },
    nonBlocking: true,
    formatter,
  });
