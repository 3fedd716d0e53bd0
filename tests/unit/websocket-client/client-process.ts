/**
 * The WebSocket client of the relay, on Bun or Deno: dials `/0`, `/1` and so on of a port, and prints what it received from each.
 * Arguments: the port, the number of dials.
 */
import { argv } from "node:process";
import { createRawDialer } from "../../../src/websocket-client/raw-socket.ts";

const PARALLEL = 16;
const [port, count] = argv.slice(-2).map(Number);
// Why a variable: each type checker knows only the types of its own runtime.
const runtime: string = "Deno" in globalThis ? "deno" : "bun";
const { connect } = await import(`../../../src/websocket-client/${runtime}-byte-stream.ts`);
const dial = createRawDialer({ connect, afterTurn: (run) => void setImmediate(run) });

let next = 0;
function dialNext(): void {
  const index = next++;
  if (index >= (count ?? 0)) return;
  const messages: string[] = [];
  let isOpen = false;
  dial({ url: `ws://127.0.0.1:${port}/${index}`, headers: {} }, {
    opened: () => (isOpen = true),
    received: (frame) => messages.push(typeof frame === "string" ? frame.slice(0, 70_000) : `bytes ${frame.length}`),
    relieved: () => {},
    closed: (code, reason) => {
      console.log(JSON.stringify({ index, isOpen, messages, code, reason }));
      dialNext();
    },
  });
}
for (let at = 0; at < PARALLEL; at++) dialNext();
