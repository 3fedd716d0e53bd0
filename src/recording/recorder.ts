/**
 * Records the traffic at the edge of a relay: connections, frames and closes.
 *
 * It stands between the engine and its sockets, and only while `record.file` is set. The services know nothing of it.
 * Invariants: R1 no line contains a secret; R2 nothing is written after the last line, which says why the recording ends; R3 recorded
 * traffic passes on unchanged, even if the recording fails.
 */
import { assertNever } from "../core/assert.ts";
import type { Event } from "../core/event.ts";
import { isLink, type LinkId, type Millis, type PeerId } from "../core/ids.ts";
import type { Frame } from "../core/json.ts";
import type { Secrets } from "../core/secrets.ts";
import { isoTime, redactUrl } from "../core/text.ts";
import type { Sockets } from "../engine/ports.ts";
import {
  type RecordedEvent,
  RECORDING_VERSION,
  type RecordingEnd,
  type RecordingHeader,
  type RecordingLine,
} from "./recording-file.ts";
import { redactFrame } from "./redact.ts";

/** Takes the lines of a recording. */
export interface RecordingSink {
  /** Takes one line; returns false when it does not fit. */
  write(line: string): boolean;
  /** Takes the last line, which always fits. */
  end(line: string): void;
}

export interface RecorderOptions {
  readonly sink: RecordingSink;
  /** The version of the relay. */
  readonly relay: string;
  now(): Millis;
  /** Called once when the sink is full. */
  full(): void;
}

type EventDetails = Omit<RecordedEvent, "t" | "peer" | "listener" | "link">;

interface RecordedConnection {
  readonly peer: number;
  readonly listener?: string;
  readonly link?: string;
  isClosedByRelay: boolean;
}

/** Characters of a path and of a user agent. */
const TEXT_CHARS_MAX = 512;

export class Recorder {
  readonly #options: RecorderOptions;
  readonly #secrets: Secrets;
  readonly #connections = new Map<PeerId | LinkId, RecordedConnection>();
  readonly #startedAt: Millis;
  #count = 0;
  #isRecording = true;

  /** Secrets that `secrets` learns later are hidden from then on. */
  constructor(options: RecorderOptions, secrets: Secrets) {
    this.#options = options;
    this.#startedAt = options.now();
    this.#secrets = secrets;
    const { relay } = options;
    this.#write({ v: RECORDING_VERSION, relay, started_at: isoTime(this.#startedAt) } satisfies RecordingHeader);
  }

  /** Records an event that reaches the engine. */
  record(event: Event): void {
    if (!this.#isRecording) return;
    switch (event.is) {
      case "opened": {
        const { path, userAgent } = event.connection;
        this.#connections.set(event.peer, { peer: ++this.#count, listener: event.listener, isClosedByRelay: false });
        return this.#append(event.peer, { is: "opened", path: this.#redacted(path), agent: this.#redacted(userAgent) });
      }
      case "frame":
        return this.#append(event.peer, { is: "in", ...redactFrame(event.frame, this.#secrets) });
      case "received":
        return this.#append(event.link, { is: "in", ...redactFrame(event.frame, this.#secrets) });
      case "dialed":
        return this.#append(event.link, { is: "opened" });
      case "closed":
        return this.#close(event.peer, { code: event.code });
      case "dropped":
        return this.#close(event.link, { code: event.code, reason: this.#redacted(event.reason) });
      case "throttled":
      case "controlFrame":
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
      case "tick":
      case "configured":
      case "draining":
      case "rebuilt":
        return;
      default:
        return assertNever(event);
    }
  }

  sent(to: PeerId | LinkId, frame: Frame): void {
    if (this.#isRecording) this.#append(to, { is: "out", ...redactFrame(frame, this.#secrets) });
  }

  dialled(link: LinkId, url: string): void {
    if (!this.#isRecording) return;
    this.#connections.set(link, { peer: ++this.#count, link: nameOf(link), isClosedByRelay: false });
    this.#append(link, { is: "dialling", url: this.#redacted(redactUrl(url)) });
  }

  /** The relay closes a connection. A `closed` event follows for a peer, and none for a link. */
  closing(id: PeerId | LinkId, code: number): void {
    const connection = this.#connections.get(id);
    if (connection === undefined || !this.#isRecording) return;
    connection.isClosedByRelay = true;
    if (isLink(id)) this.#close(id, { code });
  }

  /** Ends the session. */
  stop(): void {
    this.#stop("ended");
  }

  #close(id: PeerId | LinkId, how: { readonly code: number; readonly reason?: string }): void {
    const by = this.#connections.get(id)?.isClosedByRelay === true ? "relay" : "peer";
    this.#append(id, { is: "closed", ...how, by });
    this.#connections.delete(id);
  }

  #append(id: PeerId | LinkId, details: EventDetails): void {
    const connection = this.#connections.get(id);
    if (connection === undefined) return;
    const { peer, listener, link } = connection;
    const place = listener !== undefined ? { listener } : { link: link ?? "" };
    this.#write({ t: this.#elapsed(), peer, ...place, ...details });
  }

  #write(line: RecordingLine): void {
    if (this.#options.sink.write(JSON.stringify(line))) return;
    this.#stop("full");
    this.#options.full();
  }

  #stop(why: RecordingEnd["is"]): void {
    if (!this.#isRecording) return;
    this.#isRecording = false;
    this.#connections.clear();
    this.#options.sink.end(JSON.stringify({ t: this.#elapsed(), is: why } satisfies RecordingEnd));
  }

  #elapsed(): Millis {
    return this.#options.now() - this.#startedAt;
  }

  #redacted(text: string): string {
    return this.#secrets.redact(text.slice(0, TEXT_CHARS_MAX));
  }
}

/** The same sockets; what the engine does with them is recorded. */
export function recordSockets(sockets: Sockets, recorder: Recorder): Sockets {
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
    closeLink(link, code, reason) {
      recorder.closing(link, code ?? 1000);
      sockets.closeLink(link, code, reason);
    },
  };
}

/** `<service>:<name>` of `<service>:<name>:<attempt>`. */
const nameOf = (link: LinkId): string => link.split(":").slice(0, -1).join(":");
