/** The relay's HTTP API, for programs: requests with a token, answers as JSON, refusals as errors with what the relay says. */
import { isObject, type JsonObject } from "../core/json.ts";
import { segment } from "../core/key.ts";
import { type Page, PAGE_LENGTH_MAX } from "../core/view.ts";

/** Why a request came to nothing. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  /** Of HTTP; 0 where nobody answered. */
  readonly status: number;
  /** The relay's own name for what went wrong, where it said one. */
  readonly fault: string | undefined;

  constructor(message: string, { status, fault, cause }: { status: number; fault?: string; cause?: unknown }) {
    super(message, { cause });
    this.status = status;
    this.fault = fault;
  }
}

export interface ApiClientOptions {
  /** Where the web port is: `http://127.0.0.1:8766`. */
  readonly url: string;
  readonly token: string;
  /** An action takes as long as its integration does. */
  readonly timeoutMs?: number;
}

export type ApiMethod = "GET" | "POST" | "PATCH" | "DELETE";

const TIMEOUT_MS = 70_000;

export class ApiClient {
  readonly #options: ApiClientOptions;

  constructor(options: ApiClientOptions) {
    this.#options = options;
  }

  /** One request; `path` is what comes after `/api/`. The type of the answer is the caller's word for what the document says. */
  async request<Body>(method: ApiMethod, path: string, body?: JsonObject): Promise<Body> {
    const { url, token, timeoutMs = TIMEOUT_MS } = this.#options;
    const base = url.replace(/\/+$/, "");
    const response = await fetch(`${base}/api/${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, ...(body !== undefined && { "content-type": "application/json" }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      redirect: "error", // Why: the token is for this place only.
      signal: AbortSignal.timeout(timeoutMs),
    }).catch((cause: unknown) => {
      throw new ApiError(`no relay answers at ${base}`, { status: 0, cause });
    });
    const answer: unknown = await response.json().catch(() => undefined);
    if (!response.ok) throw refusal(response.status, answer);
    if (answer === undefined) throw new ApiError(`what answers at ${base} is no relay`, { status: response.status });
    return answer as Body; // Why the cast: the relay and this are made of the same views.
  }

  /** All items of a list, page by page. */
  async *list<Item>(path: string): AsyncGenerator<Item> {
    const limit = `?limit=${PAGE_LENGTH_MAX}`;
    let query = limit;
    for (;;) {
      const { items, next } = await this.request<Page<Item>>("GET", path + query);
      yield* items;
      if (next === null) return;
      query = `${limit}&after=${encodeURIComponent(next)}`;
    }
  }
}

/** A name as one part of a path. Why: a part of dots only leads elsewhere, however it is written; the relay knows a name by its key, too. */
export const pathSegment = (name: string): string => encodeURIComponent(/^\.+$/.test(name) ? segment(name) : name);

function refusal(status: number, answer: unknown): ApiError {
  const { detail, title, fault } = isObject(answer) ? answer : {};
  const says = [detail, title].find((text) => typeof text === "string") ?? `answered ${status}`;
  return new ApiError(String(says), { status, ...(typeof fault === "string" && { fault }) });
}
