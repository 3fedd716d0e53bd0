/**
 * Links: dialled connections under the ids that the engine knows.
 *
 * Invariants: a link that was hung up, or replaced, makes no event; exactly one `dropped` follows a dial that is not hung up;
 * nothing here throws.
 */
import type { Event } from "../core/event.ts";
import type { LinkId } from "../core/ids.ts";
import type { Frame } from "../core/json.ts";
import { closeCode, closeReason } from "../websocket-client/close.ts";
import type { Dial, DialledSocket } from "../websocket-client/dial.ts";

export class Links {
  readonly #push: (event: Event) => void;
  readonly #dial: Dial;
  readonly #sockets = new Map<LinkId, DialledSocket>();

  constructor(push: (event: Event) => void, dial: Dial) {
    this.#push = push;
    this.#dial = dial;
  }

  /** Connections that are open, or being opened. */
  get size(): number {
    return this.#sockets.size;
  }

  dial(link: LinkId, url: string, headers: Readonly<Record<string, string>>): void {
    this.hangup(link);
    const push = this.#push;
    const isMine = () => this.#sockets.get(link) === socket;
    const dropped = (code: number, reason: string): void => {
      this.#sockets.delete(link);
      push({ is: "dropped", link, code, reason: closeReason(reason) });
    };
    let socket: DialledSocket | undefined;
    try {
      socket = this.#dial({ url, headers }, {
        opened: () => isMine() && push({ is: "dialed", link }),
        heard: (frame) => isMine() && push({ is: "received", link, frame }),
        eased: () => isMine() && push({ is: "linkRelieved", link }),
        closed: (code, reason) => isMine() && dropped(code, reason),
      });
      this.#sockets.set(link, socket);
    } catch (error) {
      dropped(1006, error instanceof Error ? error.message : String(error));
    }
  }

  /** Returns the bytes that wait after it. */
  send(link: LinkId, frame: Frame): number {
    return this.#sockets.get(link)?.send(frame) ?? 0;
  }

  hangup(link: LinkId, code = 1000): void {
    const socket = this.#sockets.get(link);
    this.#sockets.delete(link);
    socket?.end(closeCode(code));
  }

  /** Lets go of all. */
  close(): void {
    for (const link of [...this.#sockets.keys()]) this.hangup(link);
  }
}
