/** What a process lends the engine beside sockets and time; each is loaded when it is first needed. */
import type { Note } from "../core/note.ts";
import type { Settings } from "../core/settings.ts";
import type { Jobs, Store } from "../engine/mod.ts";
import { type ReadableUploads, type ServeOptions, StartError } from "./served.ts";

export interface Storage {
  readonly store: Store;
  readonly uploads: ReadableUploads;
}

/** Opens the queue's store and the place for uploads. */
export function openStorage(_settings: Settings, options: ServeOptions, _observe: (note: Note) => void): Promise<Storage> {
  const { store, uploads } = options;
  if (store === undefined || uploads === undefined) throw new StartError("queue.backend: this build has no storage");
  return Promise.resolve({ store, uploads });
}

export const lazyJobs: Jobs = {
  run: (name) => Promise.reject(new Error(`this build has no job ${name}`)),
};
