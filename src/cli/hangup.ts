/**
 * SIGHUP: read the configuration anew, at once. Where there is no such signal nothing needs it: files are followed anyway.
 *
 * A terminal that is closed sends the same signal to what was started in it. Then it means what it always did: stop.
 */
import { closeSync, openSync } from "node:fs";
import process from "node:process";

/** Calls `reload` for every SIGHUP, unless it says that the terminal is gone. */
export function onHangup(reload: () => void): void {
  if (process.platform === "win32") return; // Why: there it only ever means that the console is closed.
  const hadTerminal = hasTerminal();
  process.on("SIGHUP", () => {
    if (hadTerminal && !hasTerminal()) process.kill(process.pid, "SIGTERM");
    else reload();
  });
}

function hasTerminal(): boolean {
  try {
    closeSync(openSync("/dev/tty", "r"));
    return true;
  } catch {
    return false;
  }
}
