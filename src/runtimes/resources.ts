/** What a process lends the engine beside sockets and time; each is loaded when it is first needed. */
import { existsSync } from "node:fs";
import process from "node:process";
import type { Observation } from "../core/observation.ts";
import type { Settings } from "../core/settings.ts";
import type { Jobs, Store } from "../engine/mod.ts";
import type { Job } from "../jobs/mod.ts";
import { type ReadableUploads, type ServeOptions, StartError } from "./served.ts";

export interface Storage {
  readonly store: Store;
  readonly uploads: ReadableUploads;
}

/** Opens the queue's store, and names the place for uploads. */
export async function openStorage(
  settings: Settings,
  options: ServeOptions,
  observe: (observation: Observation) => void,
): Promise<Storage> {
  const uploads = options.uploads ?? lazyUploads(settings);
  if (options.store !== undefined) return { store: options.store, uploads };
  const { openStore, OpenFailure } = await import("../storage/open.ts");
  try {
    const onQuarantine = (key: string, why: string) => observe({ is: "entry_quarantined", key, why });
    return { store: await openStore(settings.queue, { onQuarantine }), uploads };
  } catch (error) {
    if (error instanceof OpenFailure) throw new StartError(`queue: ${error.message}`);
    throw error;
  }
}

/** Why lazy: most relays never get a file, and need no folder for it. */
function lazyUploads({ uploads: { path }, queue }: Settings): ReadableUploads {
  let opened: Promise<ReadableUploads> | undefined;
  const open = (): Promise<ReadableUploads> =>
    opened ??= import("../storage/uploads.ts").then(({ memoryUploads, openUploads }) =>
      queue.backend === "memory" ? memoryUploads() : openUploads(path)
    );
  return {
    save: async (file, bytes) => (await open()).save(file, bytes),
    delete: async (file) => (await open()).delete(file),
    read: async (file) => (await open()).read(file),
    // Why: where there is no folder there is nothing to open.
    list: async () => queue.backend === "memory" || !existsSync(path) ? [] : await (await open()).list?.() ?? [],
  };
}

/** The key for a language model stands in the environment only, so that no file of settings holds it. */
export const lazyJobs: Jobs = {
  async run(name, input, settings) {
    const { createJobs } = await import("../jobs/mod.ts");
    const artifact: Job = async (asked) => (await import("../jobs/artifact.ts")).readArtifact(asked);
    return await createJobs({ fetch, apiKey: process.env.OPENAI_API_KEY }, { artifact }).run(name, input, settings);
  },
};
