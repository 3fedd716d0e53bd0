/** The functions of a queue that the `queue` commands need, for a running relay or a store. */
import type { JsonObject } from "../../core/json.ts";
import type { ServiceName } from "../../core/service.ts";

/** The services that have a queue. */
export const QUEUE_SERVICES: readonly ServiceName[] = ["intermediary", "neuro"];

/** A queued message, or a dead letter. */
export interface QueuedMessage {
  readonly id: string;
  readonly service: string;
  /** The recipient's name; a part of its key if the name is too long to be derived from it. */
  readonly to: string;
  readonly isDead: boolean;
  /** Why it became a dead letter. */
  readonly reason: string | undefined;
  readonly kind: string;
  readonly bytes: number;
  /** Undefined for a dead letter: only its body contains the time. */
  readonly createdAt: number | undefined;
  /** When a queued message expires, or when a dead letter became one. */
  readonly endsAt: number;
}

export interface QueueAdmin {
  /** Every message in the order of creation. */
  list(): Promise<readonly QueuedMessage[]>;
  /** A message with its body; undefined if it cannot be read. */
  detail(message: QueuedMessage): Promise<JsonObject | undefined>;
  /** Puts a dead letter back into the queue; false if it cannot be read. */
  retry(letter: QueuedMessage): Promise<boolean>;
  drop(message: QueuedMessage): Promise<void>;
  close(): Promise<void>;
}

/** A message without its body, as JSON. */
export const summaryOf = (
  { id, service, to, isDead, reason, kind, bytes, createdAt, endsAt }: QueuedMessage,
): JsonObject => ({
  id,
  to,
  service,
  state: isDead ? "dead" : "queued",
  ...(reason !== undefined && { reason }),
  kind,
  bytes,
  ...(createdAt !== undefined && { created_at: new Date(createdAt).toISOString() }),
  [isDead ? "dead_at" : "expires_at"]: new Date(endsAt).toISOString(),
});

/** A message as one line of text. */
export function lineOf({ id, to, isDead, reason, kind, bytes, createdAt, endsAt }: QueuedMessage): string {
  const end = new Date(endsAt).toISOString();
  const since = createdAt === undefined ? "" : ` since ${new Date(createdAt).toISOString()}`;
  const state = isDead ? `dead since ${end} (${reason})` : `queued${since}, expires ${end}`;
  return `${id}  ${kind}  ${bytes} B  to ${JSON.stringify(to)}  ${state}`;
}
