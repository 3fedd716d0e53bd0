/**
 * Replays a recorded game to a backend.
 *
 * It sends the game's messages in order, with the recorded pauses, and first waits for as many actions as had come by then. Each
 * action that the backend requests is answered with the recorded results of that action, one after the other, under its present id.
 * Invariants: G1 lines are played in order, each once; G2 no action is answered twice; G3 a silent backend delays a line by at most
 * `patience`.
 */
import { assertNever } from "../core/assert.ts";
import type { StepContext } from "../core/context.ts";
import type { ServiceEvent } from "../core/event.ts";
import { type LinkId, linkId, type Millis } from "../core/ids.ts";
import { type Frame, isObject, type JsonObject } from "../core/json.ts";
import { redactUrl } from "../core/text.ts";
import { Comparison } from "./comparison.ts";
import { answeredActionId, factsOfBackend, readMessage, type RequestedAction, requestedAction } from "./neuro-facts.ts";
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

/** A backend that is just starting is dialled for this long. */
const DIAL_MS = 10_000;
/** The timeout of one attempt, and the pause before the next. */
const ATTEMPT_MS = 2_000;
const RETRY_MS = 250;

type GameLine =
  | { readonly t: Millis; readonly is: "send"; readonly frame: Frame }
  /** This many actions had been requested, or answered, by then. */
  | { readonly t: Millis; readonly is: "requested" | "answered"; readonly count: number }
  | { readonly t: Millis; readonly is: "nothing" };

/** How the recorded game answered an action once. */
interface RecordedResult {
  readonly message: JsonObject;
  readonly afterMs: Millis;
}

interface DueResult {
  readonly at: Millis;
  readonly frame: string;
}

class GamePlayer implements ReplayPlayer {
  readonly #script: ReplayScript;
  readonly #url: string;
  readonly #lines: readonly GameLine[];
  /** By the name of the action; undefined if the game did not answer. */
  readonly #results = new Map<string, (RecordedResult | undefined)[]>();
  /** The number of results used so far, by the name of the action. */
  readonly #used = new Map<string, number>();
  readonly #due: DueResult[] = [];
  readonly #comparison = new Comparison();
  readonly #count: number;
  #link: LinkId | undefined;
  #dialUntil: Millis | undefined;
  #pace: ReplayPace | undefined;
  #next = 0;
  #played = 0;
  #requested = 0;
  #answered = 0;
  /** When the last line was played. */
  #finishedAt: Millis | undefined;
  /** 0: the first tick dials. */
  wakeup: Millis | undefined = 0;
  report: ReplayReport | undefined;

  constructor(script: ReplayScript, url: string) {
    this.#script = script;
    this.#url = url;
    this.#lines = this.#readScript();
    this.#count = this.#lines.filter(({ is }) => is === "send").length;
  }

  step(event: ServiceEvent, ctx: StepContext): void {
    answerRequests(event, ctx);
    if (this.report !== undefined) return;
    switch (event.is) {
      case "draining":
        return this.#end("stopped", ctx);
      case "tick":
        return this.#tick(ctx);
      case "dialed":
        this.#pace = new ReplayPace(this.#script, ctx.now);
        return this.#play(ctx);
      case "received":
        this.#receive(event.frame, ctx);
        return this.#play(ctx);
      case "dropped":
        return this.#dropped(event, ctx);
      case "opened":
      case "frame":
      case "closed":
      case "throttled":
      case "ponged":
      case "backpressure":
      case "relieved":
      case "linkBackpressure":
      case "linkRelieved":
      case "stored":
      case "storeFailed":
      case "loaded":
      case "loadFailed":
      case "jobFinished":
      case "fileSaved":
      case "requested":
      case "configured":
      case "serviceMessage":
        return;
      default:
        return assertNever(event);
    }
  }

  #dropped({ code, reason }: ServiceEvent & { readonly is: "dropped" }, ctx: StepContext): void {
    this.#link = undefined;
    if (this.#pace === undefined) {
      if (ctx.now >= (this.#dialUntil ?? 0)) {
        return this.#end(`no connection to ${redactUrl(this.#url)}: ${reason || code}`, ctx);
      }
      this.wakeup = ctx.now + RETRY_MS;
      return;
    }
    const isComplete = this.#next === this.#lines.length && this.#comparison.isComplete;
    this.#end(isComplete ? undefined : `the backend closed the connection (${code})`, ctx);
  }

  #tick(ctx: StepContext): void {
    if (this.#pace !== undefined) return this.#play(ctx);
    if ((this.wakeup ?? 0) > ctx.now) return;
    if (this.#link !== undefined) ctx.emit({ do: "closeLink", link: this.#link });
    this.#dialUntil ??= ctx.now + DIAL_MS;
    if (ctx.now > this.#dialUntil) return this.#end(`no connection to ${redactUrl(this.#url)}: no answer`, ctx);
    this.#link = linkId(`neuro:replay:${ctx.id()}`);
    this.wakeup = ctx.now + ATTEMPT_MS;
    ctx.emit({ do: "dial", link: this.#link, url: this.#url });
  }

  #receive(frame: Frame, ctx: StepContext): void {
    const message = readMessage(frame);
    for (const fact of factsOfBackend(message)) this.#comparison.add(fact);
    const action = requestedAction(message);
    if (action === undefined) return;
    this.#requested++;
    const result = this.#resultFor(action);
    if (result === undefined) return;
    const { data } = result.message;
    const text = JSON.stringify({ ...result.message, data: { ...(isObject(data) && data), id: action.id } });
    this.#due.push({ at: ctx.now + (this.#pace?.span(result.afterMs) ?? 0), frame: text });
    this.#due.sort((left, right) => left.at - right.at);
  }

  /** Undefined if the recorded game did not answer. After the last recorded result, that one is repeated. */
  #resultFor({ name }: RequestedAction): RecordedResult | undefined {
    const results = this.#results.get(name);
    if (results === undefined) {
      // Why a success: a backend repeats a failed action again and again.
      return {
        message: { command: "action/result", data: { success: true, message: "not in the recording" } },
        afterMs: 0,
      };
    }
    const used = this.#used.get(name) ?? 0;
    this.#used.set(name, used + 1);
    return results[Math.min(used, results.length - 1)];
  }

  /** Why alternating: what the game sends between an action and its result must leave before the result. */
  #play(ctx: StepContext): void {
    const pace = this.#pace;
    if (pace === undefined || this.#link === undefined) return;
    do this.wakeup = this.#playLines(pace, ctx); while (this.#sendDueResult(this.#link, ctx));
    const [result] = this.#due;
    if (result !== undefined && (this.wakeup === undefined || result.at < this.wakeup)) this.wakeup = result.at;
    if (this.#next < this.#lines.length) return;
    this.#finishedAt ??= ctx.now;
    const endsAt = this.#finishedAt + (this.#comparison.isComplete ? LINGER_MS : this.#script.patience);
    if (result === undefined && endsAt <= ctx.now) return this.#end(undefined, ctx);
    if (endsAt > ctx.now) this.wakeup = Math.min(this.wakeup ?? endsAt, endsAt);
  }

  /** Sends what is due; returns when the next line is due. */
  #playLines(pace: ReplayPace, ctx: StepContext): Millis | undefined {
    for (let line = this.#lines[this.#next]; line !== undefined; line = this.#lines[++this.#next]) {
      const at = this.#dueOf(line, pace);
      if (at > ctx.now) return at;
      if (line.is === "nothing") continue;
      if (line.is === "send" && this.#link !== undefined) {
        ctx.emit({ do: "send", to: this.#link, frame: line.frame });
        this.#played++;
      }
      pace.passed(line.t, ctx.now);
    }
    return undefined;
  }

  #dueOf(line: GameLine, pace: ReplayPace): Millis {
    switch (line.is) {
      case "send":
        return pace.due(line.t);
      case "nothing":
        return 0;
      case "requested":
      case "answered": {
        const count = line.is === "requested" ? this.#requested : this.#answered;
        return count >= line.count ? 0 : pace.expected(line.t) + this.#script.patience;
      }
      default:
        return assertNever(line);
    }
  }

  /** True when a result was due. */
  #sendDueResult(link: LinkId, ctx: StepContext): boolean {
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

  /** The script from the game's side. */
  #readScript(): readonly GameLine[] {
    const open = new Map<string, { readonly name: string; readonly t: Millis; readonly place: number }>();
    let [requested, answered] = [0, 0];
    return this.#script.transcript.map(({ t, by, frame }): GameLine => {
      const message = readMessage(frame);
      if (by === "backend") {
        for (const fact of factsOfBackend(message)) this.#comparison.expect(fact);
        const action = requestedAction(message);
        if (action === undefined) return { t, is: "nothing" };
        const results = this.#results.get(action.name) ?? [];
        this.#results.set(action.name, results);
        open.set(action.id, { name: action.name, t, place: results.push(undefined) - 1 });
        return { t, is: "requested", count: ++requested };
      }
      const id = answeredActionId(message);
      if (id === undefined) return { t, is: "send", frame };
      const action = open.get(id);
      if (action === undefined) return { t, is: "nothing" }; // Why: a result for no recorded action would answer nothing now.
      open.delete(id);
      const { game } = message;
      const results = this.#results.get(action.name);
      if (results !== undefined) {
        results[action.place] = {
          message: { command: "action/result", ...(game !== undefined && { game }), data: message.data },
          afterMs: t - action.t,
        };
      }
      return { t, is: "answered", count: ++answered };
    });
  }
}

/** Replays the game to the backend at this URL. */
export function replayGame(script: ReplayScript, url: string): Replay {
  return replayOf(new GamePlayer(script, url));
}
