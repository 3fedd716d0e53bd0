/** What every runtime's `serve` takes and gives. */
import type { ServiceName } from "../core/service.ts";
import type { Settings } from "../core/settings.ts";
import type { Jobs, Store, Uploads } from "../engine/mod.ts";
import type { PortName } from "../http/app.ts";
import type { SupervisedService } from "../relay/mod.ts";
import type { StoredFile } from "../storage/upload.ts";

export interface ServeOptions {
  /** Takes the ready lines; standard output by default. */
  readonly print?: (line: string) => void;
  /** Takes the lines of the log; standard error by default. */
  readonly log?: (line: string) => void;
  /** In place of what the settings name, for tests and for embedding. */
  readonly store?: Store;
  readonly uploads?: ReadableUploads;
  readonly jobs?: Jobs;
  readonly services?: readonly SupervisedService[];
}

/** Uploads that can be fetched again. */
export interface ReadableUploads extends Uploads {
  /** Undefined when there is no such file. */
  read(file: string): Promise<Uint8Array | undefined>;
  /** Everything that is there, where it can be listed. */
  list?(): Promise<readonly StoredFile[]>;
}

/** A relay that runs. */
export interface Served {
  /** Where it listens, e.g. `ws://127.0.0.1:8765`. */
  readonly urls: Readonly<Partial<Record<PortName, string>>>;
  /** Accepts nothing new, finishes what is in flight, closes everything. The second call waits for the first. */
  drain(): Promise<void>;
  /** Takes over what can change while it runs; hosts, ports and the queue's backend cannot. */
  configure(settings: Settings): void;
}

/** Why it did not start: one sentence that names the setting. */
export class StartError extends Error {
  override readonly name = "StartError";
}

/** One place to listen at. */
export interface Listener {
  readonly name: PortName;
  readonly label: string;
  readonly host: string;
  readonly port: number;
  /** The block of the settings that says so. */
  readonly block: "intermediary" | "nakurity-backend" | "brain" | "intercept-proxy" | "web";
}

/** The listeners that the settings ask for, of the rooms that there are. */
export function listeners(settings: Settings, services: readonly ServiceName[]): readonly Listener[] {
  const all = [
    { name: "intermediary", label: "Intermediary", block: "intermediary" },
    { name: "neuro", label: "Nakurity Backend", block: "nakurity-backend" },
    { name: "brain", label: "Brain", block: "brain" },
    { name: "proxy", label: "Intercept Proxy", block: "intercept-proxy" },
    { name: "web", label: "Web", block: "web" },
  ] as const;
  return all
    .filter(({ name, block }) => settings[block].enabled && (name === "web" || services.includes(name)))
    .map((listener) => ({ ...listener, host: settings[listener.block].host, port: settings[listener.block].port }));
}

/** The sentence for a listener that could not be opened. */
export function bindError({ block, host, port }: Listener, error: unknown): StartError {
  const code = typeof error === "object" && error !== null && "code" in error ? String(error.code) : "";
  if (code === "EADDRINUSE") {
    const guess = block === "nakurity-backend" && port === 8000 ? "; the real Neuro, or another backend, may have it" : "";
    return new StartError(`${block}.port: ${port} on ${host} is in use${guess}`);
  }
  if (code === "EACCES") return new StartError(`${block}.port: ${port} on ${host} is not permitted`);
  return new StartError(
    `${block}.host: cannot listen on ${host}:${port}: ${error instanceof Error ? error.message : error}`,
  );
}
