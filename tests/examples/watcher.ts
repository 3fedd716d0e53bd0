/**
 * A watcher: prints the events of the relay, one on each line, and sends one command.
 *
 * Run it with `bun tests/examples/watcher.ts [URL] [TOKEN] [TARGET]`; with a TARGET it sends that integration a `ping`.
 */
import process from "node:process";

const [url = "ws://127.0.0.1:8765", token = "super-secret-token", target] = process.argv.slice(2);
const socket = new WebSocket(url);
const send = (message: object) => socket.send(JSON.stringify(message));

socket.addEventListener("open", () => {
  send({ type: "neuro-os", name: "example-watcher", auth_token: token });
  if (target !== undefined) send({ target, cmd: { action: "ping" }, request_id: "1" });
});
socket.addEventListener("message", ({ data }) => {
  const { event, id: _id, at, ...fields } = JSON.parse(String(data));
  const time = new Date(at ?? Date.now()).toISOString().slice(11, 23);
  console.log(event === undefined ? `reply ${JSON.stringify(fields)}` : `${time} ${event} ${JSON.stringify(fields)}`);
});
socket.addEventListener("close", ({ code, reason }) => console.log(`closed ${code} ${reason}`));
