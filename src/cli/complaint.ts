/** How a command ends that cannot do what it should: some lines on standard error, and an exit status. */
import { CommanderError } from "commander";
import process from "node:process";

/** The status for a configuration, or a command line, that is wrong. */
const MISCONFIGURED = 2;

/** Lines for whoever typed the command, and the status to exit with. */
export class Complaint extends Error {
  override readonly name = "Complaint";
  readonly status: number;

  constructor(lines: readonly string[], status: number = MISCONFIGURED) {
    super(lines.join("\n"));
    this.status = status;
  }
}

/** Prints what went wrong and sets the exit status; a mistake of ours is printed in full. */
export function complain(error: unknown): void {
  if (error instanceof CommanderError) {
    // Why: commander has printed it already. Help and version end the same way, with status 0.
    process.exitCode = error.exitCode === 0 ? 0 : MISCONFIGURED;
  } else if (error instanceof Complaint) {
    console.error(error.message);
    process.exitCode = error.status;
  } else {
    console.error(error);
    process.exitCode = 1;
  }
}
