/**
 * An integration of Neuro Relay in JavaScript without any library, for Node 22 or later, Bun, Deno and browsers.
 *
 * Run it with `node examples/jukebox.mjs [URL] [TOKEN]`. It reconnects forever. Because it requests acks, commands of watchers that were
 * sent while it was disconnected arrive when it is back.
 */
const [url = "ws://127.0.0.1:8765", token = "super-secret-token"] = globalThis.process?.argv.slice(2) ?? [];

const actions = {
  play_song: {
    description: "Play a song on the jukebox.",
    schema: { type: "object", properties: { title: { type: "string" } }, required: ["title"] },
    run({ title }) {
      if (typeof title !== "string") throw new Error("The title must be a text.");
      return `${title} is playing.`;
    },
  },
  stop_music: { description: "Stop the music.", run: () => "The music has stopped." },
};

/** Executes an action. The text is for Neuro. An exception is a failure. */
function resultOf({ id, name, data }) {
  try {
    return { id, success: true, message: actions[name].run(JSON.parse(data || "{}")) };
  } catch (error) {
    return { id, success: false, message: String(error) };
  }
}

function connect() {
  const socket = new WebSocket(url);
  const send = (message) => socket.send(JSON.stringify(message));

  socket.addEventListener("open", () => send({ type: "integration", name: "jukebox", auth_token: token, ack: true }));
  socket.addEventListener("message", (frame) => {
    const message = JSON.parse(frame.data);
    if (message.event === "registered") {
      console.log(`registered as ${message.name}`);
      const list = Object.entries(actions).map(([name, { description, schema }]) => ({ name, description, schema }));
      send({ event: "register_actions", actions: list });
      send({ command: "context", data: { message: "The jukebox is on.", silent: true } });
      const data = { query: "What should the jukebox do?", action_names: Object.keys(actions) };
      send({ command: "actions/force", data });
    }
    if (message.event === "action") {
      const { name, data = "" } = message.payload;
      console.log(`action ${name} ${data}`.trimEnd());
      send({ event: "action_result", payload: resultOf(message.payload) });
    }
    if (message.cmd !== undefined) console.log(`command from ${message.from_watcher}: ${JSON.stringify(message.cmd)}`);
    if (message.error !== undefined) console.log(`the relay refused something: ${message.error}`);
    if (message.id !== undefined) send({ ack: message.id });
  });
  socket.addEventListener("close", ({ code, reason }) => {
    console.log(`closed ${code} ${reason}`.trimEnd());
    // The token is wrong (4401), or another program has the name (4409): trying again would not help.
    if (![4400, 4401, 4403, 4409].includes(code)) setTimeout(connect, 1_000);
  });
  socket.addEventListener("error", () => {});
}

if (globalThis.WebSocket === undefined) throw new Error("Node 20 has no WebSocket: start with --experimental-websocket");
connect();
