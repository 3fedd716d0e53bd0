/** A relay with its Intermediary and the Neuro service in this process, sockets that can be cut, and a watcher. */
import type { SocketLike } from "../../../src/clients/integration.ts";
import { supervise } from "../../../src/relay/mod.ts";
import { intermediary } from "../../../src/services/intermediary/mod.ts";
import { neuro } from "../../../src/services/neuro/mod.ts";
import { JsonClient, type Message } from "../../harness/json-client.ts";
import { type Mutable, type Running, testSettings, withRelay } from "../runtimes/bun-relay.ts";

export const TOKEN = "token-of-the-tests";
/** Reconnects at once. */
export const QUICK = { backoff: { baseMs: 1, capMs: 5 } };

export const withIntermediary = (
  run: (relay: Running) => Promise<void>,
  change: (settings: Mutable) => void = () => {},
): Promise<void> =>
  withRelay(
    testSettings((settings) => {
      settings.intermediary.auth_token = TOKEN;
      change(settings);
    }),
    run,
    { services: [supervise(intermediary), supervise(neuro)] },
  );

/** Sockets that a test can cut without a close handshake. */
export function cuttable(): {
  openSocket: (url: string) => SocketLike;
  cut: () => void;
  dials: () => number;
} {
  const sockets: WebSocket[] = [];
  const openSocket = (url: string): SocketLike => {
    const socket = new WebSocket(url);
    sockets.push(socket);
    return socket;
  };
  return {
    openSocket,
    cut: () => sockets.at(-1)?.terminate(),
    dials: () => sockets.length,
  };
}

/** A watcher that gets every event. */
export async function openWatcher(
  url: string,
  name = "person",
): Promise<JsonClient> {
  const watcher = await JsonClient.open(url);
  watcher.send({ type: "neuro-os", name, auth_token: TOKEN });
  await watcher.next(({ event }: Message) => event === "neuroos_connected");
  return watcher;
}

/** Executes an action, and returns the event of its result. */
export async function act(
  watcher: JsonClient,
  selected: string,
  data: object = {},
): Promise<Message> {
  watcher.send({ choice: { selected, data }, request_id: "choice" });
  const reply = await watcher.next((message) => message.request_id === "choice");
  if (reply.status !== "chosen") return reply;
  return await watcher.next(({ event, name: action }) => event === "action_result" && action.endsWith(selected));
}
