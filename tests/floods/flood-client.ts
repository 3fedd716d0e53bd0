/**
 * A client that floods one listener of a relay from its own process, until it is killed: `flood-client.ts <kind> <port>`.
 *
 * Each connection writes as fast as the relay reads. A connection that the relay closes is replaced at once.
 */
import { connect } from "node:net";
import { argv, exit } from "node:process";
import { type Flood, FLOODS } from "./floods.ts";

const CONNECTIONS = 4;
const CHUNK_BYTES = 65_536;
/** The flood has begun after this time. */
const WARM_MS = 200;

function send(port: number, flood: Flood): void {
  const { head, greeting, unit } = flood;
  const chunk = Buffer.concat(
    Array.from(
      { length: Math.max(1, Math.ceil(CHUNK_BYTES / unit.length)) },
      () => unit,
    ),
  );
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  const write = () => {
    for (let count = 0; count < 4; count++) if (!socket.write(chunk)) return;
    setImmediate(write);
  };
  socket.on("connect", () => socket.write(head));
  // Why after the first answer: frames may only follow the response to an upgrade.
  if (head.length > 0) {
    socket.once("data", () => {
      if (greeting !== undefined) socket.write(greeting);
      write();
    });
  } else socket.on("connect", write);
  socket.on("data", () => {});
  socket.on("drain", write);
  socket.on("error", () => {});
  socket.on("close", () => setTimeout(() => send(port, flood), 1));
}

const [kind = "", port = ""] = argv.slice(2);
const chosen = FLOODS[kind];
if (chosen === undefined) exit(2);
for (let at = 0; at < (chosen.connections ?? CONNECTIONS); at++) {
  send(Number(port), chosen);
}
setTimeout(() => console.log("flooding"), WARM_MS);
