/**
 * What the page has read of the HTTP API, and what the relay says about it now. Knows nothing of when it is asked.
 *
 * Invariant: Q1 what did not change keeps its identity, in whole and in each part.
 */
import { ApiError, type TaggedReply } from "../../clients/api-client.ts";
import type { Json } from "../../core/json.ts";
import type { IntegrationView, Overview, Page } from "../../core/view.ts";
import { reuseEqual } from "../lib/reuse-equal.ts";
import type { DashboardApi } from "./ports.ts";

/** Resources that are read in one refresh. */
const RESOURCES_MAX = 24;
const PAGE_LENGTH = 1_000;

export class RelayQueries {
  readonly #api: DashboardApi;
  #overview: TaggedReply<Overview> | undefined;
  /** The pages of the list of integrations, and all their items. */
  #pages: readonly TaggedReply<Page<IntegrationView>>[] = [];
  #integrations: readonly IntegrationView[] = [];
  #resources: ReadonlyMap<string, TaggedReply<Json>> = new Map();

  constructor(api: DashboardApi) {
    this.#api = api;
  }

  /** True if the resource at this path was read before. */
  has(path: string): boolean {
    return this.#resources.has(path);
  }

  async overview(): Promise<Overview> {
    this.#overview = await this.#read("overview", this.#overview);
    return this.#overview.body;
  }

  /** All integrations. Why not always asked for: a service that is off cannot list anything. */
  async integrations({ services }: Overview): Promise<readonly IntegrationView[]> {
    if (services.neuro === undefined) return this.#integrations = reuseEqual(this.#integrations, []);
    const pages: TaggedReply<Page<IntegrationView>>[] = [];
    let next = "";
    do {
      const after = next === "" ? "" : `&after=${encodeURIComponent(next)}`;
      const page = await this.#read(`integrations?limit=${PAGE_LENGTH}${after}`, this.#pages[pages.length]);
      pages.push(page);
      next = page.body.next ?? "";
    } while (next !== "");
    this.#pages = pages;
    return this.#integrations = reuseEqual(this.#integrations, pages.flatMap(({ body }) => body.items));
  }

  /**
   * The resources at the given paths, by path; null for one that the relay does not have. Those that are not stale (`isStale`) are not read
   * again.
   */
  async resources(paths: Iterable<string>, isStale: (path: string) => boolean): Promise<ReadonlyMap<string, Json>> {
    const wanted = [...paths].slice(0, RESOURCES_MAX);
    this.#resources = new Map(
      await Promise.all(wanted.map(async (path) => {
        const known = this.#resources.get(path);
        return [path, known === undefined || isStale(path) ? await this.#readOptional(path, known) : known] as const;
      })),
    );
    return new Map([...this.#resources].map(([path, { body }]) => [path, body]));
  }

  async #readOptional(path: string, known: TaggedReply<Json> | undefined): Promise<TaggedReply<Json>> {
    try {
      return await this.#read(path, known);
    } catch (error) {
      // Why not for a refused token: that concerns the whole session.
      if (error instanceof ApiError && error.status !== 401 && error.status >= 400 && error.status < 500) return NOTHING;
      throw error;
    }
  }

  async #read<Body>(path: string, known: TaggedReply<Body> | undefined): Promise<TaggedReply<Body>> {
    const reply = await this.#api.read<Body>(path, known);
    return reply === known ? reply : { ...reply, body: reuseEqual(known?.body, reply.body) };
  }
}

const NOTHING: TaggedReply<Json> = { body: null, etag: undefined };
