/**
 * What takes time and is not a write: reads, uploads and jobs. Each ends as an event, at its deadline at the latest.
 *
 * Invariant: every request is answered exactly once; what comes after its answer is dropped.
 */
import { Deadlines } from "../core/deadlines.ts";
import type { Effect } from "../core/effect.ts";
import type { Event } from "../core/event.ts";
import { type JobId, jobId, type Millis } from "../core/ids.ts";
import type { Settings } from "../core/settings.ts";
import type { Ports } from "./ports.ts";

export class Work {
  readonly #ports: Ports;
  readonly #push: (event: Event) => void;
  readonly #jobs = new Deadlines();

  constructor(ports: Ports, push: (event: Event) => void) {
    this.#ports = ports;
    this.#push = push;
  }

  load({ token, keys }: Effect & { do: "load" }): void {
    this.#ports.store.read(keys).then(
      (entries) => this.#push({ is: "loaded", token, entries }),
      (error: unknown) => this.#push({ is: "loadFailed", token, reason: String(error) }),
    );
  }

  upload(effect: Effect & { do: "save" | "discard" }): void {
    const { uploads } = this.#ports;
    if (effect.do === "discard") {
      uploads.discard(effect.file).catch((error: unknown) => this.#lost(effect.file, error));
      return;
    }
    const { file } = effect;
    uploads.save(file, effect.bytes).then(
      ({ sha256, bytes }) => this.#push({ is: "saved", file, sha256, bytes }),
      (error: unknown) => {
        this.#lost(file, error);
        this.#push({ is: "saved", file, sha256: "", bytes: 0, fault: "storageFailed" });
      },
    );
  }

  run({ job, name, input, deadline }: Effect & { do: "run" }, settings: Settings): void {
    this.#jobs.set(job, deadline);
    this.#ports.jobs.run(name, input, settings).then(
      (output) => this.#finish(job) && this.#push({ is: "ran", job, output }),
      () => this.#finish(job) && this.#push({ is: "ran", job, fault: "jobLost" }),
    );
  }

  nextDeadline(): Millis | undefined {
    return this.#jobs.earliest();
  }

  tick(now: Millis): void {
    for (const id of this.#jobs.due(now)) this.#push({ is: "ran", job: jobId(id), fault: "jobLost" });
  }

  #finish(job: JobId): boolean {
    const isAwaited = this.#jobs.get(job) !== undefined;
    this.#jobs.clear(job);
    return isAwaited;
  }

  #lost(file: string, error: unknown): void {
    this.#ports.observe({ is: "store_failed", key: file, reason: String(error) });
  }
}
