/** The clients of the relay that is killed: a watcher that sends commands, and integrations with acks. */
import { PUBLISHED_TOKEN } from "../../src/core/defaults.ts";
import type { RelayProcess } from "../harness/relay.ts";
import { JsonClient } from "../harness/json-client.ts";
import type { DeliveryLog } from "./delivery-log.ts";

export const RECIPIENTS = ["jukebox", "lights"] as const;
export type RecipientName = (typeof RECIPIENTS)[number];

export async function connectWatcher({ urls }: RelayProcess): Promise<JsonClient> {
  const client = await JsonClient.open(urls.intermediary);
  client.send({ type: "neuro-os", name: "stage", auth_token: PUBLISHED_TOKEN, subscribe: { events: [] } });
  await client.next(({ event }) => event === "neuroos_connected");
  return client;
}

export async function connectIntegration({ urls }: RelayProcess, name: RecipientName): Promise<JsonClient> {
  const client = await JsonClient.open(urls.intermediary);
  client.send({ type: "integration", name, auth_token: PUBLISHED_TOKEN, ack: true });
  return client;
}

/** Sends a command, and returns its number. */
export function sendCommand(watcher: JsonClient, recipient: RecipientName, log: DeliveryLog): number {
  const number = log.next();
  watcher.send({ target: recipient, cmd: { number }, request_id: number });
  return number;
}

/** Logs the reply to a command; rejects when the relay disconnects first. To be called one at a time for each connection. */
export async function receiveReply(watcher: JsonClient, number: number, log: DeliveryLog): Promise<CommandReply> {
  const { status, error } = await watcher.next(({ request_id }) => request_id === number);
  log.answered(number, status);
  return { number, reply: status ?? error };
}

/** Sends a command and waits for its reply. */
export const sendAndReceive = (watcher: JsonClient, recipient: RecipientName, log: DeliveryLog): Promise<CommandReply> =>
  receiveReply(watcher, sendCommand(watcher, recipient, log), log);

export interface CommandReply {
  readonly number: number;
  /** `queued`, `sent`, or the error. */
  readonly reply: string;
}

/** Receives and acknowledges messages until the connection ends or the command `until` has arrived. */
export async function receive(
  client: JsonClient,
  recipient: RecipientName,
  { log, until, answer = () => "ack" }: ReceiveOptions,
): Promise<void> {
  for (;;) {
    const { id, cmd, redelivered } = await client.next((message) => message.id !== undefined, 20_000);
    if (cmd !== undefined) log.arrived(recipient, cmd.number, redelivered === true);
    const answered = answer();
    if (answered !== "none") client.send({ [answered]: id });
    if (cmd !== undefined && cmd.number === until) return;
  }
}

/** Acknowledges, asks for another delivery, gives up, or says nothing. */
export type ReceiptAnswer = "ack" | "nak" | "term" | "none";

export interface ReceiveOptions {
  readonly log: DeliveryLog;
  readonly until?: number;
  /** The answer to a message. */
  readonly answer?: () => ReceiptAnswer;
}

/** Resolves when the relay has processed everything sent before. */
export async function sync(client: JsonClient): Promise<void> {
  client.send({ query: "get_registered_actions" });
  await client.next(({ actions }) => actions !== undefined);
}
