/** How a command fails: lines on standard error, and an exit status. */
import { CommanderError } from "commander";
import process from "node:process";

/** The exit status for a wrong configuration or command line. */
const MISCONFIGURED = 2;

/** An error for the user of the command line: some lines, and the exit status. */
export class CliError extends Error {
  override readonly name = "CliError";
  readonly status: number;

  constructor(lines: readonly string[], status: number = MISCONFIGURED) {
    super(lines.join("\n"));
    this.status = status;
  }
}

/** Prints an error and sets the exit status. An unexpected error is printed with its stack. */
export function reportError(error: unknown): void {
  if (error instanceof CommanderError) {
    // Why: commander has already printed it. Help and version end in the same way, with status 0.
    process.exitCode = error.exitCode === 0 ? 0 : MISCONFIGURED;
  } else if (error instanceof CliError) {
    console.error(error.message);
    process.exitCode = error.status;
  } else {
    console.error(error);
    process.exitCode = 1;
  }
}
