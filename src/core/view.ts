/**
 * What a person sees of the running relay: what the rooms answer with, the API serves and the page shows.
 *
 * An instant is milliseconds since 1970, an age or a duration milliseconds. Names are as their owners write them: they are to be
 * shown as text, and never to be trusted.
 */
import type { Priority } from "./api.ts";
import type { Millis } from "./ids.ts";
import type { Json, JsonObject } from "./json.ts";

/** A page of a list. `next` is what to give as `after` to get the rest; null at the end. */
export interface Page<Item> {
  readonly items: readonly Item[];
  readonly next: string | null;
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
  readonly door: "neuro" | "intermediary";
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
  readonly is: "waiting" | "open" | "settling" | "dying";
  readonly query: string;
  readonly state: string | null;
  readonly priority: Priority;
  /** As the integration calls them. */
  readonly actions: readonly string[];
  readonly asked_at: Millis;
  readonly opened_at: Millis | null;
  /** Why it waits: for the slot, for names, because it is held. */
  readonly waits_for: string | null;
}

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
  readonly state: "open" | "dialing" | "waiting" | "played by the relay";
  readonly since: Millis;
  readonly attempt: number;
  readonly character: string | null;
  readonly force: ForceView | null;
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
  readonly rooms: { readonly neuro?: NeuroView; readonly [room: string]: JsonObject | NeuroView | undefined };
}
