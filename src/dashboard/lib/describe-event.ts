/** Describes an event in one line: its kind, whom it concerns, what happened, and whether that is good or bad. */
import { isObject, type Json, type JsonObject } from "../../core/json.ts";
import {
  deadLetterReason,
  type EVENT_CATEGORIES,
  EVENT_TEXTS,
  FORCE_ENDS,
  humanize,
  operatorActionText,
  outcomeText,
  RESULT_ORIGINS,
  textOf,
} from "../texts.ts";
import { formatBytes, formatDuration, formatLatency } from "./format.ts";
import { sanitize } from "./sanitize.ts";

/** The kinds by which the feed filters events. */
export type EventCategory = keyof typeof EVENT_CATEGORIES;

export type Tone = "plain" | "good" | "warn" | "bad" | "accent";

export interface EventSummary {
  readonly category: EventCategory;
  readonly tone: Tone;
  /** One to three words. */
  readonly label: string;
  /** Whom it concerns, by the names that they gave themselves. */
  readonly names: readonly string[];
  readonly text: string;
}

interface EventFormat {
  readonly category: EventCategory;
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
const bracketed = (names: readonly string[]): string => `[${names.join(", ")}]`;

const action = ({ name, data, forced }: JsonObject): string =>
  joined(text(name), text(data), forced === true ? EVENT_TEXTS.forced : "");

function actionResult({ name, message, ms, origin, success }: JsonObject): string {
  const from = text(origin);
  const answeredBy = Object.hasOwn(RESULT_ORIGINS, from)
    ? RESULT_ORIGINS[from as keyof typeof RESULT_ORIGINS](number(ms), success === true)
    : humanize(from);
  return joined(text(name), formatLatency(number(ms)), text(message), answeredBy);
}

const operatorActed = ({ did, to, outcome }: JsonObject): string =>
  joined(operatorActionText(text(did), text(to)), outcome === "done" ? "" : `(${outcomeText(text(outcome))})`);

const FORMATS: { readonly [Event in keyof typeof EVENT_TEXTS.labels]: EventFormat } = {
  action_sent: { category: "actions", tone: "accent", format: action },
  approval_wanted: { category: "actions", tone: "warn", format: action },
  action_result: { category: "actions", format: actionResult },
  action_expired: { category: "actions", tone: "warn", format: ({ name }) => text(name) },
  integration_registered_actions: { category: "actions", format: ({ actions }) => list(actions).join(", ") },
  force_opened: {
    category: "forces",
    tone: "accent",
    format: ({ query, actions, priority }) => joined(text(query), bracketed(list(actions)), text(priority)),
  },
  force_ended: {
    category: "forces",
    format: ({ end, ms }) => joined(textOf(FORCE_ENDS, text(end)), EVENT_TEXTS.after(formatDuration(number(ms)))),
  },
  choose_action: {
    category: "raw",
    format: ({ payload }) =>
      isObject(payload) ? joined(text(payload["query"]), bracketed(namesIn(payload["actions"]))) : "",
  },
  add_context: { category: "context", format: ({ message }) => text(message) },
  context_dropped: { category: "context", tone: "warn", format: () => EVENT_TEXTS.muted },
  trace_ended: {
    category: "messages",
    format: ({ trace }) => (isObject(trace) ? joined(text(trace["kind"]), text(trace["outcome"])) : ""),
  },
  backend_message: { category: "raw", format: ({ payload }) => text(payload) },
  integration_message: { category: "messages", format: ({ payload }) => text(payload) },
  binary_received: {
    category: "messages",
    format: ({ file, size, content_type }) => joined(text(file), formatBytes(number(size)), text(content_type)),
  },
  message_queued: {
    category: "messages",
    format: ({ kind, depth }) => joined(text(kind), EVENT_TEXTS.waiting(number(depth))),
  },
  message_delivered: {
    category: "messages",
    format: ({ confirmed }) => (confirmed === true ? EVENT_TEXTS.acknowledged : ""),
  },
  message_dead: { category: "messages", tone: "bad", format: ({ why }) => deadLetterReason(text(why)) },
  integration_connected: { category: "connections", tone: "good" },
  integration_disconnected: { category: "connections", tone: "warn" },
  integration_connected_via_backend: { category: "connections", tone: "good" },
  integration_disconnected_via_backend: { category: "connections", tone: "warn" },
  neuroos_connected: {
    category: "connections",
    format: ({ privileges }) => EVENT_TEXTS.privileges(text(privileges)),
  },
  neuroos_disconnected: { category: "connections" },
  operator_acted: { category: "connections", tone: "accent", format: operatorActed },
  upstream_connected: { category: "neuro", tone: "good", format: ({ url }) => text(url) },
  upstream_lost: {
    category: "neuro",
    tone: "bad",
    format: ({ reason, retry_ms }) =>
      joined(
        text(reason),
        typeof retry_ms === "number" ? EVENT_TEXTS.retryIn(formatLatency(retry_ms)) : EVENT_TEXTS.noRetry,
      ),
  },
  diagnostic: {
    category: "problems",
    tone: "warn",
    format: ({ severity, hint, count }) => EVENT_TEXTS.diagnosed(text(severity), text(hint), number(count)),
  },
  input_repaired: {
    category: "problems",
    tone: "warn",
    format: ({ what, hint }) => EVENT_TEXTS.workedAround(joined(text(what), text(hint))),
  },
  writes_suspended: {
    category: "problems",
    tone: "bad",
    format: ({ service }) => EVENT_TEXTS.writesSuspended(text(service)),
  },
  writes_resumed: {
    category: "problems",
    tone: "good",
    format: ({ service }) => EVENT_TEXTS.writesResumed(text(service)),
  },
  input_refused: { category: "problems", tone: "bad", format: ({ reason }) => text(reason) },
  peer_closed_by_relay: {
    category: "problems",
    tone: "bad",
    format: ({ fault, reason }) => reason === undefined ? outcomeText(text(fault)) : text(reason),
  },
  gap: {
    category: "problems",
    tone: "warn",
    format: ({ missed }) => (missed === null ? EVENT_TEXTS.someMissing : EVENT_TEXTS.missing(number(missed))),
  },
  nallely_connected: { category: "nallely", tone: "good", format: ({ url }) => text(url) },
  nallely_lost: { category: "nallely", tone: "bad", format: ({ reason }) => text(reason) },
  nallely_drifted: { category: "nallely", tone: "warn" },
  nallely_input: {
    category: "nallely",
    format: ({ parameter, value, did }) => joined(`${text(parameter)} = ${number(value)}`, humanize(text(did))),
  },
  nallely_output: {
    category: "nallely",
    format: ({ parameter, value, action }) => joined(`${text(parameter)} = ${number(value)}`, text(action)),
  },
};

/** Beginnings of the names of an integration's messages that another event describes, too. */
const DESCRIBED = /^(?:context|startup|action|force|register|unregister|choose|shutdown)/;

/**
 * True for a message in its own words, of which another event says what it means. Why apart: the feed has one row for each fact, unless
 * these are asked for.
 */
export function isRaw({ event, payload }: JsonObject): boolean {
  if (event === "choose_action" || event === "backend_message") return true;
  if (event !== "integration_message" || !isObject(payload)) return false;
  const name = payload["command"] ?? payload["event"];
  return typeof name === "string" && DESCRIBED.test(name);
}

type KnownEvent = keyof typeof FORMATS;

const isKnown = (name: string): name is KnownEvent => Object.hasOwn(FORMATS, name);

/** The summary of an event. One that is not known is shown as JSON. */
export function describeEvent(event: JsonObject): EventSummary {
  const name = text(event.event);
  const names = namesOf(event);
  if (!isKnown(name)) {
    return {
      category: "problems",
      tone: "plain",
      label: sanitize(humanize(name), 40),
      names,
      text: sanitize(JSON.stringify(event), 400),
    };
  }
  const { category: usual, tone = "plain", format } = FORMATS[name];
  const category = isRaw(event) ? "raw" : usual;
  // Why: the tone alone would tell a failure from a success.
  const isFailure = event.event === "action_result" && event.success !== true;
  const label = isFailure ? EVENT_TEXTS.failedResult : EVENT_TEXTS.labels[name];
  return { category, tone: toneOf(event, tone), label, names, text: sanitize(format?.(event) ?? "", 400) };
}

function toneOf(event: JsonObject, tone: Tone): Tone {
  if (event.event === "action_result") return event.success === true ? "good" : "bad";
  if (event.event === "force_ended") return event.end === "completed" ? "good" : "warn";
  if (event.event === "diagnostic") {
    return event.severity === "error" ? "bad" : event.severity === "info" ? "plain" : "warn";
  }
  return tone;
}

const isAboutAction = (event: JsonObject): boolean => /^(?:action_|approval_)/.test(text(event.event));

/** Whom the event is from, to or about. */
function namesOf(event: JsonObject): readonly string[] {
  const { from, to, integration, name, game_title, upstream, parameter, by, payload } = event;
  if (typeof by === "string") return [by];
  if (Array.isArray(to)) return list(to);
  const requester = isObject(payload) ? payload["game_title"] : undefined;
  // Why: in an event about an action, `name` is the action's.
  const whom = from ?? to ?? integration ?? game_title ?? requester ?? upstream ??
    (isAboutAction(event) ? undefined : name) ?? parameter;
  return whom === undefined ? [] : [text(whom)];
}
