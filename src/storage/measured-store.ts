/** A store whose operations are measured: how long each takes, and how many fail. */
import type { Store } from "../engine/ports.ts";

/** Called at the end of each operation. */
export type StoreMeasure = (operation: StoreOperation, seconds: number, isFailed: boolean) => void;
export type StoreOperation = "put" | "delete" | "keys" | "read";

export function measuredStore(store: Store, measure: StoreMeasure): Store {
  const measured = async <T>(operation: StoreOperation, run: () => Promise<T>): Promise<T> => {
    const begun = performance.now();
    let isFailed = true;
    try {
      const result = await run();
      isFailed = false;
      return result;
    } finally {
      measure(operation, (performance.now() - begun) / 1_000, isFailed);
    }
  };
  return {
    put: (key, value) => measured("put", () => store.put(key, value)),
    delete: (key) => measured("delete", () => store.delete(key)),
    keys: (prefix) => measured("keys", () => store.keys(prefix)),
    read: (keys) => measured("read", () => store.read(keys)),
    close: () => store.close(),
  };
}
