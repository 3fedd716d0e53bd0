/**
 * Outgoing connections behind the output fence. The check is directly before the system call, below everything that collects frames: a frame
 * that was sent while the lease held, and is written when it does not, stays here.
 *
 * A closed fence looks like a peer that does not read. The bytes stay with the sender, whose limits on a backlog apply. What arrives meanwhile is held
 * by the relay; at `HELD_BYTES_MAX` the connection is not read any more, so that the peer has to wait.
 */
import type { OutputFence } from "../../cluster/output-fence.ts";
import type { ByteStream, ByteStreamListener, RawDialerPorts } from "../../websocket-client/raw-socket.ts";

type Connect = RawDialerPorts["connect"];

/** Bytes of one connection that are read while the fence holds something. */
export const HELD_BYTES_MAX: number = 8 * 1_048_576;

export class FencedConnections {
  readonly #connect: Connect;
  readonly #fence: OutputFence;
  readonly #streams = new Set<FencedStream>();
  /** Streams whose last write the fence refused. */
  #refused = new Set<ByteStreamListener>();

  constructor(connect: Connect, fence: OutputFence) {
    this.#connect = connect;
    this.#fence = fence;
  }

  /** Connects. What arrives is handed over even while the fence is closed. */
  readonly connect: Connect = (endpoint, listener) => {
    let opened: FencedStream | undefined;
    return this.#connect(endpoint, {
      connected: (stream) => {
        const fenced = new FencedStream(stream, this.#fence, () => this.#refused.add(listener));
        this.#streams.add(opened = fenced);
        // Why later: the first write, the request of the handshake, is not repeated if it is refused.
        this.#fence.pass(() => listener.connected(fenced));
      },
      received: (bytes) => {
        listener.received(bytes);
        if (this.#fence.isHolding) opened?.hold(bytes.length);
      },
      drained: () => listener.drained(),
      closed: (reason) => {
        if (opened !== undefined) this.#streams.delete(opened);
        this.#refused.delete(listener);
        listener.closed(reason);
      },
    });
  };

  /** The lease was confirmed: writes that were refused are repeated, and connections are read again. */
  release(): void {
    if (this.#fence.isHolding) return;
    for (const stream of this.#streams) stream.readAgain();
    const refused = this.#refused;
    this.#refused = new Set();
    for (const listener of refused) listener.drained();
  }

  /** The lease was lost: nothing is sent any more, not even a close frame. */
  terminate(): void {
    for (const stream of this.#streams) stream.terminate();
    this.#streams.clear();
    this.#refused.clear();
  }
}

class FencedStream implements ByteStream {
  readonly #stream: ByteStream;
  readonly #fence: OutputFence;
  readonly #refused: () => void;
  /** Bytes that were read while the fence held something. */
  #heldBytes = 0;
  #isPausedByReader = false;

  constructor(stream: ByteStream, fence: OutputFence, refused: () => void) {
    this.#stream = stream;
    this.#fence = fence;
    this.#refused = refused;
  }

  write(bytes: Uint8Array<ArrayBuffer>): number {
    if (this.#fence.isOpen()) return this.#stream.write(bytes);
    this.#refused();
    return 0;
  }

  end(): void {
    this.#stream.end();
  }

  terminate(): void {
    this.#stream.terminate();
  }

  pause(): void {
    this.#isPausedByReader = true;
    this.#stream.pause();
  }

  resume(): void {
    this.#isPausedByReader = false;
    if (this.#heldBytes < HELD_BYTES_MAX) this.#stream.resume();
  }

  hold(bytes: number): void {
    const before = this.#heldBytes;
    this.#heldBytes += bytes;
    if (before < HELD_BYTES_MAX && this.#heldBytes >= HELD_BYTES_MAX) this.#stream.pause();
  }

  readAgain(): void {
    const wasFull = this.#heldBytes >= HELD_BYTES_MAX;
    this.#heldBytes = 0;
    if (wasFull && !this.#isPausedByReader) this.#stream.resume();
  }
}
