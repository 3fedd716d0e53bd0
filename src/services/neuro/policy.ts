/**
 * The policy of an integration: how it is treated, found by its name in the settings.
 *
 * It is resolved when the integration is created and when the settings change, so that nothing that handles a message compares a name
 * with patterns. For each setting the first policy of the list applies that matches the name and has the setting. Integrations to which the
 * same entries apply share one object.
 * Knows nothing of: games, messages.
 */
import type { Priority } from "../../core/neuro-messages.ts";
import type { Millis } from "../../core/ids.ts";
import type { ActionSettings, BehaviourPreset, PolicySettings, Settings } from "../../core/settings.ts";
import { isPlain } from "../../core/json.ts";
import { matchesPattern } from "../../core/text.ts";

/** The resolved policy of one integration. */
export interface Policy {
  /** Undefined: the first upstream. */
  readonly upstream: string | undefined;
  readonly admission: "open" | "approval";
  readonly on_duplicate: "replace" | "suffix" | "reject";
  readonly priority_max: Priority;
  /** Its `critical` forces take the place of the one that Neuro has. */
  readonly critical_preempts: boolean;
  readonly shutdown: boolean;
  readonly shutdown_action: boolean;
  readonly speech_finished: boolean;
  readonly allow: readonly string[];
  readonly deny: readonly string[];
  readonly hide: readonly string[];
  /** Undefined: only `limits.actions_per_integration` applies. */
  readonly actions_max: number | undefined;
  /** Undefined: unlimited. */
  readonly contexts_per_minute: number | undefined;
  /** UTF-16 units. Undefined: only the `frame_bytes` of the upstream limit it. */
  readonly context_length: number | undefined;
  readonly context_template: string | undefined;
  readonly coalesce: readonly KeyPattern[];
  readonly coalesce_interval: Millis;
  /** 0: changes of its actions are sent at once. */
  readonly debounce: Millis;
  readonly results: "required" | "failures-only";
  /** Undefined: as for all. */
  readonly behaviour: BehaviourPreset | undefined;
  /** Undefined: the deadline of the upstream. */
  readonly result_deadline: Millis | undefined;
  readonly grace: Millis;
  readonly parked: Millis;
}

/** The text before and after the message of a context. */
export interface ContextTemplate {
  /** Whether both are. */
  readonly isPlain: boolean;
  readonly before: string;
  readonly after: string;
}

/** A pattern of contexts that replace each other. */
export interface KeyPattern {
  /** The parts of the pattern between its wildcards. */
  readonly parts: readonly string[];
  /** The wildcard that stands for `{key}`; -1 without one. */
  readonly keyAt: number;
}

const COALESCE_MS: Millis = 1_000;
const ALL: readonly string[] = ["*"];
const NONE: readonly string[] = [];
const NO_KEYS: readonly KeyPattern[] = [];

/** Policies that are kept for further integrations. */
const KEPT_MAX = 64;

/** The policies of one version of the settings. */
export class PolicyTable {
  readonly #settings: Settings;
  /** By the places of the entries that apply. */
  readonly #byEntries = new Map<string, Policy>();

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  /** The policy of the integration with this name. */
  of(name: string): Policy {
    const { integrations, actions } = this.#settings;
    const matching = integrations.filter(({ match }) => matchesPattern(match, name));
    const entries = matching.map((entry) => integrations.indexOf(entry)).join();
    const known = this.#byEntries.get(entries);
    if (known !== undefined) return known;
    const policy = resolve(matching, actions);
    if (this.#byEntries.size < KEPT_MAX) this.#byEntries.set(entries, policy);
    return policy;
  }
}

function resolve(matching: readonly PolicySettings[], actions: ActionSettings): Policy {
  const first = <Field extends keyof PolicySettings>(field: Field): PolicySettings[Field] | undefined =>
    matching.find((policy) => policy[field] !== undefined)?.[field];
  return {
    upstream: first("upstream"),
    admission: first("admission") ?? "open",
    on_duplicate: first("on_duplicate") ?? "replace",
    priority_max: first("priority_max") ?? "critical",
    critical_preempts: first("critical_preempts") ?? false,
    shutdown: first("shutdown") ?? false,
    shutdown_action: first("shutdown_action") ?? false,
    speech_finished: first("speech_finished") ?? false,
    allow: first("allow") ?? ALL,
    deny: first("deny") ?? NONE,
    hide: first("hide") ?? NONE,
    actions_max: first("actions_max"),
    contexts_per_minute: first("contexts_per_minute"),
    context_length: first("context_length"),
    context_template: first("context_template"),
    coalesce: first("coalesce")?.map(keyPattern) ?? NO_KEYS,
    coalesce_interval: first("coalesce_interval") ?? COALESCE_MS,
    debounce: first("debounce") ?? 0,
    results: first("results") ?? "required",
    behaviour: first("behaviour"),
    result_deadline: first("result_deadline"),
    grace: first("grace") ?? actions.grace,
    parked: first("parked") ?? actions.parked,
  };
}

/** The template of the contexts of an integration. */
export function templateFor({ context_template }: Policy, { actions }: Settings, name: string): ContextTemplate {
  return context_template === undefined ? defaultTemplate(actions, name) : templateOf(context_template, name);
}

/** The template of contexts for which no policy has one. */
export const defaultTemplate = ({ attribution }: ActionSettings, from: string): ContextTemplate =>
  newTemplate(attribution ? `[${from}] ` : "", "");

const newTemplate = (before: string, after: string): ContextTemplate => ({
  isPlain: isPlain(before) && isPlain(after),
  before,
  after,
});

/** A template of the settings, which has `{message}` once, for the contexts of one integration. */
function templateOf(template: string, game: string): ContextTemplate {
  const [before = "", after = ""] = template.split("{message}").map((part) => part.replaceAll("{game}", () => game));
  return newTemplate(before, after);
}

function keyPattern(pattern: string): KeyPattern {
  const wildcards: readonly string[] = pattern.match(/\*|\{key\}/g) ?? [];
  return { parts: pattern.split(/\*|\{key\}/), keyAt: wildcards.indexOf("{key}") };
}

/** `hidden`: the integration has it, and Neuro does not see it. `denied`: the integration cannot register it. */
export type ActionPermission = "shown" | "hidden" | "denied";

/** What a policy says about an action, by the name that its integration gives it. */
export function permissionFor({ allow, deny, hide }: Policy, name: string): ActionPermission {
  const isIn = (patterns: readonly string[]): boolean =>
    patterns.some((pattern) => pattern === "*" || matchesPattern(pattern, name));
  if (!isIn(allow) || isIn(deny)) return "denied";
  return isIn(hide) ? "hidden" : "shown";
}
