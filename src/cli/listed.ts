/** A message of the queue as the commands show it, whether it lies in a store or in a running relay. */
import type { JsonObject } from "../core/json.ts";

/** One message that waits, or was given up. */
export interface Listed {
  readonly id: string;
  readonly service: string;
  /** The name of who it is for; its place in the store where the name is too long to be told from it. */
  readonly to: string;
  readonly isDead: boolean;
  readonly why: string | undefined;
  readonly kind: string;
  readonly bytes: number;
  /** When it was made; of a dead letter only its body knows. */
  readonly at: number | undefined;
  /** When it is given up, or was. */
  readonly exp: number;
}

/** What the commands do with a queue, wherever it is. */
export interface QueueDesk {
  /** Everything that is kept, in the order in which it was made. */
  list(): Promise<readonly Listed[]>;
  /** A message with its body; undefined when it cannot be read. */
  detail(of: Listed): Promise<JsonObject | undefined>;
  /** Puts a dead letter back into the queue; false when it cannot be read. */
  retry(letter: Listed): Promise<boolean>;
  drop(of: Listed): Promise<void>;
  close(): Promise<void>;
}

/** What a command shows of a message, without its body. */
export const summaryOf = ({ id, service, to, isDead, why, kind, bytes, at, exp }: Listed): JsonObject => ({
  id,
  to,
  room: service,
  state: isDead ? "dead" : "waiting",
  ...(why !== undefined && { why }),
  kind,
  bytes,
  ...(at !== undefined && { at: new Date(at).toISOString() }),
  [isDead ? "died" : "expires"]: new Date(exp).toISOString(),
});

/** A message in one line, for people. */
export function lineOf({ id, to, isDead, why, kind, bytes, at, exp }: Listed): string {
  const until = new Date(exp).toISOString();
  const since = at === undefined ? "" : ` since ${new Date(at).toISOString()}`;
  const state = isDead ? `dead since ${until} (${why})` : `waits${since} until ${until}`;
  return `${id}  ${kind}  ${bytes} B  to ${JSON.stringify(to)}  ${state}`;
}
