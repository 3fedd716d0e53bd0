/**
 * What takes time and is not a write: reads, uploads and jobs. Each ends as an event, at its deadline at the latest.
 *
 * Invariants: K1 every request is answered exactly once; K2 what comes after its answer is dropped, and an upload that lands then
 * is discarded.
 */
import { Deadlines } from "../core/deadlines.ts";
import type { Effect } from "../core/effect.ts";
import type { Event } from "../core/event.ts";
import type { Millis } from "../core/ids.ts";
import type { Settings } from "../core/settings.ts";
import type { Ports } from "./ports.ts";

export class Work {
  readonly #ports: Ports;
  readonly #push: (event: Event) => void;
  readonly #deadlines = new Deadlines();
  /** What is said of a request at its deadline; gone once it was answered. */
  readonly #failures = new Map<string, Event>();

  constructor(ports: Ports, push: (event: Event) => void) {
    this.#ports = ports;
    this.#push = push;
  }

  load({ token, keys }: Effect & { do: "load" }, deadline: Millis): void {
    const id = this.#begin(`load ${token}`, deadline, { is: "loadFailed", token, reason: "the store took too long" });
    this.#ports.store.read(keys).then(
      (entries) => this.#end(id, { is: "loaded", token, entries }),
      (error: unknown) => this.#end(id, { is: "loadFailed", token, reason: String(error) }),
    );
  }

  save({ file, bytes }: Effect & { do: "saveFile" }, deadline: Millis): void {
    const failure: Event = { is: "fileSaved", file, sha256: "", bytes: 0, fault: "storageFailed" };
    const id = this.#begin(`save ${file}`, deadline, failure);
    this.#ports.uploads.save(file, bytes).then(
      (saved) => this.#end(id, { is: "fileSaved", file, sha256: saved.sha256, bytes: saved.bytes }) || this.discard(file),
      (error: unknown) => {
        this.#lost(file, error);
        this.#end(id, failure);
      },
    );
  }

  discard(file: string): void {
    this.#ports.uploads.delete(file).catch((error: unknown) => this.#lost(file, error));
  }

  run({ job, name, input, deadline }: Effect & { do: "runJob" }, settings: Settings): void {
    const failure: Event = { is: "jobFinished", job, fault: "jobLost" };
    const id = this.#begin(`run ${job}`, deadline, failure);
    this.#ports.jobs.run(name, input, settings).then(
      (output) => this.#end(id, { is: "jobFinished", job, output }),
      () => this.#end(id, failure),
    );
  }

  nextDeadline(): Millis | undefined {
    return this.#deadlines.earliest();
  }

  tick(now: Millis): void {
    for (const id of this.#deadlines.due(now)) {
      const failure = this.#failures.get(id);
      if (failure !== undefined) this.#end(id, failure);
    }
  }

  #begin(id: string, deadline: Millis, failure: Event): string {
    this.#failures.set(id, failure);
    this.#deadlines.set(id, deadline);
    return id;
  }

  /** Answers a request; false when it had been answered before. */
  #end(id: string, answer: Event): boolean {
    if (!this.#failures.delete(id)) return false;
    this.#deadlines.clear(id);
    this.#push(answer);
    return true;
  }

  #lost(file: string, error: unknown): void {
    this.#ports.observe({ is: "store_failed", key: file, reason: String(error) });
  }
}
