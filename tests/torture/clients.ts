/** Who speaks with the relay that is killed: a watcher that commands, and integrations with acks that come and go. */
import { PUBLISHED_TOKEN } from "../../src/core/defaults.ts";
import type { RelayProcess } from "../harness/relay.ts";
import { Talk } from "../harness/socket.ts";
import type { DeliveryLog } from "./delivery-log.ts";

export const RECIPIENTS = ["jukebox", "lights"] as const;
export type RecipientName = (typeof RECIPIENTS)[number];

export async function greetWatcher({ urls }: RelayProcess): Promise<Talk> {
  const talk = await Talk.open(urls.intermediary);
  talk.send({ type: "neuro-os", name: "stage", auth_token: PUBLISHED_TOKEN, subscribe: { events: [] } });
  await talk.next(({ event }) => event === "neuroos_connected");
  return talk;
}

export async function greetIntegration({ urls }: RelayProcess, name: RecipientName): Promise<Talk> {
  const talk = await Talk.open(urls.intermediary);
  talk.send({ type: "integration", name, auth_token: PUBLISHED_TOKEN, ack: true });
  return talk;
}

/** Sends a command, and returns its number. */
export function order(watcher: Talk, recipient: RecipientName, ledger: DeliveryLog): number {
  const number = ledger.next();
  watcher.send({ target: recipient, cmd: { number }, request_id: number });
  return number;
}

/** Writes down what was answered to a command; rejects when the relay is gone before it answers. One at a time on a connection. */
export async function answer(watcher: Talk, number: number, ledger: DeliveryLog): Promise<Answered> {
  const { status, error } = await watcher.next(({ request_id }) => request_id === number);
  ledger.answered(number, status);
  return { number, says: status ?? error };
}

/** Sends a command, and waits for the answer. */
export const command = (watcher: Talk, recipient: RecipientName, ledger: DeliveryLog): Promise<Answered> =>
  answer(watcher, order(watcher, recipient, ledger), ledger);

export interface Answered {
  readonly number: number;
  /** `queued`, `sent`, or why not. */
  readonly says: string;
}

/** Takes what comes, acknowledging it, until the connection ends or the command of this number is here. */
export async function receive(
  talk: Talk,
  recipient: RecipientName,
  { ledger, until, acks = () => true }: Receiving,
): Promise<void> {
  for (;;) {
    const { id, cmd, redelivered } = await talk.next((message) => message.id !== undefined, 20_000);
    if (cmd !== undefined) ledger.arrived(recipient, cmd.number, redelivered === true);
    if (acks()) talk.send({ ack: id });
    if (cmd !== undefined && cmd.number === until) return;
  }
}

export interface Receiving {
  readonly ledger: DeliveryLog;
  readonly until?: number;
  /** Whether what comes now is acknowledged. */
  readonly acks?: () => boolean;
}

/** Returns once the relay has read all that was sent to it before. */
export async function sync(talk: Talk): Promise<void> {
  talk.send({ query: "get_registered_actions" });
  await talk.next(({ actions }) => actions !== undefined);
}
