/** A client of the relay's HTTP API: requests with a token, replies as JSON, refusals as errors with the relay's text. */
import { isObject, type Json, type JsonObject, parseJson } from "../core/json.ts";
import { segment } from "../core/key.ts";
import { type Page, PAGE_LENGTH_MAX } from "../core/view.ts";

/** A request that failed. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  /** The HTTP status; 0 if there was no response. */
  readonly status: number;
  /** The relay's name of the fault, if the response has one. */
  readonly fault: string | undefined;

  constructor(message: string, { status, fault, cause }: { status: number; fault?: string; cause?: unknown }) {
    super(message, { cause });
    this.status = status;
    this.fault = fault;
  }
}

export interface ApiClientOptions {
  /** The address of the web port: `http://127.0.0.1:8766`. */
  readonly url: string;
  readonly token: string;
  /** Default: 70 s, because an action takes as long as its integration needs. */
  readonly timeoutMs?: number;
}

/** A reply with its tag, by which the relay recognizes it; undefined if it has none. */
export interface TaggedReply<Body> {
  readonly body: Body;
  readonly etag: string | undefined;
}

export type ApiMethod = "GET" | "POST" | "PATCH" | "DELETE";

const TIMEOUT_MS = 70_000;

export class ApiClient {
  readonly #options: ApiClientOptions;

  constructor(options: ApiClientOptions) {
    this.#options = options;
  }

  /** The address of the web port. */
  get url(): string {
    return this.#options.url;
  }

  /**
   * One request. `path` is the part after `/api/`. The caller names the type of the reply, as the OpenAPI document defines it. `ifMatch`: the
   * tag of what a change is based on; the change is refused (`outdated`) if somebody else has made one since.
   */
  async request<Body>(method: ApiMethod, path: string, body?: JsonObject, ifMatch?: string): Promise<Body> {
    const response = await this.#fetch(path, {
      method,
      headers: {
        ...(body !== undefined && { "content-type": "application/json" }),
        ...(ifMatch !== undefined && { "if-match": ifMatch }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return await this.#bodyOf<Body>(response);
  }

  /** Reads what is at a path. With an earlier reply (`known`) it returns that one, if nothing has changed since. */
  async read<Body>(path: string, known?: TaggedReply<Body>): Promise<TaggedReply<Body>> {
    const response = await this.#fetch(path, {
      method: "GET",
      headers: { ...(known?.etag !== undefined && { "if-none-match": known.etag }) },
    });
    if (response.status === 304 && known !== undefined) return known;
    return { body: await this.#bodyOf<Body>(response), etag: response.headers.get("etag") ?? undefined };
  }

  #fetch(path: string, request: RequestInit): Promise<Response> {
    const { token, timeoutMs = TIMEOUT_MS } = this.#options;
    return fetch(`${this.#base}/api/${path}`, {
      ...request,
      headers: { ...request.headers, authorization: `Bearer ${token}` },
      redirect: "error", // Why: the token is for this server only.
      signal: AbortSignal.timeout(timeoutMs),
    }).catch((cause: unknown) => {
      throw new ApiError(`no response from ${this.#base}`, { status: 0, cause });
    });
  }

  get #base(): string {
    return this.#options.url.replace(/\/+$/, "");
  }

  async #bodyOf<Body>(response: Response): Promise<Body> {
    // Why not `json`: a message of a peer keeps the text of its numbers.
    const answer = parseJson(await response.text().catch(() => ""), Infinity);
    if (!response.ok) throw refusal(response.status, answer);
    if (answer === undefined) throw new ApiError(`the server at ${this.#base} is not a relay`, { status: response.status });
    return answer as unknown as Body; // Why the cast: the relay and this client share the types of the views.
  }

  /** All items of a list, read page by page. */
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

/** A name as one segment of a path. Why not always encoded: a segment of dots is a step in the path; the relay accepts the name's key, too. */
export const pathSegment = (name: string): string => encodeURIComponent(/^\.+$/.test(name) ? segment(name) : name);

/** The parameters of a request as the end of its URL. */
export function queryText(parameters: Readonly<Record<string, string | number | boolean | undefined>>): string {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) given.set(name, String(value));
  return given.size === 0 ? "" : `?${given}`;
}

function refusal(status: number, answer: Json | undefined): ApiError {
  const { detail, title, fault } = isObject(answer) ? answer : {};
  const message = [detail, title].find((text) => typeof text === "string") ?? `status ${status}`;
  return new ApiError(String(message), { status, ...(typeof fault === "string" && { fault }) });
}
