/** The log in a file that is rotated, for runtimes with a file system. */
import { getRotatingFileSink } from "@logtape/file";
import type { OpenFile } from "./logger.ts";

const FILE_BYTES_MAX = 10 * 1_024 * 1_024;
const FILES_MAX = 5;
/** A line is in the file at most this long after it was written. */
const FLUSH_MS = 200;

/** Opens the file, and appends to it if it exists. */
export const rotatingFile: OpenFile = (path, formatter) =>
  // Why `nonBlocking`: the sink syncs every write to the disk, and would block the relay for each line.
  getRotatingFileSink(path, {
    ...{ maxSize: FILE_BYTES_MAX, maxFiles: FILES_MAX, flushInterval: FLUSH_MS },
    nonBlocking: true,
    formatter,
  });
