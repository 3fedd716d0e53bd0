/** What an event says, in one line: whom it is about, what happened, and how it is to be taken. */
import { isObject, type Json, type JsonObject } from "../../core/json.ts";
import { counted, duration, latency, size } from "./figures.ts";
import { shown } from "./shown.ts";

/** What events are sorted by. */
export type Family = "actions" | "forces" | "context" | "messages" | "people" | "link" | "nallely" | "trouble";

/** All of them, with the words on their buttons. */
export const FAMILIES: readonly (readonly [family: Family, label: string])[] = [
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

export interface Described {
  readonly family: Family;
  readonly tone: Tone;
  /** A word or two. */
  readonly what: string;
  /** Whom it is about, as they call themselves. */
  readonly names: readonly string[];
  readonly line: string;
}

interface Kind {
  readonly family: Family;
  readonly what: string;
  readonly tone?: Tone;
  line?(event: JsonObject): string;
}

const text = (value: Json | undefined): string =>
  typeof value === "string" ? value : value === undefined || value === null ? "" : JSON.stringify(value);
const number = (value: Json | undefined): number => (typeof value === "number" ? value : 0);
const list = (value: Json | undefined): readonly string[] =>
  Array.isArray(value) ? value.map((item: Json) => text(item)) : [];
const namesIn = (value: Json | undefined): readonly string[] =>
  Array.isArray(value) ? value.map((item: Json) => text(isObject(item) ? item["name"] : item)) : [];
const joined = (...parts: readonly string[]): string => parts.filter((part) => part !== "").join("  ");

const KINDS: ReadonlyMap<string, Kind> = new Map<string, Kind>([
  ["action_sent", {
    family: "actions",
    what: "action",
    tone: "accent",
    line: ({ name, data, forced }) => joined(text(name), text(data), forced === true ? "(forced)" : ""),
  }],
  ["approval_wanted", {
    family: "actions",
    what: "to approve",
    tone: "warn",
    line: ({ name, data, forced }) => joined(text(name), text(data), forced === true ? "(forced)" : ""),
  }],
  ["action_result", {
    family: "actions",
    what: "result",
    line: ({ name, message, ms, origin }) =>
      joined(text(name), latency(number(ms)), text(message), origin === "game" ? "" : `(answered by: ${text(origin)})`),
  }],
  ["action_expired", { family: "actions", what: "expired", tone: "warn", line: ({ name }) => text(name) }],
  ["integration_registered_actions", {
    family: "actions",
    what: "registered",
    line: ({ actions }) => list(actions).join(", "),
  }],
  ["force_opened", {
    family: "forces",
    what: "force",
    tone: "accent",
    line: ({ query, actions, priority }) => joined(text(query), `[${list(actions).join(", ")}]`, text(priority)),
  }],
  ["force_ended", {
    family: "forces",
    what: "force ended",
    line: ({ end, ms }) => joined(text(end), `after ${duration(number(ms))}`),
  }],
  ["choose_action", {
    family: "forces",
    what: "choose",
    line: ({ payload }) =>
      isObject(payload) ? joined(text(payload["query"]), `[${namesIn(payload["actions"]).join(", ")}]`) : "",
  }],
  ["add_context", { family: "context", what: "context", line: ({ message }) => text(message) }],
  ["context_dropped", { family: "context", what: "dropped", tone: "warn", line: () => "a context, for it is muted" }],
  ["backend_message", { family: "context", what: "from Neuro", line: ({ payload }) => text(payload) }],
  ["integration_message", { family: "messages", what: "message", line: ({ payload }) => text(payload) }],
  ["binary_received", {
    family: "messages",
    what: "file",
    line: ({ file, size: bytes, content_type }) => joined(text(file), size(number(bytes)), text(content_type)),
  }],
  ["message_queued", {
    family: "messages",
    what: "queued",
    line: ({ kind, depth }) => joined(text(kind), `${number(depth)} waiting`),
  }],
  ["message_delivered", {
    family: "messages",
    what: "delivered",
    line: ({ confirmed }) => (confirmed === true ? "acknowledged" : ""),
  }],
  ["message_dead", { family: "messages", what: "dead letter", tone: "bad", line: ({ why }) => text(why) }],
  ["integration_connected", { family: "people", what: "joined", tone: "good" }],
  ["integration_disconnected", { family: "people", what: "left", tone: "warn" }],
  ["integration_connected_via_backend", { family: "people", what: "game joined", tone: "good" }],
  ["integration_disconnected_via_backend", { family: "people", what: "game left", tone: "warn" }],
  ["neuroos_connected", { family: "people", what: "watcher", line: ({ privileges }) => text(privileges) }],
  ["neuroos_disconnected", { family: "people", what: "watcher left" }],
  ["operator_acted", {
    family: "people",
    what: "operator",
    tone: "accent",
    line: ({ did, to, outcome }) => joined(text(did), text(to), outcome === "done" ? "" : `(${text(outcome)})`),
  }],
  ["upstream_connected", { family: "link", what: "Neuro is here", tone: "good", line: ({ url }) => text(url) }],
  ["upstream_lost", {
    family: "link",
    what: "Neuro is lost",
    tone: "bad",
    line: ({ reason, retry_ms }) => joined(text(reason), `again in ${latency(number(retry_ms))}`),
  }],
  ["input_repaired", {
    family: "trouble",
    what: "mended",
    tone: "warn",
    line: ({ what, hint }) => joined(text(what), text(hint)),
  }],
  ["gap", {
    family: "trouble",
    what: "gap",
    tone: "warn",
    line: (
      { missed },
    ) => (missed === null ? "events are missing here" : `${counted(number(missed), "event")} missing here`),
  }],
  ["nallely_connected", { family: "nallely", what: "session", tone: "good", line: ({ url }) => text(url) }],
  ["nallely_lost", { family: "nallely", what: "session lost", tone: "bad", line: ({ reason }) => text(reason) }],
  ["nallely_drifted", { family: "nallely", what: "drift", tone: "warn" }],
  ["nallely_input", {
    family: "nallely",
    what: "input",
    line: ({ parameter, value, did }) => joined(`${text(parameter)} = ${number(value)}`, text(did)),
  }],
  ["nallely_output", {
    family: "nallely",
    what: "output",
    line: ({ parameter, value, action }) => joined(`${text(parameter)} = ${number(value)}`, text(action)),
  }],
]);

/** What has names of its own says so; else whoever the event is from, to or about. */
export function describe(event: JsonObject): Described {
  const name = text(event.event);
  const kind = KINDS.get(name);
  const { family = "trouble", what = shown(name, 40), tone = "plain" } = kind ?? {};
  const line = shown(kind === undefined ? JSON.stringify(event) : kind.line?.(event) ?? "", 400);
  return { family, what, tone: toneOf(event, tone), names: namesOf(event), line };
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
