/**
 * Dialled connections over the global `WebSocket`, for every runtime whose constructor takes headers.
 *
 * Invariants: a link that was hung up, or replaced, makes no event; exactly one `dropped` follows a dial that is not hung up;
 * nothing here throws.
 */
import type { Event } from "../core/event.ts";
import type { LinkId } from "../core/ids.ts";
import type { Frame } from "../core/json.ts";
import { closeReason, CLOSING_MS } from "./close.ts";

/** A link whose backlog fell below this is eased. */
const EASED_BYTES = 64 * 1_024;
const EASED_POLL_MS = 20;

/** The runtimes' constructor: the standard one, and headers. */
type Dialer = new (url: string, options: { headers: Readonly<Record<string, string>> }) => WebSocket;

export class Links {
  readonly #push: (event: Event) => void;
  readonly #sockets = new Map<LinkId, WebSocket>();
  readonly #pressed = new Set<LinkId>();
  #poll: ReturnType<typeof setTimeout> | undefined;

  constructor(push: (event: Event) => void) {
    this.#push = push;
  }

  dial(link: LinkId, url: string, headers: Readonly<Record<string, string>>): void {
    try {
      this.#watch(link, new (WebSocket as unknown as Dialer)(url, { headers })); // Why: the DOM's type knows no headers.
    } catch (error) {
      this.#push({ is: "dropped", link, code: 1006, reason: reasonOf(error) });
    }
  }

  /** Returns the bytes that wait after it. */
  send(link: LinkId, frame: Frame): number {
    const socket = this.#sockets.get(link);
    if (socket === undefined || socket.readyState !== WebSocket.OPEN) return 0;
    try {
      socket.send(typeof frame === "string" ? frame : Uint8Array.from(frame));
    } catch {
      return 0; // Why: it closed under our hands; `dropped` follows.
    }
    const waiting = socket.bufferedAmount;
    if (waiting > EASED_BYTES) this.#watchBacklog(link);
    return waiting;
  }

  hangup(link: LinkId): void {
    const socket = this.#sockets.get(link);
    if (socket === undefined) return;
    this.#forget(link);
    end(socket);
  }

  /** Lets go of all. */
  close(): void {
    clearTimeout(this.#poll);
    for (const link of [...this.#sockets.keys()]) this.hangup(link);
  }

  #watch(link: LinkId, socket: WebSocket): void {
    let trouble = "";
    socket.binaryType = "arraybuffer";
    this.#sockets.set(link, socket);
    const isMine = () => this.#sockets.get(link) === socket;
    socket.onopen = () => {
      if (isMine()) this.#push({ is: "dialed", link });
    };
    socket.onmessage = ({ data }) => {
      if (!isMine()) return;
      this.#push({ is: "received", link, frame: typeof data === "string" ? data : new Uint8Array(data) });
    };
    socket.onerror = (event) => {
      trouble = "message" in event && typeof event.message === "string" ? event.message : "connection failed";
    };
    socket.onclose = ({ code, reason }) => {
      if (!isMine()) return;
      this.#forget(link);
      this.#push({ is: "dropped", link, code, reason: closeReason(reason || trouble) });
    };
  }

  #forget(link: LinkId): void {
    this.#sockets.delete(link);
    this.#pressed.delete(link);
  }

  /** Why a poll: a dialled socket says nothing when its backlog is gone. */
  #watchBacklog(link: LinkId): void {
    this.#pressed.add(link);
    this.#poll ??= setTimeout(() => {
      this.#poll = undefined;
      for (const waiting of [...this.#pressed]) {
        const backlog = this.#sockets.get(waiting)?.bufferedAmount ?? 0;
        if (backlog > EASED_BYTES) this.#watchBacklog(waiting);
        else if (this.#pressed.delete(waiting)) this.#push({ is: "linkEased", link: waiting });
      }
    }, EASED_POLL_MS);
  }
}

/** Closes politely; whoever does not answer is cut off where the runtime can. */
function end(socket: WebSocket): void {
  try {
    socket.close(1000);
  } catch {
    return; // Why: it never came to be open, and is going.
  }
  const cut = setTimeout(
    () => "terminate" in socket && typeof socket.terminate === "function" && socket.terminate(),
    CLOSING_MS,
  );
  socket.onclose = () => clearTimeout(cut);
}

const reasonOf = (error: unknown): string => closeReason(error instanceof Error ? error.message : String(error));
