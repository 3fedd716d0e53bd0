/** A dashboard (`page`) or a `watcher` of a relay under measurement; arguments: kind, web port, token. Sends "ready" when subscribed. */
const [, , as, port, token] = process.argv;
const headers = { authorization: `Bearer ${token}` };

const socket = new WebSocket(`ws://127.0.0.1:${port}/intermediary`);
socket.onopen = () => {
  socket.send(JSON.stringify({ type: "neuro-os", name: "spectator", auth_token: token }));
  const subscribe = as === "page" ? { after: "0", rate: 1_000 } : { after: "0" };
  socket.send(JSON.stringify({ subscribe, request_id: "subscribed" }));
};
socket.onmessage = ({ data }) => {
  if (String(data).includes('"subscribed"')) process.send?.("ready");
};

if (as === "page") {
  setInterval(async () => {
    for (const path of ["overview", "integrations?limit=500"]) {
      await (await fetch(`http://127.0.0.1:${port}/api/${path}`, { headers })).text();
    }
  }, 1_000);
}
export {};
