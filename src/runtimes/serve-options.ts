/** The options and the result of every runtime's `serve`. */
import type { Millis } from "../core/ids.ts";
import type { Settings } from "../core/settings.ts";
import type { Jobs, Store } from "../engine/mod.ts";
import type { PortName } from "../http/app.ts";
import type { SupervisedService } from "../relay/mod.ts";
import type { UploadStore } from "../storage/upload-store.ts";

/** Replacements for parts of a relay. */
export interface ServeOptions {
  /** Receives the lines that name each listener's address. Default: standard output. */
  readonly print?: (line: string) => void;
  /** Takes the lines of the log; standard error by default. */
  readonly log?: (line: string) => void;
  /** Replacements for configured parts, for tests and for embedding. */
  readonly store?: Store;
  readonly uploads?: UploadStore;
  readonly jobs?: Jobs;
  readonly services?: readonly SupervisedService[];
}

/** Something that runs until it is stopped. */
export interface Stoppable {
  /** Accepts nothing new, finishes work in progress, and closes everything. */
  drain(by?: "signal"): Promise<void>;
}

/** A running relay. */
export interface RelayHandle extends Stoppable {
  /** The address of each listener, e.g. `ws://127.0.0.1:8765`. */
  readonly urls: Readonly<Partial<Record<PortName, string>>>;
  /** Accepts nothing new, finishes work in progress, and closes everything. A second call returns the promise of the first. A
   * stop by a signal is announced on standard error. */
  drain(by?: "signal"): Promise<void>;
  /** Applies the settings that can change at run time. Hosts, ports and the queue's backend need a restart. */
  configure(settings: Settings): void;
}

/** The options of `neuro-relay link`. */
export interface LinkProcessOptions {
  /** The relay's origin with the path of a named relay: `wss://relay.example/r/show`. */
  readonly relayUrl: string;
  readonly neuro?: { readonly name: string; readonly url: string; readonly token: string };
  readonly games?: LinkedGamesOptions;
  report(line: string): void;
  /** The link is of no use any more. */
  failed(reason: string): void;
}

export interface LinkedGamesOptions {
  readonly host: string;
  readonly port: number;
  readonly token: string;
  readonly keepMs: Millis;
}

/** The relay cannot start. The message is one sentence that names the setting. */
export class StartError extends Error {
  override readonly name = "StartError";
}
