/** Child processes that must not outlive this one. */
import type { ChildProcess } from "node:child_process";
import process from "node:process";

const children = new Set<ChildProcess>();

/** Kills the child when this process exits. A process that ends by a signal does not exit: see `exitOnSignals`. */
export function endWithThisProcess(child: ChildProcess): void {
  if (children.size === 0) process.once("exit", killAll);
  children.add(child);
  child.on("exit", () => {
    children.delete(child);
    if (children.size === 0) process.off("exit", killAll);
  });
}

function killAll(): void {
  for (const child of children) child.kill("SIGKILL");
}

/** For programs that start many processes: SIGINT and SIGTERM end them as well. */
export function exitOnSignals(): void {
  process.once("SIGINT", () => process.exit(130));
  process.once("SIGTERM", () => process.exit(143));
}
