/** The queue of a running relay, through its HTTP API. */
import { ApiClient, ApiError, pathSegment } from "../../clients/api-client.ts";
import type { JsonObject } from "../../core/json.ts";
import type { Settings } from "../../core/settings.ts";
import type { DeadLetterView, MessageView, QueueEntryView, QueueView, SendOutcome } from "../../core/view.ts";
import { storedWebToken } from "../../runtimes/web-token.ts";
import { CliError } from "../cli-error.ts";
import { type QueueAdmin, type QueuedMessage, summaryOf } from "./admin.ts";

const service = "intermediary";

/** The running relay with these settings; undefined if none answers; a `CliError` if it refuses. */
export async function connectToRelay(settings: Settings): Promise<QueueAdmin | undefined> {
  const { web } = settings;
  if (!web.enabled || web.port === 0) return undefined;
  const url = `http://${reachableHost(web.host)}:${web.port}`;
  const token = await storedWebToken(settings) ?? "";
  const api = new ApiClient({ url, token, timeoutMs: 10_000 });
  try {
    await api.request("GET", "queue?limit=1");
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.status === 0) return undefined;
    throw new CliError([`the relay at ${url} refuses access to its queue: ${error.message}`]);
  }
  return new OnlineQueue(api);
}

/** A host to listen on, as a host to connect to. */
function reachableHost(host: string): string {
  if (host === "0.0.0.0") return "127.0.0.1";
  if (host === "::") return "[::1]";
  return host.includes(":") ? `[${host}]` : host;
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
