/**
 * SIGHUP: read the configuration anew, at once. Where there is no such signal nothing needs it: files are followed anyway.
 *
 * A terminal that is closed sends the same signal to what was started in it. Then it means what it always did: stop.
 */
import { closeSync, openSync } from "node:fs";
import process from "node:process";
import { isatty } from "node:tty";

/** Calls `reload` for every SIGHUP, unless it says that the terminal is gone. */
export function onHangup(reload: () => void): void {
  if (process.platform === "win32") return; // Why: there it only ever means that the console is closed.
  const [had, isInTerminal] = [hasTerminal(), isatty(0)];
  process.on("SIGHUP", () => {
    const has = hasTerminal();
    // Why by the input where nobody may look: who typed the command expects that it ends with the window.
    const isGone = has === undefined ? isInTerminal : had === true && !has;
    if (isGone) process.kill(process.pid, "SIGTERM");
    else reload();
  });
}

/** Undefined where this program may not look: Deno keeps devices from those who have no leave for everything. */
function hasTerminal(): boolean | undefined {
  try {
    closeSync(openSync("/dev/tty", "r"));
    return true;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    return code === "ENXIO" || code === "ENOENT" || code === "EIO" ? false : undefined;
  }
}
