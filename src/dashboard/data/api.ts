/** The relay's HTTP API, as this page uses it: relative to where the page came from, with the token as a bearer. */
import type { Json, JsonObject } from "../../core/json.ts";
import type { Page } from "../../core/view.ts";
import { placeOf } from "./place.ts";

/** Why a request came to nothing. `status` is 0 where the relay could not be reached. */
export class ApiError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Longer than the longest deadline of an action, which such a request may wait for. */
const PATIENCE_MS = 70_000;
const PAGES_MAX = 20;

export class Api {
  readonly #base: string;
  readonly #token: string;

  constructor(token: string) {
    this.#base = placeOf("api/").href;
    this.#token = token;
  }

  get<Body>(path: string): Promise<Body> {
    return this.#request<Body>("GET", path);
  }

  /** All of a list, page by page, up to a bound. */
  async all<Item>(path: string): Promise<readonly Item[]> {
    const items: Item[] = [];
    let after: string | null = null;
    for (let page = 0; page < PAGES_MAX; page++) {
      const query: string = after === null ? "" : `${path.includes("?") ? "&" : "?"}after=${encodeURIComponent(after)}`;
      const { items: more, next }: Page<Item> = await this.get<Page<Item>>(path + query);
      items.push(...more);
      if (next === null) break;
      after = next;
    }
    return items;
  }

  send<Body>(method: "POST" | "PATCH" | "DELETE", path: string, body?: JsonObject): Promise<Body> {
    return this.#request<Body>(method, path, body === undefined ? undefined : JSON.stringify(body));
  }

  async #request<Body>(method: string, path: string, body?: string): Promise<Body> {
    const headers = {
      authorization: `Bearer ${this.#token}`,
      ...(body !== undefined && { "content-type": "application/json" }),
    };
    const response = await this.#fetch(path, { method, headers, ...(body !== undefined && { body }) });
    const text = await response.text();
    if (!response.ok) throw new ApiError(response.status, problemOf(text) ?? `the relay answered ${response.status}`);
    // Why the cast: the relay and its page are of one build.
    return (text === "" ? null : JSON.parse(text)) as Body;
  }

  async #fetch(path: string, init: RequestInit): Promise<Response> {
    try {
      return await fetch(this.#base + path, {
        ...init,
        cache: "no-store",
        credentials: "omit",
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
    } catch {
      throw new ApiError(0, "the relay cannot be reached");
    }
  }
}

function problemOf(text: string): string | undefined {
  try {
    const { detail, title }: { readonly detail?: Json; readonly title?: Json } = JSON.parse(text);
    return typeof detail === "string" ? detail : typeof title === "string" ? title : undefined;
  } catch {
    return undefined;
  }
}

/** One part of a path: ids of strangers must not lead elsewhere. */
export const segment = (text: string): string =>
  encodeURIComponent(text).replace(/^\.+$/, (dots) => "%2E".repeat(dots.length));
