/**
 * Limits the requests of one connection that arrive in one piece.
 *
 * Why: Bun handles all of them within one turn of the event loop, and nothing else meanwhile. No browser and no common client sends a
 * request before it has the answer to the one before.
 */
import { PIPELINED_MAX } from "../upgrade.ts";

export class PipelineLimit {
  readonly #afterTurn: (run: () => void) => void;
  /** The port of the client that sent the last request: it identifies the connection, together with the address. */
  #port = 0;
  #count = 0;
  #isResetDue = false;

  constructor(afterTurn: (run: () => void) => void) {
    this.#afterTurn = afterTurn;
  }

  /** Counts one request. False if it is one too many. */
  admits(port: number): boolean {
    if (port !== this.#port) {
      this.#port = port;
      this.#count = 0;
    }
    if (!this.#isResetDue) {
      this.#isResetDue = true;
      this.#afterTurn(() => {
        this.#isResetDue = false;
        this.#count = 0;
      });
    }
    return ++this.#count <= PIPELINED_MAX;
  }
}
