/** What a runtime lends the relay. Each ability answers, if at all, by an event; none throws. */
import type { Key, LinkId, Millis, PeerId } from "../core/ids.ts";
import type { JobName } from "../core/effect.ts";
import type { Entry } from "../core/event.ts";
import type { Frame, Json } from "../core/json.ts";
import type { Observation } from "../core/observation.ts";
import type { Settings } from "../core/settings.ts";

/** Everything that the engine uses of the world. */
export interface Ports {
  readonly sockets: Sockets;
  readonly store: Store;
  readonly uploads: Uploads;
  readonly clock: Clock;
  readonly jobs: Jobs;
  /** Where facts go: the log and the metrics. */
  observe(observation: Observation): void;
}

/** Connections, both accepted and dialled. A dead one shows as the event `closed` or `dropped`. */
export interface Sockets {
  /** Returns the bytes that wait for this peer after it; 0 when the socket took all. */
  send(to: PeerId | LinkId, frame: Frame): number;
  /** Everything sent since the last flush may now be written together. */
  flush(): void;
  /** `closed` follows. */
  close(peer: PeerId, code: number, reason: string): void;
  /** `ponged` follows where the runtime can tell. */
  ping(peer: PeerId): void;
  /** Keeps it over sleep, where the runtime sleeps. */
  attach(peer: PeerId, attachment: Json): void;
  /** `dialed` or `dropped` follows. */
  dial(link: LinkId, url: string, headers: Readonly<Record<string, string>>): void;
  /** Closes with the code, 1000 without one, where the runtime can. No event of this link follows. */
  closeLink(link: LinkId, code?: number): void;
}

/** Entries that outlive the process. Every promise settles only when the backend has really done it, or rejects. */
export interface Store {
  /** Writes a new key. Rejects with a `Panic`, having touched nothing, when it is there already. */
  put(key: Key, value: Json): Promise<void>;
  delete(key: Key): Promise<void>;
  /** The keys below a prefix, sorted. */
  keys(prefix: Key): Promise<readonly Key[]>;
  /** The values of some keys; those that are gone or unreadable are left out, the latter after being quarantined. */
  read(keys: readonly Key[]): Promise<readonly Entry[]>;
  close(): Promise<void>;
}

/** Bytes under names that the relay makes. */
export interface Uploads {
  /** Returns the hash and size of what was written. */
  save(file: string, bytes: Uint8Array): Promise<{ readonly sha256: string; readonly bytes: number }>;
  delete(file: string): Promise<void>;
}

/** Time, chance, and the one timer. */
export interface Clock {
  now(): Millis;
  random(): number;
  secret(): string;
  /** Calls the engine's `tick` at `at` or later, once; a new call replaces the old one. */
  wake(at: Millis | undefined): void;
}

/** Runs what takes time. Rejects when the work fails; the engine keeps its deadline. */
export interface Jobs {
  run(name: JobName, input: Json, settings: Settings): Promise<Json>;
}
