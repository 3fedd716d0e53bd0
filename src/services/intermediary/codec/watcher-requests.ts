/** Requests of watchers, read from JSON into a closed union. Never throws. */
import { isObject, type Json, type JsonObject, numberOf } from "../../../core/json.ts";
import { NAME_CODE_POINTS_MAX } from "../../../core/limits.ts";
import { normalized } from "../../../core/text.ts";
import { inWords, requestIdProblem, wrongField } from "./problems.ts";

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
    readonly changes: boolean;
  }
  | { readonly is: "choice"; readonly name: string; readonly data: string }
  /** `hint`: what its author has to change. */
  | { readonly is: "unknown"; readonly hint: string }
  /** A field that the original relay did not have is wrong. `error`: which one. */
  | { readonly is: "invalid"; readonly error: string; readonly hint: string };

/** Reads a request. If a message contains several, the first one counts: direct, query, subscribe, choice, command. */
export function readRequest(message: Json): WatcherRequest {
  if (!isObject(message)) return { is: "unknown", hint: `a request must be an object, not ${inWords(message)}` };
  const idProblem = requestIdProblem(message);
  if (idProblem !== undefined) return { is: "invalid", error: "invalid request_id", hint: idProblem };
  if (message.direct_to_neuro === true) return { is: "direct", payload: message.payload };
  if (message.query === "peers") return { is: "peers" };
  if (message.query === "get_registered_actions") return { is: "actions" };
  if (isObject(message.subscribe)) return readSubscription(message.subscribe);
  const choice = readChoice(message.choice);
  if (choice !== undefined) return { is: "choice", ...choice };
  const { target, cmd } = message;
  if (typeof target !== "string" || cmd === undefined || cmd === null) return { is: "unknown", hint: problemOf(message) };
  const name = normalized(target, TARGET_LENGTH_MAX);
  if (name !== undefined) return { is: "command", target: name, cmd };
  return {
    is: "unknown",
    hint: `\`target\` must have at most ${NAME_CODE_POINTS_MAX} characters; it has ${target.length}`,
  };
}

/** Why a message is no request: the first field that shows what its author meant. */
function problemOf({ direct_to_neuro, query, subscribe, choice, target, cmd }: JsonObject): string {
  if (target === undefined && cmd === undefined) {
    if (query !== undefined) return wrongField("query", '"peers" or "get_registered_actions"', query);
    if (subscribe !== undefined) return wrongField("subscribe", "an object", subscribe);
    if (choice !== undefined && !isObject(choice)) return wrongField("choice", "an object", choice);
    if (isObject(choice)) return wrongField("choice.selected", "the name of an action", choice.selected);
    if (direct_to_neuro !== undefined) return wrongField("direct_to_neuro", "true", direct_to_neuro);
    return "a request has `target` and `cmd`, or one of `direct_to_neuro`, `query`, `subscribe` and `choice`";
  }
  if (typeof target !== "string") return wrongField("target", 'the name of an integration, or "*"', target);
  return wrongField("cmd", "what the integration is to do", cmd);
}

/** A field that is absent or null has its default. */
function readSubscription({ events, after, rate, snapshot, changes }: JsonObject): WatcherRequest {
  const names = events ?? undefined;
  const [cursor, perSecond] = [after ?? undefined, readRate(rate)];
  const isList = Array.isArray(names);
  if (names !== undefined && !isList) return badSubscription("events", "a list of names", names);
  const wrong = isList ? names.find((name) => typeof name !== "string") : undefined;
  if (wrong !== undefined) return badSubscription("events", "a list of names", wrong);
  if (cursor !== undefined && typeof cursor !== "string") return badSubscription("after", "the id of an event", cursor);
  if (perSecond === undefined && (rate ?? undefined) !== undefined) {
    return badSubscription("rate", "a whole number of events per second from 1", rate);
  }
  for (const [field, value] of [["snapshot", snapshot], ["changes", changes]] as const) {
    if ((value ?? false) !== false && value !== true) return badSubscription(field, "true or false", value);
  }
  return {
    is: "subscribe",
    events: names,
    after: cursor,
    rate: perSecond,
    snapshot: snapshot === true,
    changes: changes === true,
  };
}

const badSubscription = (field: string, wanted: string, found: Json | undefined): WatcherRequest => ({
  is: "invalid",
  error: "invalid subscribe",
  hint: wrongField(`subscribe.${field}`, wanted, found),
});

/** Events per second. Anything but a positive whole number means no limit. */
export function readRate(rate: Json | undefined): number | undefined {
  const number = numberOf(rate);
  return number !== undefined && Number.isSafeInteger(number) && number > 0 ? number : undefined;
}

/** An action that a peer chose in Neuro's place. `data` is its JSON text. */
export interface ChosenAction {
  readonly name: string;
  readonly data: string;
}

/** `{"selected":"<name>","data":<text|object>}`, with `data` as text. */
export function readChoice(choice: Json | undefined): ChosenAction | undefined {
  if (!isObject(choice) || typeof choice.selected !== "string") return undefined;
  const { selected: name, data } = choice;
  if (data === undefined || data === null) return { name, data: "{}" };
  return { name, data: typeof data === "string" ? data : JSON.stringify(data) };
}
