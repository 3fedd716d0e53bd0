/**
 * Dialling from a Durable Object: by `fetch`, since the constructor of its WebSocket takes no headers.
 *
 * Such a connection keeps the object awake for a while, and is lost when the object is taken away. Nothing shows how much waits.
 */
import type { Dial, DialledSocket, DialListener, DialRequest } from "../../websocket-client/dial.ts";
import type { Frame } from "../../core/json.ts";

export const dial: Dial = (request, listener) => new FetchedSocket(request, listener);

class FetchedSocket implements DialledSocket {
  readonly #listener: DialListener;
  readonly #giveUp = new AbortController();
  #socket: WebSocket | undefined;
  #isOver = false;

  constructor({ url, headers }: DialRequest, listener: DialListener) {
    this.#listener = listener;
    const address = url.replace(/^ws(?=s?:)/i, "http");
    new URL(address); // Why: what is no address throws here, and not later.
    // Why by hand: a redirect could take the headers, and what is in the address, somewhere else.
    const asking = fetch(address, {
      headers: { ...headers, upgrade: "websocket" },
      redirect: "manual",
      signal: this.#giveUp.signal,
    });
    asking.then((response) => this.#answered(response), (error: unknown) => this.#over(1006, String(error)));
  }

  send(frame: Frame): number {
    try {
      this.#socket?.send(frame);
    } catch {
      return 0; // Why: it closed under our hands; `closed` follows.
    }
    return 0;
  }

  end(): void {
    this.#isOver = true;
    if (this.#socket === undefined) this.#giveUp.abort();
    else closeQuietly(this.#socket);
  }

  #answered(response: Response): void {
    const socket = response.webSocket;
    if (socket === null) {
      void response.body?.cancel();
      return this.#over(1006, `answered ${response.status}`);
    }
    socket.accept();
    if (this.#isOver) return closeQuietly(socket);
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
    socket.addEventListener("message", ({ data }) => {
      if (!this.#isOver) this.#listener.heard(typeof data === "string" ? data : new Uint8Array(data));
    });
    socket.addEventListener("close", ({ code, reason }) => this.#over(code, reason));
    socket.addEventListener("error", ({ message }) => this.#over(1006, message));
    this.#listener.opened();
  }

  #over(code: number, reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#listener.closed(code, reason);
  }
}

function closeQuietly(socket: WebSocket): void {
  try {
    socket.close(1000);
  } catch {
    return; // Why: it is closed already.
  }
}
