/**
 * Asynchronous work other than writes of entries: reads, uploads and jobs. Each ends with one event, at its deadline at the latest.
 *
 * Invariants: K1 each piece of work produces exactly one event; K2 a result that arrives after that event is dropped, and an upload
 * that was saved too late is deleted.
 */
import { Deadlines } from "../core/deadlines.ts";
import type { Effect } from "../core/effect.ts";
import type { Event } from "../core/event.ts";
import type { Millis } from "../core/ids.ts";
import { PermanentError } from "../core/assert.ts";
import type { Settings } from "../core/settings.ts";
import { errorText } from "../core/text.ts";
import type { Ports } from "./ports.ts";

export class AsyncWork {
  readonly #ports: Ports;
  readonly #push: (event: Event) => void;
  readonly #deadlines = new Deadlines();
  /** The event at the deadline of each piece of work that has not finished. */
  readonly #failures = new Map<string, Event>();

  constructor(ports: Ports, push: (event: Event) => void) {
    this.#ports = ports;
    this.#push = push;
  }

  load({ token, keys }: Effect & { do: "load" }, deadline: Millis): void {
    const id = this.#begin(`load ${token}`, deadline, { is: "loadFailed", token, reason: "the store took too long" });
    this.#ports.store.read(keys).then(
      (entries) => this.#finish(id, { is: "loaded", token, entries }),
      (error: unknown) => this.#finish(id, { is: "loadFailed", token, reason: String(error) }),
    );
  }

  save({ file, bytes }: Effect & { do: "saveFile" }, deadline: Millis): void {
    const failure: Event = { is: "fileSaved", file, sha256: "", bytes: 0, fault: "storageFailed" };
    const id = this.#begin(`save ${file}`, deadline, failure);
    this.#ports.uploads.save(file, bytes).then(
      (saved) => this.#finish(id, { is: "fileSaved", file, sha256: saved.sha256, bytes: saved.bytes }) || this.delete(file),
      (error: unknown) => {
        this.#observeFailure(file, error);
        this.#finish(id, failure);
      },
    );
  }

  delete(file: string): void {
    this.#ports.uploads.delete(file).catch((error: unknown) => this.#observeFailure(file, error));
  }

  run({ job, name, input, deadline }: Effect & { do: "runJob" }, settings: Settings): void {
    const failure = { is: "jobFinished", job, fault: "jobLost" } as const;
    const id = this.#begin(`run ${job}`, deadline, failure);
    this.#ports.jobs.run(name, input, settings).then(
      (output) => this.#finish(id, { is: "jobFinished", job, output }),
      (error: unknown) => {
        const isFinal = error instanceof PermanentError;
        this.#finish(id, { ...failure, reason: errorText(error), ...(isFinal && { isFinal }) });
      },
    );
  }

  nextDeadline(): Millis | undefined {
    return this.#deadlines.earliest();
  }

  tick(now: Millis): void {
    for (const id of this.#deadlines.due(now)) {
      const failure = this.#failures.get(id);
      if (failure !== undefined) this.#finish(id, failure);
    }
  }

  #begin(id: string, deadline: Millis, failure: Event): string {
    this.#failures.set(id, failure);
    this.#deadlines.set(id, deadline);
    return id;
  }

  /** Pushes the event of a piece of work. False if there was one before. */
  #finish(id: string, answer: Event): boolean {
    if (!this.#failures.delete(id)) return false;
    this.#deadlines.clear(id);
    this.#push(answer);
    return true;
  }

  #observeFailure(file: string, error: unknown): void {
    this.#ports.observe({ is: "store_failed", key: file, reason: String(error) });
  }
}
