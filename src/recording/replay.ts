/** Shared parts of the replays of a game and of a backend: the pace, the report, and the service that runs them. */
import type { StepContext } from "../core/context.ts";
import type { ServiceEvent } from "../core/event.ts";
import type { Millis } from "../core/ids.ts";
import { printable } from "../core/json.ts";
import type { Service } from "../core/service.ts";
import { supervise, type SupervisedService } from "../relay/mod.ts";
import type { Comparison, Difference } from "./comparison.ts";
import type { RecordedFrame } from "./conversations.ts";

/** What to replay, and how. */
export interface ReplayScript {
  readonly transcript: readonly RecordedFrame[];
  /** When the recorded connection was opened. */
  readonly from: Millis;
  /** 2 replays twice as fast as recorded; `Infinity` leaves out all pauses. */
  readonly speed: number;
  /** How long an expected message of the other side may be late before the replay goes on without it. */
  readonly patience: Millis;
}

export interface ReplayReport {
  /** Why the replay ended early; undefined when it did not. */
  readonly broken: string | undefined;
  /** The number of messages that were sent. */
  readonly played: number;
  /** The number of messages in the script. */
  readonly of: number;
  /** The number of facts of the other side that were as recorded. */
  readonly agreed: number;
  readonly differing: number;
  readonly differences: readonly Difference[];
}

/** After the last expected fact the replay listens this long for facts that were not recorded. */
export const LINGER_MS = 500;

/** Maps recorded times to the present: a line keeps its distance from the last line that other lines depend on. */
export class ReplayPace {
  readonly #speed: number;
  #at: Millis;
  #t: Millis;

  constructor({ speed, from }: ReplayScript, now: Millis) {
    this.#speed = speed;
    this.#at = now;
    this.#t = from;
  }

  /** When something is due that was recorded at `t`. */
  due(t: Millis): Millis {
    return this.#at + this.span(t - this.#t);
  }

  /** When the other side's message of `t` would come at its recorded speed: replaying faster does not make the other side faster. */
  expected(t: Millis): Millis {
    return this.#at + Math.max(0, t - this.#t);
  }

  /** The line of `t` was played now. */
  passed(t: Millis, now: Millis): void {
    this.#t = t;
    this.#at = now;
  }

  /** A recorded duration, at the speed of the replay. */
  span(ms: Millis): Millis {
    return Math.max(0, Math.round(ms / this.#speed));
  }
}

/** A replay as a service in place of the relay's own `neuro`, and its report once it has ended. */
export interface Replay {
  readonly service: SupervisedService;
  report(): ReplayReport | undefined;
}

/** One side of a recorded conversation. */
export interface ReplayPlayer {
  step(event: ServiceEvent, ctx: StepContext): void;
  /** The next deadline; undefined while only events matter. */
  readonly wakeup: Millis | undefined;
  readonly report: ReplayReport | undefined;
}

/** Wraps a player in a service. */
export function replayOf(player: ReplayPlayer): Replay {
  const service: Service<ReplayPlayer> = {
    name: "neuro",
    resident: [],
    restore: () => player,
    step: (_state, event, ctx) => player.step(event, ctx),
    nextWakeup: () => player.wakeup,
  };
  return { service: supervise(service), report: () => player.report };
}

/** Replies to requests and to a drain, in the way that every service must. */
export function answerRequests(event: ServiceEvent, ctx: StepContext): void {
  if (event.is === "requested") ctx.emit({ do: "respond", requestId: event.requestId, body: { ok: true, reasons: [] } });
  if (event.is === "draining") ctx.emit({ do: "drained", service: "neuro" });
}

export function reportOf(
  comparison: Comparison,
  { played, of, broken }: Pick<ReplayReport, "played" | "of" | "broken">,
): ReplayReport {
  const { agreed, differing } = comparison;
  return { broken, played, of, agreed, differing, differences: comparison.differences() };
}

/** The report for people: a line for each difference, and a summary. */
export function reportLines({ broken, played, of, agreed, differing, differences }: ReplayReport): readonly string[] {
  if (broken !== undefined && played === 0 && agreed === 0) return [`nothing was played: ${broken}`];
  return [
    ...differences.map(differenceLine),
    ...(differing > differences.length ? [`${differing - differences.length} more differences`] : []),
    `${played} of ${of} messages played, ${agreed} facts as recorded, ${differing} different${
      broken === undefined ? "" : `: ${broken}`
    }`,
  ];
}

const SHOWN_CHARS_MAX = 200;

function differenceLine({ is, what, recorded, now }: Difference): string {
  const cut = (text: string) => (text.length > SHOWN_CHARS_MAX ? `${text.slice(0, SHOWN_CHARS_MAX)}...` : text);
  const sides = [
    ...(recorded === undefined || recorded === "null" ? [] : [`recorded ${cut(recorded)}`]),
    ...(now === undefined || now === "null" ? [] : [`now ${cut(now)}`]),
  ];
  return `${is.padEnd(9)} ${printable(what)}${sides.length === 0 ? "" : `: ${sides.map(printable).join(", ")}`}`;
}
