/**
 * Entries in memory, lost when the process ends.
 *
 * Invariant: M1 a write settles after the current turn of the event loop, as on every other backend. Why: services gather further writes
 * while a write is in progress. If a write settled at once, each event would be a write of its own, which costs the Brain more
 * than writing to a disk.
 */
import { setImmediate } from "node:timers";
import { createStorage, type Driver } from "unstorage";
import memoryDriver from "unstorage/drivers/memory";
import type { StoreBackend } from "../store.ts";

/** Opens an empty storage. */
export function openMemory(): StoreBackend {
  const entries = memoryDriver();
  let turn: Promise<void> | undefined;
  /** All writes of one turn wait for the same promise. */
  const endOfTurn = (): Promise<void> =>
    turn ??= new Promise((resolve) => {
      setImmediate(() => {
        turn = undefined;
        resolve();
      });
    });
  const driver: Driver = {
    ...entries,
    setItemRaw(key, value, options) {
      void entries.setItemRaw?.(key, value, options); // Why no wait: it is stored at once.
      return endOfTurn();
    },
  };
  return { storage: createStorage({ driver }), reportsFailures: true };
}
