/**
 * A process that copies bytes between its clients and `argv[2]`, a port on this machine, and does nothing else: what any second process in
 * between costs at least. Prints its port.
 */
import process from "node:process";
import type { Socket } from "bun";

/** One end of a pair of connections; `early` arrived before the other end was open. */
interface End {
  other: Socket<End> | undefined;
  readonly early: Buffer[];
}

const port = Number(process.argv[2]);

function copy({ data: { other, early } }: Socket<End>, bytes: Buffer): void {
  if (other === undefined) early.push(Buffer.from(bytes));
  // Why an error: the load never fills a socket's buffer, so a short write means that this measures something else.
  else if (other.write(bytes) !== bytes.length) throw new Error("a write was not complete");
}

const server = Bun.listen<End>({
  hostname: "127.0.0.1",
  port: 0,
  socket: {
    open: (client) => {
      client.setNoDelay(true);
      client.data = { other: undefined, early: [] };
      void Bun.connect<End>({
        hostname: "127.0.0.1",
        port,
        socket: {
          open: (relay) => {
            relay.setNoDelay(true);
            relay.data = { other: client, early: [] };
            client.data.other = relay;
            for (const bytes of client.data.early) relay.write(bytes);
          },
          data: copy,
          close: () => void client.end(),
        },
      });
    },
    data: copy,
    close: ({ data }) => void data.other?.end(),
  },
});
console.log(server.port);
