/** The queue of a running relay, through its HTTP API. */
import { type ApiClient, ApiError, pathSegment } from "../../clients/api-client.ts";
import type { JsonObject } from "../../core/json.ts";
import type { Settings } from "../../core/settings.ts";
import type { DeadLetterView, MessageView, QueueEntryView, QueueView, SendOutcome } from "../../core/view.ts";
import { CliError } from "../cli-error.ts";
import { answerOf, relayApi } from "../relay-api.ts";
import { type QueueAdmin, type QueuedMessage, summaryOf } from "./admin.ts";

const service = "intermediary";

/** The running relay with these settings; undefined if none answers; a `CliError` if it refuses. */
export async function connectToRelay(settings: Settings, relay?: string): Promise<QueueAdmin | undefined> {
  const api = await relayApi(settings, relay);
  const answer = api === undefined ? undefined : await answerOf(api, "queue?limit=1", "its queue");
  return api === undefined || answer === undefined ? undefined : new OnlineQueue(api);
}

class OnlineQueue implements QueueAdmin {
  readonly #api: ApiClient;

  constructor(api: ApiClient) {
    this.#api = api;
  }

  async list(): Promise<readonly QueuedMessage[]> {
    const messages: QueuedMessage[] = [];
    for await (const { to } of this.#api.list<QueueView>("queue")) {
      try {
        for await (const entry of this.#api.list<QueueEntryView>(`queue/${pathSegment(to)}`)) {
          const { id, kind, bytes, created_at, expires_at } = entry;
          messages.push({
            id,
            service,
            to,
            isDead: false,
            reason: undefined,
            kind,
            bytes,
            createdAt: created_at,
            endsAt: expires_at,
          });
        }
      } catch (error) {
        if (!isNotFound(error)) throw error; // Why: all of them were delivered meanwhile.
      }
    }
    for await (const { id, to, kind, bytes, reason, dead_at } of this.#api.list<DeadLetterView>("dead-letters")) {
      messages.push({ id, service, to, isDead: true, reason, kind, bytes, createdAt: undefined, endsAt: dead_at });
    }
    return messages.sort((left, right) => (left.id < right.id ? -1 : 1));
  }

  async detail(of: QueuedMessage): Promise<JsonObject | undefined> {
    const message = await unlessNotFound(this.#api.request<MessageView>("GET", `messages/${of.id}`));
    return message === undefined ? undefined : {
      ...summaryOf({ ...of, to: message.to, createdAt: message.created_at }),
      body: message.body,
    };
  }

  async retry({ id }: QueuedMessage): Promise<boolean> {
    return await unlessNotFound(this.#api.request<SendOutcome>("POST", `dead-letters/${id}/retry`)) !== undefined;
  }

  async drop({ id }: QueuedMessage): Promise<void> {
    await unlessNotFound(this.#api.request("DELETE", `messages/${id}`));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

const isNotFound = (error: unknown): boolean => error instanceof ApiError && error.status === 404;

/** The response; undefined if the message no longer exists. */
async function unlessNotFound<Body>(response: Promise<Body>): Promise<Body | undefined> {
  try {
    return await response;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error instanceof ApiError ? new CliError([`the relay refused: ${error.message}`]) : error;
  }
}
