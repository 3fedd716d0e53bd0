/** A Worker in local workerd, on a folder of its own. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Relay } from "./platform.ts";
import { bundle, deploy } from "./workers.ts";

export interface TestWorker {
  readonly relay: Relay;
  readonly origin: string;
  log(): string;
  /** Stops workerd and starts it again on the same storage, without a request. */
  restart(): Promise<void>;
}

/** Runs a function with the Worker of an entry file and its environment variables. */
export async function withWorker(
  entry: string,
  variables: Record<string, string>,
  run: (harness: TestWorker) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "neuro-relay-workers-"));
  const script = await bundle(entry);
  let text = "";
  const start = () => deploy({ script, folder, variables, say: (said) => (text += said) });
  let worker = await start();
  const { host } = await worker.ready;
  const at = (listener: string) => `ws://${host}/r/test/${listener}`;
  const urls = { intermediary: at("intermediary"), neuro: at("neuro"), brain: at("brain") };
  const never = () => Promise.reject(new Error("not here"));
  const relay: Relay = {
    urls,
    web: `http://${host}/r/test`,
    log: () => text,
    named: () => relay,
    restart: never,
    drain: never,
    stop: never,
  };
  const restart = async () => {
    await worker.dispose();
    worker = await start();
  };
  try {
    await run({ relay, origin: `http://${host}`, log: () => text, restart });
  } finally {
    await worker.dispose();
    rmSync(folder, { recursive: true, force: true });
  }
}
