/** The queue of a relay that runs, by its HTTP API. */
import { ApiClient, ApiError, inPath } from "../clients/api.ts";
import type { JsonObject } from "../core/json.ts";
import type { Settings } from "../core/settings.ts";
import type { DeadLetterView, MessageView, QueueEntryView, QueueView, SendOutcome } from "../core/view.ts";
import { keptWebToken } from "../runtimes/web-token.ts";
import { Complaint } from "./complaint.ts";
import { type Listed, type QueueDesk, summaryOf } from "./listed.ts";

const service = "intermediary";

/** The relay that these settings describe, if one answers; a `Complaint` says what keeps it from being asked. */
export async function reachRelay(settings: Settings): Promise<QueueDesk | undefined> {
  const { web } = settings;
  if (!web.enabled || web.port === 0) return undefined;
  const url = `http://${reachable(web.host)}:${web.port}`;
  const token = await keptWebToken(settings) ?? "";
  const api = new ApiClient({ url, token, timeoutMs: 10_000 });
  try {
    await api.ask("GET", "queue?limit=1");
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.status === 0) return undefined;
    throw new Complaint([`the relay at ${url} does not let this command look at its queue: ${error.message}`]);
  }
  return new RunningQueue(api);
}

/** A host to listen at, as one to connect to. */
function reachable(host: string): string {
  if (host === "0.0.0.0") return "127.0.0.1";
  if (host === "::") return "[::1]";
  return host.includes(":") ? `[${host}]` : host;
}

class RunningQueue implements QueueDesk {
  readonly #api: ApiClient;

  constructor(api: ApiClient) {
    this.#api = api;
  }

  async list(): Promise<readonly Listed[]> {
    const listed: Listed[] = [];
    for await (const { to } of this.#api.list<QueueView>("queue")) {
      const waiting = this.#api.list<QueueEntryView>(`queue/${inPath(to)}`);
      try {
        for await (const { id, kind, bytes, at, exp } of waiting) {
          listed.push({ id, service, to, isDead: false, why: undefined, kind, bytes, at, exp });
        }
      } catch (error) {
        if (!isGone(error)) throw error; // Why: it was all delivered meanwhile.
      }
    }
    for await (const { id, to, kind, bytes, why, died } of this.#api.list<DeadLetterView>("dead-letters")) {
      listed.push({ id, service, to, isDead: true, why, kind, bytes, at: undefined, exp: died });
    }
    return listed.sort((left, right) => (left.id < right.id ? -1 : 1));
  }

  async detail(of: Listed): Promise<JsonObject | undefined> {
    const message = await unlessGone(this.#api.ask<MessageView>("GET", `messages/${of.id}`));
    return message === undefined ? undefined : {
      ...summaryOf({ ...of, to: message.to, at: message.at }),
      body: message.body,
    };
  }

  async retry({ id }: Listed): Promise<boolean> {
    return await unlessGone(this.#api.ask<SendOutcome>("POST", `dead-letters/${id}/retry`)) !== undefined;
  }

  async drop({ id }: Listed): Promise<void> {
    await unlessGone(this.#api.ask("DELETE", `messages/${id}`));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

const isGone = (error: unknown): boolean => error instanceof ApiError && error.status === 404;

/** What comes of a request; nothing where what it is about is no longer there. */
async function unlessGone<Body>(asked: Promise<Body>): Promise<Body | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error instanceof ApiError ? new Complaint([`the relay says: ${error.message}`]) : error;
  }
}
