/** What both ways of playing a recording have in common: its pace, and how it ends. */
import type { ServiceEvent } from "../core/event.ts";
import type { Millis } from "../core/ids.ts";
import { printable } from "../core/json.ts";
import type { Service } from "../core/service.ts";
import type { StepContext } from "../core/context.ts";
import { supervise, type SupervisedService } from "../relay/mod.ts";
import type { Comparison, Difference } from "./comparison.ts";
import type { Said } from "./conversations.ts";

/** What is played, and how. */
export interface Script {
  readonly said: readonly Said[];
  /** When the recorded connection was made. */
  readonly from: Millis;
  /** How many times as fast as it was recorded; `Infinity` leaves all pauses out. */
  readonly speed: number;
  /** How long the other side may be late before it is taken for silent. */
  readonly patience: Millis;
}

/** How it went. */
export interface Report {
  /** Why it ended before its end; undefined when it did not. */
  readonly broken: string | undefined;
  /** Messages that were played. */
  readonly played: number;
  readonly of: number;
  /** Facts of the other side that were as recorded. */
  readonly agreed: number;
  readonly differing: number;
  readonly differences: readonly Difference[];
}

/** When all has come, more is listened for so long: what was not recorded would come now. */
export const LINGER_MS = 500;

/** Where in the script it is, and when the next line is due: lines keep their distance from the last one that counted. */
export class Pace {
  readonly #speed: number;
  #at: Millis;
  #t: Millis;

  constructor({ speed, from }: Script, now: Millis) {
    this.#speed = speed;
    this.#at = now;
    this.#t = from;
  }

  /** When something is due that was recorded at `t`. */
  due(t: Millis): Millis {
    return this.#at + this.span(t - this.#t);
  }

  /** When something that the other side said at `t` would come, were it as slow as it was: no speed makes it think faster. */
  expected(t: Millis): Millis {
    return this.#at + Math.max(0, t - this.#t);
  }

  /** It was done, now. */
  passed(t: Millis, now: Millis): void {
    this.#t = t;
    this.#at = now;
  }

  /** A time between two things of the recording, at this speed. */
  span(ms: Millis): Millis {
    return Math.max(0, Math.round(ms / this.#speed));
  }
}

/** A recording that is played in place of the relay's own room of the Neuro API, and how it went once it is over. */
export interface Playing {
  readonly room: SupervisedService;
  report(): Report | undefined;
}

/** One side of a recorded conversation, as it is played. */
export interface Player {
  step(event: ServiceEvent, ctx: StepContext): void;
  /** When it wants to be woken; undefined: only by what happens. */
  readonly wakeup: Millis | undefined;
  readonly report: Report | undefined;
}

/** The room that a player is. */
export function playingOf(player: Player): Playing {
  const room: Service<Player> = {
    name: "neuro",
    resident: [],
    restore: () => player,
    step: (_state, event, ctx) => player.step(event, ctx),
    nextWakeup: () => player.wakeup,
  };
  return { room: supervise(room), report: () => player.report };
}

/** Whatever room plays, it is asked these things, too. */
export function answerFormalities(event: ServiceEvent, ctx: StepContext): void {
  if (event.is === "requested") ctx.emit({ do: "respond", requestId: event.requestId, body: { ok: true, waits: [] } });
  if (event.is === "draining") ctx.emit({ do: "drained", service: "neuro" });
}

/** How it went, as far as it was compared. */
export function reportOf(
  comparison: Comparison,
  { played, of, broken }: Pick<Report, "played" | "of" | "broken">,
): Report {
  const { agreed, differing } = comparison;
  return { broken, played, of, agreed, differing, differences: comparison.differences() };
}

/** The report for people, a line for each difference. */
export function reportLines({ broken, played, of, agreed, differing, differences }: Report): readonly string[] {
  if (broken !== undefined && played === 0 && agreed === 0) return [`nothing was played: ${broken}`];
  return [
    ...differences.map(differenceLine),
    ...(differing > differences.length ? [`and ${differing - differences.length} more`] : []),
    `${played} of ${of} messages played, ${agreed} answers as recorded, ${differing} not${
      broken === undefined ? "" : `: ${broken}`
    }`,
  ];
}

const SHOWN_MAX = 200;

function differenceLine({ is, what, recorded, now }: Difference): string {
  const cut = (text: string) => (text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}...` : text);
  const sides = [
    ...(recorded === undefined || recorded === "null" ? [] : [`recorded ${cut(recorded)}`]),
    ...(now === undefined || now === "null" ? [] : [`now ${cut(now)}`]),
  ];
  return `${is.padEnd(9)} ${printable(what)}${sides.length === 0 ? "" : `: ${sides.map(printable).join(", ")}`}`;
}
