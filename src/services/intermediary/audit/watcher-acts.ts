/** Observes the changes that watchers make. Programs send commands all day, so equal acts of one watcher are observed once a minute. */
import { assertNever } from "../../../core/assert.ts";
import type { StepContext } from "../../../core/context.ts";
import type { FaultName } from "../../../core/fault.ts";
import type { Key, Millis } from "../../../core/ids.ts";
import { AUDIT_TARGET_LENGTH_MAX } from "../../../core/limits.ts";
import { shorten } from "../../../core/text.ts";
import type { WatcherRequest } from "../codec/watcher-requests.ts";

/** The requests of watchers that change something. */
export const WATCHER_ACTS: ReadonlySet<string> = new Set(["command", "direct", "choice"] satisfies WatcherRequest["is"][]);

const INTERVAL_MS: Millis = 60_000;
const ACTS_MAX = 1_000;

export class WatcherActs {
  /** When each act was observed last. */
  readonly #lastObserved = new Map<string, Millis>();
  /** Acts whose message is being written, by its key. */
  readonly #pending = new Map<Key, { readonly by: string; readonly act: WatcherAct }>();

  /** Records an act once its message is stored, or could not be. */
  recordAfter(key: Key, by: string, request: WatcherRequest): void {
    const act = actOf(request);
    if (act !== undefined) this.#pending.set(key, { by, act });
  }

  /** The write of a message has ended, for which an act may wait. */
  writeEnded(key: Key, isStored: boolean, ctx: StepContext): void {
    const pending = this.#pending.get(key);
    if (pending === undefined) return;
    this.#pending.delete(key);
    this.#record(pending.by, pending.act, isStored ? "done" : "storageFailed", ctx);
  }

  record(by: string, request: WatcherRequest, outcome: "done" | FaultName, ctx: StepContext): void {
    const act = actOf(request);
    if (act !== undefined) this.#record(by, act, outcome, ctx);
  }

  #record(by: string, { is, to }: WatcherAct, outcome: "done" | FaultName, ctx: StepContext): void {
    const act = `${is}\n${outcome}\n${by}\n${to}`;
    if ((this.#lastObserved.get(act) ?? -Infinity) + INTERVAL_MS > ctx.now) return;
    if (this.#lastObserved.size >= ACTS_MAX) this.#lastObserved.clear();
    this.#lastObserved.set(act, ctx.now);
    // Why the prefix: a watcher chooses its name, and could choose that of a token.
    ctx.observe({ is: "operator_acted", by: `watcher ${by}`, did: is, to, outcome });
  }
}

/** What is kept of a request: not its payload, and only the beginning of the object that it names. */
interface WatcherAct {
  readonly is: WatcherRequest["is"];
  readonly to: string;
}

function actOf(request: WatcherRequest): WatcherAct | undefined {
  const to = subjectOf(request);
  return to === undefined ? undefined : { is: request.is, to: shorten(to, AUDIT_TARGET_LENGTH_MAX) };
}

/** The object of an act. Undefined for a request that changes nothing. */
function subjectOf(request: WatcherRequest): string | undefined {
  switch (request.is) {
    case "command":
      return request.target;
    case "choice":
      return request.name;
    case "direct":
      return "neuro";
    case "peers":
    case "actions":
    case "subscribe":
    case "unknown":
    case "invalid":
      return undefined;
    default:
      return assertNever(request);
  }
}
