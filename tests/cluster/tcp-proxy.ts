/** A TCP proxy that can be frozen: both ends stay connected, and nothing passes. */
import { connect, createServer, type Server, type Socket } from "node:net";

export class TcpProxy {
  readonly port: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #isFrozen = false;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
  }

  static start(targetPort: number): Promise<TcpProxy> {
    return new Promise((resolve, reject) => {
      const server = createServer((client) => proxy.#accept(client, connect(targetPort, "127.0.0.1")));
      let proxy: TcpProxy;
      server.on("error", reject).listen(0, "127.0.0.1", () => {
        const address = server.address();
        proxy = new TcpProxy(server, typeof address === "object" && address !== null ? address.port : 0);
        resolve(proxy);
      });
    });
  }

  freeze(): void {
    this.#isFrozen = true;
    for (const socket of this.#sockets) socket.pause();
  }

  thaw(): void {
    this.#isFrozen = false;
    for (const socket of this.#sockets) socket.resume();
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #accept(client: Socket, target: Socket): void {
    for (const [from, to] of [[client, target], [target, client]] as const) {
      this.#sockets.add(from);
      from.setNoDelay(true);
      from.on("data", (bytes) => to.write(bytes));
      from.on("error", () => to.destroy());
      from.on("close", () => {
        this.#sockets.delete(from);
        to.destroy();
      });
      if (this.#isFrozen) from.pause();
    }
  }
}
