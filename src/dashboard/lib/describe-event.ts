/** What an event says, in one line: whom it is about, what happened, and how it is to be taken. */
import { isObject, type Json, type JsonObject } from "../../core/json.ts";
import { formatBytes, formatDuration, formatLatency, formatQuantity } from "./format.ts";
import { sanitize } from "./sanitize.ts";

/** What events are sorted by. */
export type EventCategory = "actions" | "forces" | "context" | "messages" | "people" | "link" | "nallely" | "trouble";

/** All of them, with the words on their buttons. */
export const EVENT_CATEGORIES: readonly (readonly [family: EventCategory, label: string])[] = [
  ["actions", "Actions"],
  ["forces", "Forces"],
  ["context", "Context"],
  ["messages", "Messages"],
  ["people", "People"],
  ["link", "Neuro"],
  ["nallely", "Nallely"],
  ["trouble", "Trouble"],
];

export type Tone = "plain" | "good" | "warn" | "bad" | "accent";

export interface EventSummary {
  readonly category: EventCategory;
  readonly tone: Tone;
  /** A word or two. */
  readonly label: string;
  /** Whom it is about, as they call themselves. */
  readonly names: readonly string[];
  readonly text: string;
}

interface EventFormat {
  readonly category: EventCategory;
  readonly label: string;
  readonly tone?: Tone;
  format?(event: JsonObject): string;
}

const text = (value: Json | undefined): string =>
  typeof value === "string" ? value : value === undefined || value === null ? "" : JSON.stringify(value);
const number = (value: Json | undefined): number => (typeof value === "number" ? value : 0);
const list = (value: Json | undefined): readonly string[] =>
  Array.isArray(value) ? value.map((item: Json) => text(item)) : [];
const namesIn = (value: Json | undefined): readonly string[] =>
  Array.isArray(value) ? value.map((item: Json) => text(isObject(item) ? item["name"] : item)) : [];
const joined = (...parts: readonly string[]): string => parts.filter((part) => part !== "").join("  ");

const EVENT_FORMATS: ReadonlyMap<string, EventFormat> = new Map<string, EventFormat>([
  ["action_sent", {
    category: "actions",
    label: "action",
    tone: "accent",
    format: ({ name, data, forced }) => joined(text(name), text(data), forced === true ? "(forced)" : ""),
  }],
  ["approval_wanted", {
    category: "actions",
    label: "to approve",
    tone: "warn",
    format: ({ name, data, forced }) => joined(text(name), text(data), forced === true ? "(forced)" : ""),
  }],
  ["action_result", {
    category: "actions",
    label: "result",
    format: ({ name, message, ms, origin }) =>
      joined(
        text(name),
        formatLatency(number(ms)),
        text(message),
        origin === "game" ? "" : `(answered by: ${text(origin)})`,
      ),
  }],
  ["action_expired", { category: "actions", label: "expired", tone: "warn", format: ({ name }) => text(name) }],
  ["integration_registered_actions", {
    category: "actions",
    label: "registered",
    format: ({ actions }) => list(actions).join(", "),
  }],
  ["force_opened", {
    category: "forces",
    label: "force",
    tone: "accent",
    format: ({ query, actions, priority }) => joined(text(query), `[${list(actions).join(", ")}]`, text(priority)),
  }],
  ["force_ended", {
    category: "forces",
    label: "force ended",
    format: ({ end, ms }) => joined(text(end), `after ${formatDuration(number(ms))}`),
  }],
  ["choose_action", {
    category: "forces",
    label: "choose",
    format: ({ payload }) =>
      isObject(payload) ? joined(text(payload["query"]), `[${namesIn(payload["actions"]).join(", ")}]`) : "",
  }],
  ["add_context", { category: "context", label: "context", format: ({ message }) => text(message) }],
  ["context_dropped", { category: "context", label: "dropped", tone: "warn", format: () => "a context, for it is muted" }],
  ["backend_message", { category: "context", label: "from Neuro", format: ({ payload }) => text(payload) }],
  ["integration_message", { category: "messages", label: "message", format: ({ payload }) => text(payload) }],
  ["binary_received", {
    category: "messages",
    label: "file",
    format: ({ file, size: bytes, content_type }) => joined(text(file), formatBytes(number(bytes)), text(content_type)),
  }],
  ["message_queued", {
    category: "messages",
    label: "queued",
    format: ({ kind, depth }) => joined(text(kind), `${number(depth)} waiting`),
  }],
  ["message_delivered", {
    category: "messages",
    label: "delivered",
    format: ({ confirmed }) => (confirmed === true ? "acknowledged" : ""),
  }],
  ["message_dead", { category: "messages", label: "dead letter", tone: "bad", format: ({ why }) => text(why) }],
  ["integration_connected", { category: "people", label: "joined", tone: "good" }],
  ["integration_disconnected", { category: "people", label: "left", tone: "warn" }],
  ["integration_connected_via_backend", { category: "people", label: "game joined", tone: "good" }],
  ["integration_disconnected_via_backend", { category: "people", label: "game left", tone: "warn" }],
  ["neuroos_connected", { category: "people", label: "watcher", format: ({ privileges }) => text(privileges) }],
  ["neuroos_disconnected", { category: "people", label: "watcher left" }],
  ["operator_acted", {
    category: "people",
    label: "operator",
    tone: "accent",
    format: ({ did, to, outcome }) => joined(text(did), text(to), outcome === "done" ? "" : `(${text(outcome)})`),
  }],
  ["upstream_connected", { category: "link", label: "Neuro is here", tone: "good", format: ({ url }) => text(url) }],
  ["upstream_lost", {
    category: "link",
    label: "Neuro is lost",
    tone: "bad",
    format: ({ reason, retry_ms }) => joined(text(reason), `again in ${formatLatency(number(retry_ms))}`),
  }],
  ["input_repaired", {
    category: "trouble",
    label: "mended",
    tone: "warn",
    format: ({ what, hint }) => joined(text(what), text(hint)),
  }],
  ["gap", {
    category: "trouble",
    label: "gap",
    tone: "warn",
    format: (
      { missed },
    ) => (missed === null ? "events are missing here" : `${formatQuantity(number(missed), "event")} missing here`),
  }],
  ["nallely_connected", { category: "nallely", label: "session", tone: "good", format: ({ url }) => text(url) }],
  ["nallely_lost", { category: "nallely", label: "session lost", tone: "bad", format: ({ reason }) => text(reason) }],
  ["nallely_drifted", { category: "nallely", label: "drift", tone: "warn" }],
  ["nallely_input", {
    category: "nallely",
    label: "input",
    format: ({ parameter, value, did }) => joined(`${text(parameter)} = ${number(value)}`, text(did)),
  }],
  ["nallely_output", {
    category: "nallely",
    label: "output",
    format: ({ parameter, value, action }) => joined(`${text(parameter)} = ${number(value)}`, text(action)),
  }],
]);

/** What has names of its own says so; else whoever the event is from, to or about. */
export function describeEvent(event: JsonObject): EventSummary {
  const name = text(event.event);
  const kind = EVENT_FORMATS.get(name);
  const { category = "trouble", label = sanitize(name, 40), tone = "plain" } = kind ?? {};
  const line = sanitize(kind === undefined ? JSON.stringify(event) : kind.format?.(event) ?? "", 400);
  return { category, label, tone: toneOf(event, tone), names: namesOf(event), text: line };
}

function toneOf(event: JsonObject, tone: Tone): Tone {
  if (event.event === "action_result") return event.success === true ? "good" : "bad";
  if (event.event === "force_ended") return event.end === "completed" ? "good" : "warn";
  return tone;
}

const isAction = (event: JsonObject): boolean => /^(?:action_|approval_)/.test(text(event.event));

function namesOf(event: JsonObject): readonly string[] {
  const { from, to, integration, name, game_title, upstream, parameter, by, payload } = event;
  if (typeof by === "string") return [by];
  if (Array.isArray(to)) return list(to);
  // Why: the name in an action's event is the action's.
  const asker = isObject(payload) ? payload["game_title"] : undefined;
  const whom = from ?? to ?? integration ?? game_title ?? asker ?? upstream ?? (isAction(event) ? undefined : name) ??
    parameter;
  return whom === undefined ? [] : [text(whom)];
}
