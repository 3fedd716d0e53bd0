/**
 * `link --neuro`: connects a Neuro that this machine can reach to a relay that cannot reach her.
 *
 * The program dials the relay and waits. When the relay asks for it, the program dials Neuro, and after that passes every frame, in both
 * directions, unchanged. One connection to the relay carries at most one connection to Neuro; when either ends, so does the other, with the same
 * code, and the program dials the relay again.
 *
 * Invariants: J1 a frame passes only between `up` and the end, in order, and none is kept for later; J2 Neuro is connected only while the relay
 * is.
 */
import { assertNever } from "../../core/assert.ts";
import type { StepContext } from "../../core/context.ts";
import { earlier } from "../../core/deadlines.ts";
import type { LinkEvent } from "../../core/event.ts";
import { FAULTS } from "../../core/fault.ts";
import { type LinkId, linkId, type Millis } from "../../core/ids.ts";
import type { Frame } from "../../core/json.ts";
import {
  closeLink,
  createLink,
  dialLink,
  failLink,
  giveUpLink,
  linkDeadline,
  linkDue,
  linkIdOf,
  type LinkOptions,
  loseLink,
  openLink,
} from "../../core/link.ts";
import { redactUrl } from "../../core/text.ts";
import { decodeDial, encodeControl, passedCode } from "./control.ts";
import { DIAL_TIMEOUT_MS, type LinkMachine } from "./link-driver.ts";

export interface NeuroLinkOptions {
  /** The URL of the relay's link, without a token. */
  readonly relayUrl: string;
  readonly token: string;
  readonly neuroUrl: string;
  /** Takes lines for people. */
  report(line: string): void;
  /** Another program has taken over the name. This one does not fight for it: Neuro would be connected again every few seconds. */
  replaced(): void;
}

const BACKOFF = { baseMs: 100, capMs: 10_000 };
const VIA = "Neuro-Relay-Via";

type NeuroConnection =
  | { readonly is: "closed" }
  | { readonly is: "dialing"; readonly id: LinkId; readonly until: Millis }
  | { readonly is: "open"; readonly id: LinkId };

const CLOSED: NeuroConnection = { is: "closed" };

export class NeuroLink implements LinkMachine {
  readonly #options: NeuroLinkOptions;
  readonly #dialOptions: LinkOptions;
  readonly #relay = createLink("link", "relay");
  #neuro: NeuroConnection = CLOSED;
  /** The reason of the last report, so that each is reported once. */
  #reported = "";

  constructor(options: NeuroLinkOptions) {
    this.#options = options;
    const headers = { authorization: `Bearer ${options.token}` };
    this.#dialOptions = { url: options.relayUrl, backoff: BACKOFF, dialTimeoutMs: DIAL_TIMEOUT_MS, headers };
  }

  start(ctx: StepContext): void {
    dialLink(this.#relay, this.#dialOptions, ctx);
  }

  handle(event: LinkEvent, ctx: StepContext): void {
    if (event.link === linkIdOf(this.#relay)) return this.#handleRelay(event, ctx);
    if (this.#neuro.is !== "closed" && event.link === this.#neuro.id) this.#handleNeuro(event, ctx);
  }

  tick(ctx: StepContext): void {
    const due = linkDue(this.#relay, ctx.now);
    if (due === "redial") this.start(ctx);
    else if (due === "dialTimeout") {
      failLink(this.#relay, this.#dialOptions, ctx);
      this.#report(`the relay did not answer within ${DIAL_TIMEOUT_MS / 1_000} s; trying again`);
    }
    if (this.#neuro.is !== "dialing" || this.#neuro.until > ctx.now) return;
    ctx.emit({ do: "closeLink", link: this.#neuro.id });
    this.#neuroRefused(`no answer within ${DIAL_TIMEOUT_MS / 1_000} s`, ctx);
  }

  nextWakeup(): Millis | undefined {
    return earlier(linkDeadline(this.#relay), this.#neuro.is === "dialing" ? this.#neuro.until : undefined);
  }

  #handleRelay(event: LinkEvent, ctx: StepContext): void {
    switch (event.is) {
      case "dialed":
        openLink(this.#relay, ctx.now);
        return this.#report(`connected to the relay at ${redactUrl(this.#options.relayUrl)}`);
      case "received":
        return this.#receivedFromRelay(event.frame, ctx);
      case "dropped": {
        const { code, reason, isFinal } = event;
        this.#closeNeuro(code, reason, ctx);
        if (code === FAULTS.nameTaken.close) {
          closeLink(this.#relay, ctx);
          return this.#options.replaced();
        }
        if (isFinal) giveUpLink(this.#relay, reason);
        else loseLink(this.#relay, this.#dialOptions, ctx);
        const what = isFinal ? "the relay cannot be reached" : "no connection to the relay, trying again";
        return this.#report(`${what}: ${code} ${reason}`.trimEnd());
      }
      case "linkBackpressure":
        return this.#endBoth(FAULTS.slowGame.close, "the relay is too slow", ctx);
      case "linkRelieved":
        return;
      default:
        return assertNever(event);
    }
  }

  #handleNeuro(event: LinkEvent, ctx: StepContext): void {
    switch (event.is) {
      case "dialed":
        this.#neuro = { is: "open", id: event.link };
        this.#sendToRelay(encodeControl({ link: "up" }), ctx);
        return this.#report(`connected to Neuro at ${redactUrl(this.#options.neuroUrl)}`);
      case "received":
        return this.#sendToRelay(event.frame, ctx);
      case "dropped": {
        const { code, reason } = event;
        if (this.#neuro.is === "dialing") return this.#neuroRefused(reason || String(code), ctx);
        this.#neuro = CLOSED;
        this.#report(`the connection to Neuro ended: ${code} ${reason}`.trimEnd());
        return this.#closeRelay(code, reason, ctx);
      }
      case "linkBackpressure":
        return this.#endBoth(FAULTS.slowGame.close, "Neuro is too slow", ctx);
      case "linkRelieved":
        return;
      default:
        return assertNever(event);
    }
  }

  #receivedFromRelay(frame: Frame, ctx: StepContext): void {
    if (this.#neuro.is === "open") return ctx.emit({ do: "send", to: this.#neuro.id, frame });
    const asked = this.#neuro.is === "closed" ? decodeDial(frame) : undefined;
    if (asked === undefined) return this.#endBoth(FAULTS.badGreeting.close, "unexpected message", ctx);
    const id = linkId(`link:neuro:${ctx.id()}`);
    this.#neuro = { is: "dialing", id, until: ctx.now + DIAL_TIMEOUT_MS };
    const headers: Record<string, string> = asked.via === "" ? {} : { [VIA]: asked.via };
    ctx.emit({ do: "dial", link: id, url: this.#options.neuroUrl, headers });
  }

  #neuroRefused(why: string, ctx: StepContext): void {
    this.#neuro = CLOSED;
    this.#sendToRelay(encodeControl({ link: "down", why }), ctx);
    this.#report(`no connection to Neuro at ${redactUrl(this.#options.neuroUrl)}: ${why}`);
  }

  #sendToRelay(frame: Frame, ctx: StepContext): void {
    const to = linkIdOf(this.#relay);
    if (to !== undefined) ctx.emit({ do: "send", to, frame });
  }

  #endBoth(code: number, reason: string, ctx: StepContext): void {
    this.#report(`${reason}; connecting again`);
    this.#closeNeuro(code, reason, ctx);
    this.#closeRelay(code, reason, ctx);
  }

  #closeNeuro(code: number, reason: string, ctx: StepContext): void {
    if (this.#neuro.is === "closed") return;
    ctx.emit({ do: "closeLink", link: this.#neuro.id, code: passedCode(code), reason });
    this.#neuro = CLOSED;
  }

  /** Closes the connection to the relay, and dials it again. */
  #closeRelay(code: number, reason: string, ctx: StepContext): void {
    const link = linkIdOf(this.#relay);
    if (link !== undefined) ctx.emit({ do: "closeLink", link, code: passedCode(code), reason });
    loseLink(this.#relay, this.#dialOptions, ctx);
  }

  #report(line: string): void {
    if (line === this.#reported) return;
    this.#reported = line;
    this.#options.report(line);
  }
}
