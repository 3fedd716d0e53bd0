/**
 * SIGHUP reloads the configuration at once. Platforms without that signal do not need it: the files are watched anyway.
 *
 * A terminal that is closed sends the same signal to the programs started in it. In that case the relay stops, as it would by default.
 */
import { closeSync, openSync } from "node:fs";
import process from "node:process";
import { isTerminal } from "../runtimes/terminal.ts";

/** Calls `reload` for every SIGHUP, unless the terminal was closed. */
export function onSighup(reload: () => void): void {
  if (process.platform === "win32") return; // Why: on Windows it means only that the console is closed.
  const [hadTerminal, isInTerminal] = [hasTerminal(), isTerminal("stdin")];
  process.on("SIGHUP", () => {
    const has = hasTerminal();
    // Why `isInTerminal` if the device cannot be opened: a command typed in a terminal is expected to end with its window.
    const isTerminalGone = has === undefined ? isInTerminal : hadTerminal === true && !has;
    if (isTerminalGone) process.kill(process.pid, "SIGTERM");
    else reload();
  });
}

/** Undefined if this program may not look: Deno permits the access to devices only with all permissions. */
function hasTerminal(): boolean | undefined {
  try {
    closeSync(openSync("/dev/tty", "r"));
    return true;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    return code === "ENXIO" || code === "ENOENT" || code === "EIO" ? false : undefined;
  }
}
