/**
 * Plays a recorded game to a backend.
 *
 * It says what the game said, in order, with the recorded pauses, and waits for as many actions as had come by then. Whatever action
 * the backend asks for is answered with the recorded results of that action, one after the other, under the id that it has now.
 * Invariants: G1 lines are played in order, each once; G2 no action is answered twice; G3 a backend that stays silent delays a line
 * by no more than the patience.
 */
import type { ServiceEvent } from "../core/event.ts";
import { type LinkId, linkId, type Millis } from "../core/ids.ts";
import { type Frame, isObject, type JsonObject } from "../core/json.ts";
import type { StepContext } from "../core/context.ts";
import { Comparison } from "./comparison.ts";
import { bareUrl } from "./masks.ts";
import { answeredIn, type Asked, askedIn, factsOfBackend, readMessage } from "./messages.ts";
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

/** A backend that is just being started is tried for so long, again after each of these. */
const DIAL_MS = 10_000;
const ATTEMPT_MS = 2_000;
const RETRY_MS = 250;

type Line =
  | { readonly t: Millis; readonly is: "say"; readonly frame: Frame }
  /** The so-many-eth action had come, or had been answered. */
  | { readonly t: Millis; readonly is: "asked" | "answered"; readonly count: number }
  | { readonly t: Millis; readonly is: "nothing" };

/** How the recorded game answered an action once. */
interface Answer {
  readonly message: JsonObject;
  readonly afterMs: Millis;
}

interface DueAnswer {
  readonly at: Millis;
  readonly frame: string;
}

class Game implements Player {
  readonly #script: Script;
  readonly #url: string;
  readonly #lines: readonly Line[];
  /** By the name of the action; undefined for one that the game did not answer. */
  readonly #answers = new Map<string, (Answer | undefined)[]>();
  readonly #used = new Map<string, number>();
  readonly #due: DueAnswer[] = [];
  readonly #comparison = new Comparison();
  readonly #count: number;
  #link: LinkId | undefined;
  #dialUntil: Millis | undefined;
  #pace: Pace | undefined;
  #next = 0;
  #played = 0;
  #asked = 0;
  #answered = 0;
  /** When the last line was said. */
  #finishedAt: Millis | undefined;
  /** The first tick dials. */
  wakeup: Millis | undefined = 0;
  report: Report | undefined;

  constructor(script: Script, url: string) {
    this.#script = script;
    this.#url = url;
    this.#lines = this.#read();
    this.#count = this.#lines.filter(({ is }) => is === "say").length;
  }

  step(event: ServiceEvent, ctx: StepContext): void {
    answerFormalities(event, ctx);
    if (this.report !== undefined) return;
    switch (event.is) {
      case "draining":
        return this.#end("stopped", ctx);
      case "tick":
        return this.#tick(ctx);
      case "dialed":
        this.#pace = new Pace(this.#script, ctx.now);
        return this.#play(ctx);
      case "received":
        this.#hear(event.frame, ctx);
        return this.#play(ctx);
      case "dropped":
        return this.#dropped(event, ctx);
    }
  }

  #dropped({ code, reason }: ServiceEvent & { readonly is: "dropped" }, ctx: StepContext): void {
    this.#link = undefined;
    if (this.#pace === undefined) {
      if (ctx.now >= (this.#dialUntil ?? 0)) {
        return this.#end(`no connection to ${bareUrl(this.#url)}: ${reason || code}`, ctx);
      }
      this.wakeup = ctx.now + RETRY_MS;
      return;
    }
    const isOver = this.#next === this.#lines.length && this.#comparison.isComplete;
    this.#end(isOver ? undefined : `the backend closed the connection (${code})`, ctx);
  }

  #tick(ctx: StepContext): void {
    if (this.#pace !== undefined) return this.#play(ctx);
    if ((this.wakeup ?? 0) > ctx.now) return;
    if (this.#link !== undefined) ctx.emit({ do: "closeLink", link: this.#link });
    this.#dialUntil ??= ctx.now + DIAL_MS;
    if (ctx.now > this.#dialUntil) return this.#end(`no connection to ${bareUrl(this.#url)}: no answer`, ctx);
    this.#link = linkId(`neuro:replay:${ctx.id()}`);
    this.wakeup = ctx.now + ATTEMPT_MS;
    ctx.emit({ do: "dial", link: this.#link, url: this.#url });
  }

  #hear(frame: Frame, ctx: StepContext): void {
    const message = readMessage(frame);
    for (const fact of factsOfBackend(message)) this.#comparison.heard(fact);
    const asked = askedIn(message);
    if (asked === undefined) return;
    this.#asked++;
    const answer = this.#answerTo(asked);
    if (answer === undefined) return;
    const { data } = answer.message;
    const frameNow = JSON.stringify({ ...answer.message, data: { ...(isObject(data) && data), id: asked.id } });
    this.#due.push({ at: ctx.now + (this.#pace?.span(answer.afterMs) ?? 0), frame: frameNow });
    this.#due.sort((left, right) => left.at - right.at);
  }

  /** Undefined where the recorded game was silent. The last answer is given again when there are no more. */
  #answerTo({ name }: Asked): Answer | undefined {
    const answers = this.#answers.get(name);
    if (answers === undefined) {
      // Why a success: a backend tries what has failed again and again.
      return {
        message: { command: "action/result", data: { success: true, message: "not in the recording" } },
        afterMs: 0,
      };
    }
    const used = this.#used.get(name) ?? 0;
    this.#used.set(name, used + 1);
    return answers[Math.min(used, answers.length - 1)];
  }

  /** Why two in turn: what a game says between an action and its result goes before the result. */
  #play(ctx: StepContext): void {
    const pace = this.#pace;
    if (pace === undefined || this.#link === undefined) return;
    do this.wakeup = this.#playLines(pace, ctx); while (this.#answerDue(this.#link, ctx));
    const [answer] = this.#due;
    if (answer !== undefined && (this.wakeup === undefined || answer.at < this.wakeup)) this.wakeup = answer.at;
    if (this.#next < this.#lines.length) return;
    this.#finishedAt ??= ctx.now;
    const endsAt = this.#finishedAt + (this.#comparison.isComplete ? LINGER_MS : this.#script.patience);
    if (answer === undefined && endsAt <= ctx.now) return this.#end(undefined, ctx);
    if (endsAt > ctx.now) this.wakeup = Math.min(this.wakeup ?? endsAt, endsAt);
  }

  /** Says what is due; returns when the next line is. */
  #playLines(pace: Pace, ctx: StepContext): Millis | undefined {
    for (let line = this.#lines[this.#next]; line !== undefined; line = this.#lines[++this.#next]) {
      const at = this.#dueOf(line, pace);
      if (at > ctx.now) return at;
      if (line.is === "nothing") continue;
      if (line.is === "say" && this.#link !== undefined) {
        ctx.emit({ do: "send", to: this.#link, frame: line.frame });
        this.#played++;
      }
      pace.passed(line.t, ctx.now);
    }
    return undefined;
  }

  #dueOf(line: Line, pace: Pace): Millis {
    switch (line.is) {
      case "say":
        return pace.due(line.t);
      case "nothing":
        return 0;
      case "asked":
      case "answered": {
        const count = line.is === "asked" ? this.#asked : this.#answered;
        return count >= line.count ? 0 : pace.expected(line.t) + this.#script.patience;
      }
    }
  }

  /** True when there was an answer that is due. */
  #answerDue(link: LinkId, ctx: StepContext): boolean {
    const [first] = this.#due;
    if (first === undefined || first.at > ctx.now) return false;
    this.#due.shift();
    this.#answered++;
    ctx.emit({ do: "send", to: link, frame: first.frame });
    return true;
  }

  #end(broken: string | undefined, ctx: StepContext): void {
    this.wakeup = undefined;
    this.report = reportOf(this.#comparison, { played: this.#played, of: this.#count, broken });
    if (this.#link !== undefined) ctx.emit({ do: "closeLink", link: this.#link });
  }

  /** What the script means for a game. */
  #read(): readonly Line[] {
    const askedAt = new Map<string, { readonly name: string; readonly t: Millis; readonly place: number }>();
    let [asked, answered] = [0, 0];
    return this.#script.said.map(({ t, by, frame }): Line => {
      const message = readMessage(frame);
      if (by === "backend") {
        for (const fact of factsOfBackend(message)) this.#comparison.expect(fact);
        const action = askedIn(message);
        if (action === undefined) return { t, is: "nothing" };
        const answers = this.#answers.get(action.name) ?? [];
        this.#answers.set(action.name, answers);
        askedAt.set(action.id, { name: action.name, t, place: answers.push(undefined) - 1 });
        return { t, is: "asked", count: ++asked };
      }
      const id = answeredIn(message);
      const request = id === undefined ? undefined : askedAt.get(id);
      if (id === undefined || request === undefined) {
        // Why left out: a result that answers nothing recorded would answer nothing now.
        return id === undefined ? { t, is: "say", frame } : { t, is: "nothing" };
      }
      askedAt.delete(id);
      const answers = this.#answers.get(request.name);
      const { game } = message;
      if (answers !== undefined) {
        answers[request.place] = {
          message: { command: "action/result", ...(game !== undefined && { game }), data: message.data },
          afterMs: t - request.t,
        };
      }
      return { t, is: "answered", count: ++answered };
    });
  }
}

/** A game that says to the backend at this address what was said to the recorded one. */
export function playGame(script: Script, url: string): Playing {
  return playingOf(new Game(script, url));
}
