/**
 * Dials from a Durable Object with `fetch`, because the platform's WebSocket constructor takes no headers.
 *
 * Such a connection keeps the object awake for a while, and is lost when the object is evicted. Its backlog is hidden.
 */
import type { Frame } from "../../core/json.ts";
import type { ClientSocket, ClientSocketListener, Dialer, DialRequest } from "../../websocket-client/dialer.ts";

export const dial: Dialer = (request, listener) => new FetchedSocket(request, listener);

class FetchedSocket implements ClientSocket {
  readonly #listener: ClientSocketListener;
  readonly #abort = new AbortController();
  #socket: WebSocket | undefined;
  #isOver = false;

  constructor({ url, headers }: DialRequest, listener: ClientSocketListener) {
    this.#listener = listener;
    const address = url.replace(/^ws(?=s?:)/i, "http");
    new URL(address); // Why: an invalid URL must throw here.
    // Why `manual`: a redirect could send the headers, and tokens in the URL, to another host.
    const response = fetch(address, {
      headers: { ...headers, upgrade: "websocket" },
      redirect: "manual",
      signal: this.#abort.signal,
    });
    response.then((response) => this.#respond(response), (error: unknown) => this.#close(1006, String(error)));
  }

  send(frame: Frame): number {
    try {
      this.#socket?.send(frame);
    } catch {
      return 0; // Why: the socket has just closed; `closed` follows.
    }
    return 0;
  }

  close(code = 1000, reason = ""): void {
    this.#isOver = true;
    if (this.#socket === undefined) this.#abort.abort();
    else closeQuietly(this.#socket, code, reason);
  }

  #respond(response: Response): void {
    const socket = response.webSocket;
    if (socket === null) {
      void response.body?.cancel();
      return this.#close(1006, `status ${response.status} instead of 101`);
    }
    socket.accept();
    if (this.#isOver) return closeQuietly(socket);
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
    socket.addEventListener("message", ({ data }) => {
      if (!this.#isOver) this.#listener.received(typeof data === "string" ? data : new Uint8Array(data));
    });
    socket.addEventListener("close", ({ code, reason }) => this.#close(code, reason));
    socket.addEventListener("error", ({ message }) => this.#close(1006, message));
    this.#listener.opened();
  }

  #close(code: number, reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#listener.closed(code, reason);
  }
}

function closeQuietly(socket: WebSocket, code = 1000, reason = ""): void {
  try {
    socket.close(code, reason);
  } catch {
    return; // Why: it is closed already.
  }
}
