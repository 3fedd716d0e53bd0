/** Non-blocking writes to standard output and standard error on Bun: each in a thread of its pool. */
import { write } from "node:fs";
import type { WriteOutput } from "../standard-output.ts";

/** The pause before another attempt where the output does not block and is full. */
const RETRY_MS = 20;

export const writeOutput: WriteOutput = (output, bytes) =>
  new Promise((resolve, reject) => {
    write(output === "stdout" ? 1 : 2, bytes, (error, count) => {
      if (error === null) resolve(count);
      else if (error.code === "EAGAIN") setTimeout(() => resolve(0), RETRY_MS);
      else reject(error);
    });
  });
