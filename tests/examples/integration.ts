/**
 * An integration of the Intermediary: a jukebox that registers two actions and answers them.
 *
 * Run it with `bun tests/examples/integration.ts [URL] [TOKEN]`. It reconnects forever. Because it requests acks
 * (`"ack":true`), it receives every command that was sent while it was disconnected, in order.
 */
import process from "node:process";

const [url = "ws://127.0.0.1:8765", token = "super-secret-token"] = process.argv.slice(2);
const name = "jukebox";

const actions = [
  {
    name: "play_song",
    description: "Play a song on the jukebox.",
    schema: { type: "object", properties: { title: { type: "string" } }, required: ["title"] },
  },
  { name: "stop_music", description: "Stop the music." },
];

function connect(): void {
  const socket = new WebSocket(url);
  const send = (message: object) => socket.send(JSON.stringify(message));

  socket.addEventListener("open", () => {
    send({ type: "integration", name, auth_token: token, ack: true });
    send({ event: "register_actions", actions });
  });
  socket.addEventListener("message", ({ data }) => {
    const message = JSON.parse(String(data));
    if (message.id !== undefined) send({ ack: message.id });
    if (message.event === "registered") console.log(`registered as ${message.name}`);
    if (message.event === "action") {
      const { id, name: action, data: parameters } = message.payload;
      console.log(`action ${action} ${parameters ?? ""}`.trimEnd());
      send({ event: "action_result", payload: { id, success: true, message: `${action} is done.` } });
    }
    if (message.cmd !== undefined) console.log(`command from ${message.from_watcher}: ${JSON.stringify(message.cmd)}`);
  });
  socket.addEventListener("close", () => setTimeout(connect, 1_000));
  socket.addEventListener("error", () => {});
}

connect();
