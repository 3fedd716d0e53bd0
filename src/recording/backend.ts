/**
 * Plays the backend's side of a recorded conversation to a game that connects.
 *
 * It says each line when the game has said all that had been said before it, as far as it can matter, and with the pause that was
 * recorded. Actions keep their recorded ids, so the results of the game answer the recorded results.
 * Invariants: P1 lines are played in order, each once; P2 a game that stays silent delays a line by no more than the patience.
 */
import type { ServiceEvent } from "../core/event.ts";
import type { Millis, PeerId } from "../core/ids.ts";
import type { Frame } from "../core/json.ts";
import type { StepContext } from "../core/context.ts";
import { Comparison, type Expected } from "./comparison.ts";
import {
  answerFormalities,
  LINGER_MS,
  Pace,
  type Player,
  type Playing,
  playingOf,
  type Report,
  reportOf,
  type Script,
} from "./play.ts";
import { askedIn, factsOfGame, readMessage } from "./messages.ts";

interface Line {
  readonly t: Millis;
  /** What the backend says; undefined where the game speaks. */
  readonly frame: Frame | undefined;
  /** What the game is expected to have said by then. */
  readonly expected: readonly Expected[];
}

class Backend implements Player {
  readonly #script: Script;
  readonly #lines: readonly Line[];
  readonly #names = new Map<string, string>();
  readonly #comparison = new Comparison();
  readonly #count: number;
  #peer: PeerId | undefined;
  #pace: Pace | undefined;
  #next = 0;
  /** When the last line was played. */
  #finishedAt: Millis | undefined;
  #played = 0;
  wakeup: Millis | undefined;
  report: Report | undefined;

  constructor(script: Script) {
    this.#script = script;
    for (const { by, frame } of script.said) {
      const asked = by === "backend" ? askedIn(readMessage(frame)) : undefined;
      if (asked !== undefined) this.#names.set(asked.id, asked.name);
    }
    this.#lines = script.said.map(({ t, by, frame }) => ({
      t,
      frame: by === "backend" ? frame : undefined,
      expected: by === "backend" ? [] : this.#factsIn(frame).map((fact) => this.#comparison.expect(fact)),
    }));
    this.#count = this.#lines.filter(({ frame }) => frame !== undefined).length;
  }

  step(event: ServiceEvent, ctx: StepContext): void {
    answerFormalities(event, ctx);
    if (this.report !== undefined) return;
    if (event.is === "draining") return this.#end("stopped", ctx);
    if (event.is === "opened") this.#open(event.peer, ctx);
    else if (event.is === "frame" && event.peer === this.#peer) {
      for (const fact of this.#factsIn(event.frame)) this.#comparison.heard(fact);
    } else if (event.is === "closed" && event.peer === this.#peer) {
      this.#peer = undefined;
      const isOver = this.#next === this.#lines.length && this.#comparison.isComplete;
      return this.#end(isOver ? undefined : `the game left (${event.code})`, ctx);
    }
    this.#play(ctx);
  }

  #open(peer: PeerId, ctx: StepContext): void {
    // Why one: a recording has one game, and what two of them say would be one muddle.
    if (this.#peer !== undefined) return ctx.emit({ do: "close", peer, fault: "tooManyPeers" });
    this.#peer = peer;
    this.#pace = new Pace(this.#script, ctx.now);
  }

  #play(ctx: StepContext): void {
    const [pace, peer] = [this.#pace, this.#peer];
    if (pace === undefined || peer === undefined) return;
    for (let line = this.#lines[this.#next]; line !== undefined; line = this.#lines[++this.#next]) {
      this.wakeup = line.frame === undefined ? this.#waitUntil(line, pace) : pace.due(line.t);
      if (this.wakeup > ctx.now) return;
      if (line.frame !== undefined) {
        ctx.emit({ do: "send", to: peer, frame: line.frame });
        this.#played++;
      }
      if (line.frame !== undefined || line.expected.some(({ fact }) => fact.matters)) pace.passed(line.t, ctx.now);
    }
    this.#finishedAt ??= ctx.now;
    this.wakeup = this.#finishedAt + (this.#comparison.isComplete ? LINGER_MS : this.#script.patience);
    if (this.wakeup <= ctx.now) this.#end(undefined, ctx);
  }

  /** Until when what the game said here is waited for; the beginning of time when it has come, or cannot matter. */
  #waitUntil(line: Line, pace: Pace): Millis {
    const isAwaited = line.expected.some(({ fact, hasCome }) => fact.matters && !hasCome);
    return isAwaited ? pace.expected(line.t) + this.#script.patience : 0;
  }

  #end(broken: string | undefined, ctx: StepContext): void {
    this.wakeup = undefined;
    this.report = reportOf(this.#comparison, { played: this.#played, of: this.#count, broken });
    if (this.#peer !== undefined) ctx.emit({ do: "close", peer: this.#peer, fault: "done" });
  }

  #factsIn(frame: Frame): ReturnType<typeof factsOfGame> {
    return factsOfGame(readMessage(frame), (id) => this.#names.get(id));
  }
}

/** A backend that says to the first game that connects what was said to the recorded one. */
export function playBackend(script: Script): Playing {
  return playingOf(new Backend(script));
}
