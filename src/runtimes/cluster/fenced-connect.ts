/**
 * Outgoing connections behind the output fence. The check is directly before the system call, below everything that collects frames: a frame
 * that was sent while the lease held, and is written when it does not, stays here.
 *
 * A closed fence looks like a peer that does not read. The bytes stay with the sender, whose limits on a backlog apply.
 */
import type { OutputFence } from "../../cluster/output-fence.ts";
import type { ByteStream, ByteStreamListener, RawDialerPorts } from "../../websocket-client/raw-socket.ts";

type Connect = RawDialerPorts["connect"];

export class FencedConnections {
  readonly #connect: Connect;
  readonly #fence: OutputFence;
  readonly #streams = new Set<ByteStream>();
  /** Streams whose last write the fence refused. */
  #refused = new Set<ByteStreamListener>();

  constructor(connect: Connect, fence: OutputFence) {
    this.#connect = connect;
    this.#fence = fence;
  }

  /** Connects. What arrives is handed over even while the fence is closed. */
  readonly connect: Connect = (endpoint, listener) => {
    let opened: ByteStream | undefined;
    return this.#connect(endpoint, {
      connected: (stream) => {
        opened = stream;
        this.#streams.add(stream);
        // Why later: the first write, the request of the handshake, is not repeated if it is refused.
        this.#fence.pass(() => listener.connected(this.#fenced(stream, listener)));
      },
      received: (bytes) => listener.received(bytes),
      drained: () => listener.drained(),
      closed: (reason) => {
        if (opened !== undefined) this.#streams.delete(opened);
        this.#refused.delete(listener);
        listener.closed(reason);
      },
    });
  };

  /** The lease was confirmed: writes that were refused are repeated. */
  release(): void {
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

  #fenced(stream: ByteStream, listener: ByteStreamListener): ByteStream {
    return {
      write: (bytes) => {
        if (this.#fence.isOpen()) return stream.write(bytes);
        this.#refused.add(listener);
        return 0;
      },
      end: () => stream.end(),
      terminate: () => stream.terminate(),
      pause: () => stream.pause(),
      resume: () => stream.resume(),
    };
  }
}
