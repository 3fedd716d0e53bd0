/**
 * Writes down what happens at the edge of a relay: who came, what was said, who went.
 *
 * It stands between the engine and the sockets it is lent, and only while a recording is wanted; the rooms know nothing of it.
 * Invariants: R1 no line holds a secret; R2 nothing is written after the last line, which says why there is no more; R3 what is
 * recorded goes on as it came, whatever becomes of the recording.
 */
import type { Event } from "../core/event.ts";
import { isLink, type LinkId, type Millis, type PeerId } from "../core/ids.ts";
import { isoTime } from "../core/text.ts";
import type { Frame } from "../core/json.ts";
import type { Secrets } from "../core/secrets.ts";
import type { Sockets } from "../engine/ports.ts";
import { bareUrl, masked } from "./masks.ts";
import { type End, type Happening, type Head, type Line, TAPE_VERSION } from "./tape.ts";

/** Where lines go. */
export interface Tape {
  /** Takes one line; false when there is no room for it. */
  write(line: string): boolean;
  /** Takes the very last one, for which there is always room. */
  end(line: string): void;
}

export interface RecorderOptions {
  readonly tape: Tape;
  /** The version of the relay. */
  readonly relay: string;
  now(): Millis;
  /** Told once when there is no more room. */
  full(): void;
}

type Told = Omit<Happening, "t" | "peer" | "listener" | "link">;

/** One connection. */
interface Subject {
  readonly peer: number;
  readonly listener?: string;
  readonly link?: string;
  isClosedByUs: boolean;
}

/** A path and a user agent, in characters. */
const TEXT_MAX = 512;

export class Recorder {
  readonly #options: RecorderOptions;
  readonly #secrets: Secrets;
  readonly #subjects = new Map<PeerId | LinkId, Subject>();
  readonly #startedAt: Millis;
  #count = 0;
  #isRecording = true;

  /** What `secrets` comes to know later is hidden from then on, too. */
  constructor(options: RecorderOptions, secrets: Secrets) {
    this.#options = options;
    this.#startedAt = options.now();
    this.#secrets = secrets;
    const { relay } = options;
    this.#write({ v: TAPE_VERSION, relay, started_at: isoTime(this.#startedAt) } satisfies Head);
  }

  /** Whatever reaches the engine. */
  happened(event: Event): void {
    if (!this.#isRecording) return;
    switch (event.is) {
      case "opened": {
        const { path, userAgent } = event.connection;
        const subject = { peer: ++this.#count, listener: event.listener, isClosedByUs: false };
        this.#subjects.set(event.peer, subject);
        return this.#tell(event.peer, { is: "opened", path: this.#shown(path), agent: this.#shown(userAgent) });
      }
      case "frame":
        return this.#tell(event.peer, { is: "in", ...masked(event.frame, this.#secrets) });
      case "received":
        return this.#tell(event.link, { is: "in", ...masked(event.frame, this.#secrets) });
      case "dialed":
        return this.#tell(event.link, { is: "opened" });
      case "closed":
        return this.#end(event.peer, { code: event.code });
      case "dropped":
        return this.#end(event.link, { code: event.code, reason: this.#shown(event.reason) });
    }
  }

  sent(to: PeerId | LinkId, frame: Frame): void {
    if (this.#isRecording) this.#tell(to, { is: "out", ...masked(frame, this.#secrets) });
  }

  dialled(link: LinkId, url: string): void {
    if (!this.#isRecording) return;
    this.#subjects.set(link, { peer: ++this.#count, link: nameOf(link), isClosedByUs: false });
    this.#tell(link, { is: "dialling", url: this.#shown(bareUrl(url)) });
  }

  /** The relay closes it: for a peer its own `closed` follows, for a link nothing does. */
  closing(of: PeerId | LinkId, code: number): void {
    const subject = this.#subjects.get(of);
    if (subject === undefined || !this.#isRecording) return;
    subject.isClosedByUs = true;
    if (isLink(of)) this.#end(of, { code });
  }

  /** The session is over. */
  stop(): void {
    this.#stop("ended");
  }

  #end(of: PeerId | LinkId, how: { readonly code: number; readonly reason?: string }): void {
    const by = this.#subjects.get(of)?.isClosedByUs === true ? "relay" : "peer";
    this.#tell(of, { is: "closed", ...how, by });
    this.#subjects.delete(of);
  }

  #tell(of: PeerId | LinkId, told: Told): void {
    const subject = this.#subjects.get(of);
    if (subject === undefined) return;
    const { peer, listener, link } = subject;
    this.#write({ t: this.#elapsed(), peer, ...(listener !== undefined ? { listener } : { link: link ?? "" }), ...told });
  }

  #write(line: Line): void {
    if (this.#options.tape.write(JSON.stringify(line))) return;
    this.#stop("full");
    this.#options.full();
  }

  #stop(why: End["is"]): void {
    if (!this.#isRecording) return;
    this.#isRecording = false;
    this.#subjects.clear();
    this.#options.tape.end(JSON.stringify({ t: this.#elapsed(), is: why } satisfies End));
  }

  #elapsed(): Millis {
    return this.#options.now() - this.#startedAt;
  }

  #shown(text: string): string {
    return this.#secrets.redact(text.slice(0, TEXT_MAX));
  }
}

/** The sockets that the engine is lent, with somebody who takes notes. */
export function overheard(sockets: Sockets, recorder: Recorder): Sockets {
  return {
    send(to, frame) {
      recorder.sent(to, frame);
      return sockets.send(to, frame);
    },
    flush: () => sockets.flush(),
    close(peer, code, reason) {
      recorder.closing(peer, code);
      sockets.close(peer, code, reason);
    },
    ping: (peer) => sockets.ping(peer),
    attach: (peer, attachment) => sockets.attach(peer, attachment),
    dial(link, url, headers) {
      recorder.dialled(link, url);
      sockets.dial(link, url, headers);
    },
    closeLink(link, code) {
      recorder.closing(link, code ?? 1000);
      sockets.closeLink(link, code);
    },
  };
}

/** `<room>:<name>` of `<room>:<name>:<attempt>`. */
const nameOf = (link: LinkId): string => link.split(":").slice(0, -1).join(":");
