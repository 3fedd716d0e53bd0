/** TCP and TLS connections on Bun that are given up. */
import { test } from "#runner";
import { connect } from "../../../src/websocket-client/bun-byte-stream.ts";
import { createRawDialer } from "../../../src/websocket-client/raw-socket.ts";
import { check } from "../../harness/check.ts";

test("RT29b a connection that is closed before TLS or the response is complete is released", async () => {
  const open = new Set<Bun.Socket>();
  const server = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: { open: (socket) => void open.add(socket), close: (socket) => void open.delete(socket), data() {} },
  });
  const until = async (holds: () => boolean): Promise<void> => {
    for (let waited = 0; waited < 5_000 && !holds(); waited += 5) await Bun.sleep(5);
    check.that(holds());
  };
  const dial = createRawDialer({ connect, afterTurn: (run) => void setImmediate(run) });
  const reported: unknown[] = [];
  const listener = {
    opened: () => reported.push("opened"),
    received: () => {},
    relieved: () => {},
    closed: (code: number, reason: string) => reported.push([code, reason]),
  };
  for (const scheme of ["ws", "wss"]) {
    const dialed = Array.from(
      { length: 20 },
      () => dial({ url: `${scheme}://127.0.0.1:${server.port}`, headers: {} }, listener),
    );
    await until(() => open.size === 20);
    for (const socket of dialed) socket.close();
    await until(() => open.size === 0);
  }
  const early = dial({ url: `wss://127.0.0.1:${server.port}`, headers: {} }, listener);
  early.close();
  await Bun.sleep(50);
  check.equal([open.size, reported], [0, []]);
  server.stop(true);
});
