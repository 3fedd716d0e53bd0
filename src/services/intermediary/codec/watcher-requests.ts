/** Requests of watchers, read from JSON into a closed union. Never throws. */
import { isObject, type Json, type JsonObject, numberOf } from "../../../core/json.ts";
import { NAME_CODE_POINTS_MAX } from "../../../core/limits.ts";
import { normalized } from "../../../core/text.ts";

/** Longer than any name in any normal form. */
const TARGET_LENGTH_MAX = 4 * NAME_CODE_POINTS_MAX;

export type WatcherRequest =
  | { readonly is: "direct"; readonly payload: Json | undefined }
  | { readonly is: "command"; readonly target: string; readonly cmd: Json }
  | { readonly is: "peers" }
  | { readonly is: "actions" }
  | {
    readonly is: "subscribe";
    readonly events: readonly string[] | undefined;
    readonly after: string | undefined;
    readonly rate: number | undefined;
    readonly snapshot: boolean;
  }
  | { readonly is: "choice"; readonly name: string; readonly data: string }
  | { readonly is: "unknown" };

/** Reads a request. If a message contains several, the first one counts: direct, query, subscribe, choice, command. */
export function readRequest(message: Json): WatcherRequest {
  if (!isObject(message)) return { is: "unknown" };
  if (message.direct_to_neuro === true) return { is: "direct", payload: message.payload };
  if (message.query === "peers") return { is: "peers" };
  if (message.query === "get_registered_actions") return { is: "actions" };
  if (isObject(message.subscribe)) return readSubscription(message.subscribe);
  const choice = readChoice(message.choice);
  if (choice !== undefined) return { is: "choice", ...choice };
  const { target, cmd } = message;
  if (typeof target !== "string" || cmd === undefined || cmd === null) return { is: "unknown" };
  const name = normalized(target, TARGET_LENGTH_MAX);
  return name === undefined ? { is: "unknown" } : { is: "command", target: name, cmd };
}

function readSubscription({ events, after, rate, snapshot }: JsonObject): WatcherRequest {
  const names = Array.isArray(events) ? events.filter((name) => typeof name === "string") : undefined;
  const cursor = typeof after === "string" ? after : undefined;
  return { is: "subscribe", events: names, after: cursor, rate: readRate(rate), snapshot: snapshot === true };
}

/** Events per second. Anything but a positive whole number means no limit. */
export function readRate(rate: Json | undefined): number | undefined {
  const number = numberOf(rate);
  return number !== undefined && Number.isSafeInteger(number) && number > 0 ? number : undefined;
}

/** `{"selected":"<name>","data":<text|object>}`, with `data` as text. */
export function readChoice(choice: Json | undefined): { readonly name: string; readonly data: string } | undefined {
  if (!isObject(choice) || typeof choice.selected !== "string") return undefined;
  const { selected: name, data } = choice;
  if (data === undefined || data === null) return { name, data: "{}" };
  return { name, data: typeof data === "string" ? data : JSON.stringify(data) };
}
