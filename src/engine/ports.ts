/** The ports that a runtime provides to the engine. Results arrive as events; no method throws. */
import type { Key, LinkId, Millis, PeerId } from "../core/ids.ts";
import type { JobName } from "../core/effect.ts";
import type { Entry } from "../core/event.ts";
import type { Frame, Json } from "../core/json.ts";
import type { Observation } from "../core/observation.ts";
import type { Settings } from "../core/settings.ts";

/** Everything that the engine uses of its runtime. */
export interface Ports {
  readonly sockets: Sockets;
  readonly store: Store;
  readonly uploads: Uploads;
  readonly clock: Clock;
  readonly jobs: Jobs;
  /** Runs something at the end of this turn of the event loop; at once where nothing is gained by waiting. */
  afterTurn(run: () => void): void;
  /** Passes an observation to the log and the metrics. */
  observe(observation: Observation): void;
}

/** Accepted and dialled connections. A lost one is reported by the event `closed` or `dropped`. */
export interface Sockets {
  /** Returns the backlog of this peer in bytes; 0 if the socket took everything. */
  send(to: PeerId | LinkId, frame: Frame): number;
  /** Writes the frames that were sent since the last flush, those to one peer together. */
  flush(): void;
  /** `closed` follows. */
  close(peer: PeerId, code: number, reason: string): void;
  /** `ponged` follows if the runtime reports pongs. */
  ping(peer: PeerId): void;
  /** Keeps the attachment over sleep, on runtimes that sleep. */
  attach(peer: PeerId, attachment: Json): void;
  /** `dialed` or `dropped` follows. */
  dial(link: LinkId, url: string, headers: Readonly<Record<string, string>>): void;
  /** Closes with the code, or 1000, if the runtime can. No event of this link follows. */
  closeLink(link: LinkId, code?: number, reason?: string): void;
}

/** Entries that survive the process. A promise resolves only after the backend has completed the operation. */
export interface Store {
  /** Writes a new key. Rejects with a `Panic` and changes nothing if the key exists. */
  put(key: Key, value: Json): Promise<void>;
  delete(key: Key): Promise<void>;
  /** The keys below a prefix, sorted. */
  keys(prefix: Key): Promise<readonly Key[]>;
  /** The values of some keys. Missing ones are left out; unreadable ones are quarantined and left out. */
  read(keys: readonly Key[]): Promise<readonly Entry[]>;
  close(): Promise<void>;
}

/** Uploaded files, under names that the relay generates. */
export interface Uploads {
  /** Returns the hash and size of the written bytes. */
  save(file: string, bytes: Uint8Array): Promise<{ readonly sha256: string; readonly bytes: number }>;
  delete(file: string): Promise<void>;
}

/** Clock, random numbers, and the one timer. */
export interface Clock {
  now(): Millis;
  random(): number;
  secret(): string;
  /** Calls the engine's `tick` once, at `at` or later. A new call replaces the previous one. */
  wake(at: Millis | undefined): void;
}

/** Runs jobs. Rejects if the job fails; the engine enforces its deadline. */
export interface Jobs {
  run(name: JobName, input: Json, settings: Settings): Promise<Json>;
}
