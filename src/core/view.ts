/**
 * What a person sees of the running relay: what the rooms answer with, the API serves and the page shows.
 *
 * An instant is milliseconds since 1970, an age or a duration milliseconds. Names are as their owners write them: they are to be
 * shown as text, and never to be trusted.
 */
import type { Priority } from "./neuro-messages.ts";
import type { Millis } from "./ids.ts";
import type { Json, JsonObject } from "./json.ts";

/** A page of a list. `next` is what to give as `after` to get the rest; null at the end. */
export interface Page<Item> {
  readonly items: readonly Item[];
  readonly next: string | null;
}

/** Which part of a list: so many items, those behind the one of this id. */
export interface PageRequest {
  readonly after?: string;
  readonly limit?: number;
}

/** By what a list is in order. */
export interface ListOrder<Item> {
  id(item: Item): string;
  /** The greatest first. */
  readonly descending?: true;
}

/** Items of a page, unless somebody asks for fewer or more, and at most. */
export const PAGE_LENGTH = 100;
export const PAGE_LENGTH_MAX = 1_000;

/** A page of a list that is in order. The item it comes behind need not be there any more. */
export function pageOf<Item>(
  list: Iterable<Item>,
  { after, limit = PAGE_LENGTH }: PageRequest,
  order: ListOrder<Item>,
): Page<Item> {
  const length = Math.max(1, Math.min(Math.floor(limit), PAGE_LENGTH_MAX));
  const items: Item[] = [];
  let last: string | null = null;
  for (const item of list) {
    const id = order.id(item);
    if (after !== undefined && (order.descending ? id >= after : id <= after)) continue;
    if (items.length === length) return { items, next: last };
    items.push(item);
    last = id;
  }
  return { items, next: null };
}

/** What a person has decided about one integration. All of it stays until it is lifted, over restarts too. */
export interface IntegrationControls {
  /** Neuro does not see its actions; its forces and contexts are held. */
  readonly paused: boolean;
  /** Its contexts are dropped. */
  readonly muted: boolean;
  /** While any integration is solo, all others are as if paused. */
  readonly solo: boolean;
  /** Each action for it waits until somebody approves. */
  readonly approval: boolean;
}

/** The same for everybody. */
export interface Controls {
  /** The kill switch: as if all were paused, and what was in flight has failed. */
  readonly stopped: boolean;
  readonly approval: boolean;
}

/** An integration on either door, present or awaited. */
export interface IntegrationView extends IntegrationControls {
  /** Its slug: unique, and what it is addressed by. */
  readonly id: string;
  readonly name: string;
  readonly listener: "neuro" | "intermediary";
  readonly upstream: string;
  readonly present: boolean;
  /** When it came, or left. */
  readonly since: Millis;
  /** Neuro sees its actions. */
  readonly shown: boolean;
  /** It is for another character than the one who is on. */
  readonly off_air: boolean;
  /** How many actions it has registered, and how many it has not answered yet. */
  readonly actions: number;
  readonly pending: number;
  readonly counts: IntegrationCounts;
}

/** Since the relay knows of it. */
export interface IntegrationCounts {
  readonly actions: number;
  readonly failures: number;
  readonly contexts: number;
  readonly forces: number;
  /** Time that it took for all its results together; with `actions` the mean. */
  readonly result_ms: Millis;
}

/** One integration with everything it offers. */
export interface IntegrationDetail extends IntegrationView {
  readonly address: string | null;
  readonly user_agent: string | null;
  readonly offers: readonly ActionView[];
}

export interface ActionView {
  /** As the integration calls it. */
  readonly name: string;
  /** As Neuro calls it. */
  readonly upstream_name: string;
  readonly description: string;
  /** JSON Schema of its data; null when it takes none. */
  readonly schema: Json;
  /** Others offer the very same. */
  readonly shared: boolean;
}

export interface ForceView {
  readonly id: string;
  /** Id of the integration. */
  readonly integration: string;
  readonly name: string;
  readonly is: "waiting" | "open" | "settling" | "closing";
  readonly query: string;
  readonly state: string | null;
  readonly priority: Priority;
  /** As the integration calls them. */
  readonly actions: readonly string[];
  readonly asked_at: Millis;
  readonly opened_at: Millis | null;
  /** Why it waits; `result` of an open one once it is answered. */
  readonly waits_for: WaitReason | null;
}

/**
 * What a force waits for: its turn; the registration of its names; the result of its action; the end of its integration's hold; its
 * integration's character; its integration; Neuro.
 */
export type WaitReason = "turn" | "names" | "result" | "held" | "other_character" | "integration_away" | "neuro_away";

export interface PendingView {
  readonly id: string;
  /** As its owners call it. */
  readonly action: string;
  /** Ids of the integrations. */
  readonly to: readonly string[];
  readonly names: readonly string[];
  readonly forced: boolean;
  /** Neuro asked, or a person did. */
  readonly by: "neuro" | "operator";
  readonly data: string | null;
  /** `approval`: nobody has approved it yet. `held`: its integration is away. */
  readonly is: "sent" | "held" | "approval";
  readonly since: Millis;
  readonly deadline: Millis;
}

export interface UpstreamView {
  readonly id: string;
  /** Null when the relay plays Neuro itself. */
  readonly url: string | null;
  readonly state: "open" | "dialing" | "waiting" | "standalone";
  readonly since: Millis;
  readonly attempt: number;
  readonly character: string | null;
  readonly force: ForceView | null;
  /** In the order in which she would be asked now. */
  readonly waiting: readonly ForceView[];
  readonly pending: readonly PendingView[];
  readonly contexts_held: number;
}

/** What the Neuro room answers to `status`: everything but what each integration offers. */
export interface NeuroView {
  readonly controls: Controls;
  readonly upstreams: readonly UpstreamView[];
  readonly integrations: number;
  readonly sockets: number;
  readonly draining: boolean;
}

/** What came of an action that a person sent. */
export interface ActionOutcome {
  readonly id: string;
  readonly success: boolean;
  readonly message: string | null;
  readonly ms: Millis;
}

/** How much waits for somebody. */
export interface QueueView {
  readonly to: string;
  readonly entries: number;
  readonly bytes: number;
  /** Of the oldest. */
  readonly at: Millis | null;
}

export interface QueueEntryView {
  readonly id: string;
  readonly at: Millis;
  readonly exp: Millis;
  readonly kind: string;
  readonly bytes: number;
  readonly attempts: number;
}

export interface DeadLetterView {
  readonly id: string;
  readonly to: string;
  readonly kind: string;
  readonly bytes: number;
  readonly why: string;
  readonly died: Millis;
}

/** One message that waits or was given up, with what is in it. */
export interface MessageView {
  readonly id: string;
  readonly to: string;
  readonly kind: string;
  readonly at: Millis;
  /** When it is given up, or would have been. */
  readonly exp: Millis;
  /** Why and when it was given up; null while it waits. */
  readonly why: string | null;
  readonly died: Millis | null;
  readonly body: Json;
}

/** What became of a message: it is on its way, or waits for its recipient. */
export interface SendOutcome {
  readonly status: "sent" | "queued";
  /** How many are here, where it is for all of them. */
  readonly count?: number;
}

/** Somebody on the Intermediary, or on the game port; also who is known and away. */
export interface PeerView {
  readonly name: string;
  readonly type: "integration" | "neuro-os" | "game";
  readonly connected: boolean;
  readonly since?: Millis;
  readonly messages?: number;
  readonly actions?: number;
  readonly acks?: boolean;
  /** Messages that wait for it. */
  readonly queued?: number;
}

/** A file that an integration sent; `/uploads/<file>` has its bytes. */
export interface UploadView {
  readonly id: string;
  readonly file: string;
  readonly from: string;
  readonly size: number;
  readonly content_type: string;
  readonly at: Millis;
  readonly sha256: string;
}

/** An event as watchers see it, with the fields of its kind. */
export interface EventView {
  readonly event: string;
  readonly id: string;
  readonly at: Millis;
  readonly [field: string]: Json | undefined;
}

/** One thing that a person did by API, dashboard or watcher's command. */
export interface AuditView {
  readonly id: string;
  readonly at: Millis;
  /** The name of the token that was used; `web` for the web port's own. */
  readonly by: string;
  /** What was done, e.g. `pause`. */
  readonly did: string;
  /** To what: an id or a name. */
  readonly to: string;
  /** `done`, or the fault that kept it from being done. */
  readonly outcome: string;
}

/** `GET /api/overview`: one look at the whole relay. */
export interface Overview {
  readonly version: string;
  readonly now: Millis;
  readonly uptime_ms: Millis;
  readonly draining: boolean;
  /** What the one who looks may do. */
  readonly scopes: readonly string[];
  /** What is not ready, and why. */
  readonly waits: readonly string[];
  /** The status of each room there is. */
  readonly services: { readonly neuro?: NeuroView; readonly [room: string]: JsonObject | NeuroView | undefined };
}

/** Whether a service can do its work. */
export interface Readiness {
  readonly ok: boolean;
  /** What it waits for; empty when `ok`. */
  readonly waits: readonly string[];
}
