/** A dashboard (`page`) or a `watcher` of a relay under measurement; arguments: kind, web port, token. Sends "ready" when subscribed. */
const [, , as, port, token] = process.argv;
const headers = { authorization: `Bearer ${token}` };

const socket = new WebSocket(`ws://127.0.0.1:${port}/intermediary`);
socket.onopen = () => {
  socket.send(
    JSON.stringify({ type: "neuro-os", name: "spectator", auth_token: token }),
  );
  const subscribe = as === "page" ? { after: "0", rate: 1_000, changes: true } : { after: "0" };
  socket.send(JSON.stringify({ subscribe, request_id: "subscribed" }));
};
let isChanged = true;
socket.onmessage = ({ data }) => {
  const text = String(data);
  if (text.includes('"subscribed"')) process.send?.("ready");
  if (text.startsWith('{"event":"changed"')) isChanged = true;
};

const tags = new Map<string, string>();

/** Reads a path as the page does: only what has changed is transferred. */
async function read(path: string): Promise<void> {
  const url = `http://127.0.0.1:${port}/api/${path}`;
  const response = await fetch(url, {
    headers: { ...headers, "if-none-match": tags.get(path) ?? '"none"' },
  });
  tags.set(path, response.headers.get("etag") ?? "");
  await response.text();
}

const LIST_EVERY = 3;
let turn = 0;
if (as === "page") {
  setInterval(async () => {
    if (!isChanged) return;
    isChanged = false;
    await read("overview");
    if (turn++ % LIST_EVERY === 0) await read("integrations?limit=1000");
  }, 1_000);
}
export {};
