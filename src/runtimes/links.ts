/**
 * Dialled connections, by the link ids of the engine.
 *
 * Invariants: a link that was closed or replaced causes no event; exactly one `dropped` follows a dial, unless the link is closed;
 * nothing here throws.
 */
import type { Event } from "../core/event.ts";
import type { LinkId } from "../core/ids.ts";
import type { Frame } from "../core/json.ts";
import { errorText } from "../core/text.ts";
import { closeCode, closeReason } from "../websocket-client/close.ts";
import type { ClientSocket, Dialer } from "../websocket-client/dialer.ts";

export class Links {
  readonly #push: (event: Event) => void;
  readonly #dial: Dialer;
  readonly #sockets = new Map<LinkId, ClientSocket>();

  constructor(push: (event: Event) => void, dial: Dialer) {
    this.#push = push;
    this.#dial = dial;
  }

  /** The number of links that are open or being opened. */
  get size(): number {
    return this.#sockets.size;
  }

  dial(link: LinkId, url: string, headers: Readonly<Record<string, string>>): void {
    this.closeLink(link);
    const push = this.#push;
    const isCurrent = () => this.#sockets.get(link) === socket;
    const drop = (code: number, reason: string, isFinal = false): void => {
      this.#sockets.delete(link);
      push({ is: "dropped", link, code, reason: closeReason(reason), ...(isFinal && { isFinal }) });
    };
    let socket: ClientSocket | undefined;
    try {
      socket = this.#dial({ url, headers }, {
        opened: () => isCurrent() && push({ is: "dialed", link }),
        received: (frame) => isCurrent() && push({ is: "received", link, frame }),
        relieved: () => isCurrent() && push({ is: "linkRelieved", link }),
        closed: (code, reason) => isCurrent() && drop(code, reason),
      });
      this.#sockets.set(link, socket);
    } catch (error) {
      drop(1006, errorText(error), true); // Why final: a dialer throws only for a request that can never be sent.
    }
  }

  /** Returns the bytes that still wait. */
  send(link: LinkId, frame: Frame): number {
    return this.#sockets.get(link)?.send(frame) ?? 0;
  }

  /** Writes what was sent since the last flush, where sockets can. */
  flush(): void {
    for (const socket of this.#sockets.values()) socket.flush?.();
  }

  closeLink(link: LinkId, code = 1000, reason = ""): void {
    const socket = this.#sockets.get(link);
    this.#sockets.delete(link);
    socket?.close(closeCode(code), closeReason(reason));
  }

  /** Closes all links. */
  close(): void {
    for (const link of [...this.#sockets.keys()]) this.closeLink(link);
  }
}
