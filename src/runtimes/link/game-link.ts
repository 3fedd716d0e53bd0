/**
 * `link --listen`: brings one game to a relay that it cannot reach by itself, for example because it cannot use TLS.
 *
 * Each game has a connection of its own to the relay. Frames pass unchanged. When the connection to the relay breaks, the game keeps its socket for
 * `keepMs`, because many games never reconnect; its frames wait meanwhile. The relay asks a game that it does not know yet for its actions, so
 * the game has to do nothing; the name of the game, which it needs for that, is read from the game's frames.
 *
 * Invariants: Y1 frames of the game leave in order, each at most once; Y2 what waits never exceeds `WAITING_CHARS_MAX`; Y3 the game's socket is closed
 * once the relay refuses it, or is away for `keepMs`.
 */
import { assertNever } from "../../core/assert.ts";
import type { StepContext } from "../../core/context.ts";
import { earlier } from "../../core/deadlines.ts";
import type { LinkEvent } from "../../core/event.ts";
import { FAULTS } from "../../core/fault.ts";
import type { Millis } from "../../core/ids.ts";
import { type Frame, isObject, parseJson } from "../../core/json.ts";
import {
  closeLink,
  createLink,
  dialLink,
  failLink,
  linkDeadline,
  linkDue,
  linkIdOf,
  type LinkOptions,
  loseLink,
  openLink,
} from "../../core/link.ts";
import { closeReason, NO_CODE } from "../../websocket-client/close.ts";
import type { ServerSocket } from "../connections.ts";
import { passedCode } from "./control.ts";
import { BACKLOG_BYTES_MAX, DIAL_TIMEOUT_MS, type LinkMachine } from "./link-driver.ts";

export interface GameLinkOptions {
  /** The URL of the relay's game port, with the path of the game, without a token. */
  readonly relayUrl: string;
  readonly token: string;
  /** 0: the game's socket ends with the connection to the relay. */
  readonly keepMs: Millis;
  report(line: string): void;
}

const BACKOFF = { baseMs: 100, capMs: 5_000 };
const WAITING_CHARS_MAX = 262_144;
const GAME_NAME_MAX = 64;
/** Codes of a relay that restarts, or that was lost: it will be there again. */
const TEMPORARY: readonly number[] = [1001, NO_CODE, 1006, 1011, 1012, 1013];

export class GameLink implements LinkMachine {
  readonly #options: GameLinkOptions;
  readonly #game: ServerSocket;
  readonly #relay = createLink("link", "relay");
  /** The name in the first frame that had one. */
  #name: string | undefined;
  #waiting: Frame[] = [];
  #waitingChars = 0;
  /** When the game is given up; undefined while the relay is connected. */
  #keepUntil: Millis | undefined;
  #isOver = false;

  constructor(game: ServerSocket, options: GameLinkOptions) {
    this.#game = game;
    this.#options = options;
  }

  start(ctx: StepContext): void {
    this.#keepUntil = ctx.now + Math.max(this.#options.keepMs, DIAL_TIMEOUT_MS);
    this.#dial(ctx);
  }

  /** A frame of the game. */
  gameFrame(frame: Frame, ctx: StepContext): void {
    if (this.#isOver) return;
    this.#name ??= nameIn(frame);
    const to = this.#relay.state.is === "open" ? linkIdOf(this.#relay) : undefined;
    if (to !== undefined) return ctx.emit({ do: "send", to, frame });
    this.#waitingChars += frame.length;
    if (this.#waitingChars > WAITING_CHARS_MAX) {
      return this.#end(FAULTS.slowGame.close, `more than ${WAITING_CHARS_MAX} characters while the relay is away`, ctx);
    }
    this.#waiting.push(frame);
  }

  gameClosed(code: number, reason: string, ctx: StepContext): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const link = linkIdOf(this.#relay);
    if (link !== undefined) ctx.emit({ do: "closeLink", link, code: passedCode(code), reason });
    closeLink(this.#relay, ctx);
  }

  /** The program stops. */
  stop(ctx: StepContext): void {
    this.#end(FAULTS.restarting.close, "the link stops", ctx);
  }

  handle(event: LinkEvent, ctx: StepContext): void {
    if (event.link !== linkIdOf(this.#relay)) return;
    switch (event.is) {
      case "dialed":
        openLink(this.#relay, ctx.now);
        this.#keepUntil = undefined;
        for (const frame of this.#waiting) ctx.emit({ do: "send", to: event.link, frame });
        this.#waiting = [];
        this.#waitingChars = 0;
        return;
      case "received":
        if (this.#game.write([event.frame]) > BACKLOG_BYTES_MAX) {
          this.#end(FAULTS.slowGame.close, FAULTS.slowGame.message, ctx);
        }
        return;
      case "dropped":
        return this.#dropped(event, ctx);
      case "linkBackpressure":
        return this.#end(FAULTS.slowGame.close, "the relay is too slow", ctx);
      case "linkRelieved":
        return;
      default:
        return assertNever(event);
    }
  }

  tick(ctx: StepContext): void {
    if (this.#keepUntil !== undefined && this.#keepUntil <= ctx.now) {
      return this.#end(FAULTS.backendAway.close, "the relay is away", ctx);
    }
    const due = linkDue(this.#relay, ctx.now);
    if (due === "redial") this.#dial(ctx);
    else if (due === "dialTimeout") failLink(this.#relay, this.#dialOptions(), ctx);
  }

  nextWakeup(): Millis | undefined {
    return this.#isOver ? undefined : earlier(linkDeadline(this.#relay), this.#keepUntil);
  }

  #dropped({ code, reason, isFinal }: LinkEvent & { is: "dropped" }, ctx: StepContext): void {
    const wasOpen = this.#relay.state.is === "open";
    const { keepMs, report } = this.#options;
    const isKept = isFinal !== true && TEMPORARY.includes(code) && (keepMs > 0 || !wasOpen);
    report(
      `${this.#name ?? "a game"}: no connection to the relay${isKept ? ", trying again" : ""}: ${code} ${reason}`.trimEnd(),
    );
    if (!isKept) return this.#end(code, reason, ctx);
    this.#keepUntil ??= ctx.now + keepMs;
    loseLink(this.#relay, this.#dialOptions(), ctx);
  }

  #dial(ctx: StepContext): void {
    dialLink(this.#relay, this.#dialOptions(), ctx);
  }

  #dialOptions(): LinkOptions {
    const { relayUrl, token } = this.#options;
    const url = new URL(relayUrl);
    if (this.#name !== undefined) {
      url.pathname = `${url.pathname.replace(/\/game\/[^/]*\/?$|\/+$/, "")}/game/${encodeURIComponent(this.#name)}`;
    }
    return {
      url: String(url),
      backoff: BACKOFF,
      dialTimeoutMs: DIAL_TIMEOUT_MS,
      ...(token !== "" && { headers: { authorization: `Bearer ${token}` } }),
    };
  }

  #end(code: number, reason: string, ctx: StepContext): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#waiting = [];
    closeLink(this.#relay, ctx);
    this.#game.close(passedCode(code), closeReason(reason));
  }
}

/** The `game` in a frame of a game. Nothing else of it is read. */
function nameIn(frame: Frame): string | undefined {
  if (typeof frame !== "string" || !frame.includes('"game"')) return undefined;
  const message = parseJson(frame, 64);
  const name = isObject(message) ? message.game : undefined;
  return typeof name === "string" && name !== "" && name.length <= GAME_NAME_MAX ? name : undefined;
}
