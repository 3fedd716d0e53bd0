/** Opens what the relay needs besides sockets and a clock: store, uploads, jobs, log and recording. Each module loads when needed. */
import { existsSync } from "node:fs";
import process from "node:process";
import type { Observation } from "../core/observation.ts";
import type { Settings } from "../core/settings.ts";
import { errorText } from "../core/text.ts";
import type { Jobs, Store } from "../engine/mod.ts";
import type { Job } from "../jobs/mod.ts";
import { type Log, openLog } from "../observability/mod.ts";
import type { UploadStore } from "../storage/upload-store.ts";
import type { Host } from "./host.ts";
import type { RecordingTap } from "./recording-tap.ts";
import { type ServeOptions, StartError } from "./serve-options.ts";

export interface StoragePorts {
  readonly store: Store;
  readonly uploads: UploadStore;
}

/** Opens the store of the queue, and prepares the uploads. `relay` is the name of a relay other than the one at the root. */
export async function openStorage(
  settings: Settings,
  options: ServeOptions,
  observe: (observation: Observation) => void,
  relay?: string,
): Promise<StoragePorts> {
  const uploads = options.uploads ?? lazyUploads(settings);
  if (options.store !== undefined) return { store: options.store, uploads };
  const { openStore, StoreOpenError } = await import("../storage/open-store.ts");
  try {
    const onQuarantine = (key: string, why: string) => observe({ is: "entry_quarantined", key, why });
    return { store: await openStore(settings.queue, { onQuarantine }, relay), uploads };
  } catch (error) {
    if (error instanceof StoreOpenError) throw new StartError(`queue: ${error.message}`);
    throw error;
  }
}

/** Why lazy: most relays never receive a file, and need no folder for files. */
function lazyUploads({ uploads: { path }, queue }: Settings): UploadStore {
  let opened: Promise<UploadStore> | undefined;
  const open = (): Promise<UploadStore> =>
    opened ??= import("../storage/uploads.ts").then(({ memoryUploads, openUploads }) =>
      queue.backend === "memory" ? memoryUploads() : openUploads(path)
    );
  return {
    save: async (file, bytes) => (await open()).save(file, bytes),
    delete: async (file) => (await open()).delete(file),
    read: async (file) => (await open()).read(file),
    // Why without opening: that would create the folder.
    list: async () => queue.backend === "memory" || !existsSync(path) ? [] : await (await open()).list(),
  };
}

/** The key for a language model comes from the environment only, so that no settings file contains it. */
export const lazyJobs: Jobs = {
  async run(name, input, settings) {
    const { createJobs } = await import("../jobs/mod.ts");
    const artifact: Job = async (asked) => (await import("../jobs/artifact.ts")).readArtifact(asked);
    return await createJobs({ fetch, apiKey: process.env.OPENAI_API_KEY }, { artifact }).run(name, input, settings);
  },
};

/** Opens the log of a process: `print`, or `log.file`. */
export async function openProcessLog(
  { log }: Settings,
  print: (line: string) => void,
  isTerminal: boolean,
): Promise<Log> {
  if (log.file === "") return await openLog(log, print, { isTerminal });
  const { rotatingFile } = await import("../observability/log-file.ts");
  return await openLog(log, print, { openFile: rotatingFile }).catch((error: unknown) => {
    throw new StartError(`log.file: ${log.file} cannot be written: ${errorText(error)}`);
  });
}

/** Starts the recording that `record.file` asks for; undefined if it is empty. Closes the host when it cannot. */
export async function openRecording(settings: Settings, host: Host): Promise<RecordingTap | undefined> {
  if (settings.record.file === "") return undefined;
  const { openRecordingTap } = await import("./recording-tap.ts");
  try {
    return openRecordingTap(settings, host);
  } catch (error) {
    await host.close();
    throw error;
  }
}
