/**
 * Replays the backend's side of a recorded conversation to a game that connects.
 *
 * It sends each line when the game has sent everything that came before it and matters, with the recorded pause. Actions keep their
 * recorded ids, so the results of the game correspond to the recorded results.
 * Invariants: P1 lines are sent in order, each once; P2 a silent game delays a line by at most `patience`.
 */
import type { StepContext } from "../core/context.ts";
import type { ServiceEvent } from "../core/event.ts";
import type { Millis, PeerId } from "../core/ids.ts";
import type { Frame } from "../core/json.ts";
import { Comparison, type ExpectedFact } from "./comparison.ts";
import { factsOfGame, readMessage, requestedAction } from "./neuro-facts.ts";
import {
  answerRequests,
  LINGER_MS,
  type Replay,
  replayOf,
  ReplayPace,
  type ReplayPlayer,
  type ReplayReport,
  type ReplayScript,
  reportOf,
} from "./replay.ts";

type BackendLine =
  | { readonly is: "send"; readonly t: Millis; readonly frame: Frame }
  /** The game sent something, in which these facts are expected. */
  | { readonly is: "expect"; readonly t: Millis; readonly facts: readonly ExpectedFact[] };

class BackendPlayer implements ReplayPlayer {
  readonly #script: ReplayScript;
  readonly #lines: readonly BackendLine[];
  /** The names of the actions, by id. */
  readonly #names = new Map<string, string>();
  readonly #comparison = new Comparison();
  readonly #count: number;
  #peer: PeerId | undefined;
  #pace: ReplayPace | undefined;
  #next = 0;
  /** When the last line was played. */
  #finishedAt: Millis | undefined;
  #played = 0;
  wakeup: Millis | undefined;
  report: ReplayReport | undefined;

  constructor(script: ReplayScript) {
    this.#script = script;
    for (const { by, frame } of script.transcript) {
      const action = by === "backend" ? requestedAction(readMessage(frame)) : undefined;
      if (action !== undefined) this.#names.set(action.id, action.name);
    }
    this.#lines = script.transcript.map(({ t, by, frame }) =>
      by === "backend"
        ? { is: "send", t, frame }
        : { is: "expect", t, facts: this.#factsIn(frame).map((fact) => this.#comparison.expect(fact)) }
    );
    this.#count = this.#lines.filter(({ is }) => is === "send").length;
  }

  step(event: ServiceEvent, ctx: StepContext): void {
    answerRequests(event, ctx);
    if (this.report !== undefined) return;
    if (event.is === "draining") return this.#end("stopped", ctx);
    if (event.is === "opened") this.#open(event.peer, ctx);
    else if (event.is === "frame" && event.peer === this.#peer) {
      for (const fact of this.#factsIn(event.frame)) this.#comparison.add(fact);
    } else if (event.is === "closed" && event.peer === this.#peer) {
      this.#peer = undefined;
      const isComplete = this.#next === this.#lines.length && this.#comparison.isComplete;
      return this.#end(isComplete ? undefined : `the game disconnected (${event.code})`, ctx);
    }
    this.#play(ctx);
  }

  #open(peer: PeerId, ctx: StepContext): void {
    // Why one: a recording has one game, and the messages of two games could not be distinguished.
    if (this.#peer !== undefined) return ctx.emit({ do: "close", peer, fault: "tooManyPeers" });
    this.#peer = peer;
    this.#pace = new ReplayPace(this.#script, ctx.now);
  }

  #play(ctx: StepContext): void {
    const [pace, peer] = [this.#pace, this.#peer];
    if (pace === undefined || peer === undefined) return;
    for (let line = this.#lines[this.#next]; line !== undefined; line = this.#lines[++this.#next]) {
      this.wakeup = line.is === "expect" ? this.#waitUntil(line.t, line.facts, pace) : pace.due(line.t);
      if (this.wakeup > ctx.now) return;
      if (line.is === "send") {
        ctx.emit({ do: "send", to: peer, frame: line.frame });
        this.#played++;
      }
      if (line.is === "send" || line.facts.some(({ fact }) => fact.matters)) pace.passed(line.t, ctx.now);
    }
    this.#finishedAt ??= ctx.now;
    this.wakeup = this.#finishedAt + (this.#comparison.isComplete ? LINGER_MS : this.#script.patience);
    if (this.wakeup <= ctx.now) this.#end(undefined, ctx);
  }

  /** How long to wait for these facts; 0 when they have come or do not matter. */
  #waitUntil(t: Millis, facts: readonly ExpectedFact[], pace: ReplayPace): Millis {
    const isAwaited = facts.some(({ fact, hasCome }) => fact.matters && !hasCome);
    return isAwaited ? pace.expected(t) + this.#script.patience : 0;
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

/** Replays the backend to the first game that connects. */
export function replayBackend(script: ReplayScript): Replay {
  return replayOf(new BackendPlayer(script));
}
