/** Dials its own encrypted echo server and prints the outcome. The environment decides which certificates it trusts. */
import { connect } from "../../../src/websocket-client/bun-byte-stream.ts";
import { createRawDialer } from "../../../src/websocket-client/raw-socket.ts";
import { CERTIFICATE, KEY } from "./certificate.ts";

const server = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  tls: { key: KEY, cert: CERTIFICATE },
  fetch: (request, self) => (self.upgrade(request) ? undefined : new Response("no")),
  websocket: { message: (socket, message) => void socket.send(`echo ${message}`) },
});

const done = (text: string): never => {
  console.log(text);
  process.exit(0);
};
const dial = createRawDialer({ connect, afterTurn: (run) => void setImmediate(run) });
const socket = dial({ url: `wss://localhost:${server.port}`, headers: {} }, {
  opened: () => void socket.send("hello"),
  received: (frame) => done(`heard ${frame}`),
  relieved: () => {},
  closed: (code, reason) => done(`closed ${code} ${reason}`),
});
