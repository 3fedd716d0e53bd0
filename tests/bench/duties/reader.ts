/**
 * Reads the messages of the path: an action of Neuro, a result and a context of a game.
 *
 * The fields of a message are those of the reader until it reads the next one, so that no object is made for it. With patterns a text that
 * is passed on stays JSON, with its quotes.
 */
import { isObject, type JsonObject, parseJson } from "../../../src/core/json.ts";
import { decodeGame } from "../../../src/neuro-api/decode-game.ts";
import { DEFAULTS } from "../../../src/core/defaults.ts";
import { quoted } from "./writer.ts";

/** What was read. `other`: a message off the path. */
export type Kind = "action" | "result" | "context" | "startup" | "register" | "other" | "unreadable";

/** What JSON writes as it is. */
const TEXT = "[ !#-[\\]-~]";
/** The same, with what JSON escapes by two characters. */
const ESCAPED = `(?:${TEXT}|\\\\["\\\\/bfnrt])*`;
const ACTION = new RegExp(
  `^\\{"command":"action","data":\\{"id":"(${TEXT}+)","name":"(${TEXT}+)"(?:,"data":("${ESCAPED}"))?\\}\\}$`,
);
const RESULT = new RegExp(
  `^\\{"command":"action/result","game":"(${TEXT}+)","data":\\{(?:"success":(true|false),"id":"(${TEXT}+)"|"id":"(${TEXT}+)","success":(true|false))(?:,"message":("${ESCAPED}"))?\\}\\}$`,
);
const CONTEXT = new RegExp(
  `^\\{"command":"context","game":"(${TEXT}+)","data":\\{"message":("${TEXT}*"),"silent":(true|false)\\}\\}$`,
);
/** A longer message is parsed. Why: a part of it would keep the whole of it in memory. */
const PATTERN_LENGTH_MAX = 4_096;

interface Envelope {
  readonly command?: unknown;
  readonly game?: unknown;
  readonly data?: Record<string, unknown>;
}

export class Reader {
  game: string | undefined;
  id = "";
  name = "";
  success = false;
  silent = false;
  /** The data of an action, or the message of a result or context. */
  text: string | undefined;
  actions: readonly { readonly name: string; readonly description: string; readonly schema?: JsonObject }[] = [];
  readonly #areChecked: boolean;
  readonly #usesPatterns: boolean;

  constructor({ areChecked, usesPatterns }: { readonly areChecked: boolean; readonly usesPatterns: boolean }) {
    this.#areChecked = areChecked;
    this.#usesPatterns = usesPatterns;
  }

  #kept(text: string | undefined): string | undefined {
    return text === undefined || !this.#usesPatterns ? text : quoted(text);
  }

  fromNeuro(text: string): Kind {
    if (this.#usesPatterns && text.length <= PATTERN_LENGTH_MAX) {
      const found = ACTION.exec(text);
      if (found !== null) {
        this.id = found[1] ?? "";
        this.name = found[2] ?? "";
        this.text = found[3];
        return "action";
      }
    }
    return this.#areChecked ? this.#checkedAction(text) : this.#action(JSON.parse(text));
  }

  fromGame(text: string): Kind {
    if (this.#usesPatterns && text.length <= PATTERN_LENGTH_MAX) {
      const kind = this.#byPattern(text);
      if (kind !== undefined) return kind;
    }
    if (!this.#areChecked) return this.#message(JSON.parse(text)) ?? "other";
    const value = parsed(text) as Envelope | undefined;
    if (value === undefined) return "unreadable";
    const kind = hasOnlyKnownKeys(value) ? this.#message(value) : undefined;
    return kind ?? this.#byRelay(text);
  }

  #byPattern(text: string): Kind | undefined {
    // Why by this character: it is where the commands differ first.
    if (text.charCodeAt(12) === 97) {
      const found = RESULT.exec(text);
      if (found === null) return undefined;
      this.game = found[1];
      this.id = found[3] ?? found[4] ?? "";
      this.success = (found[2] ?? found[5]) === "true";
      this.text = found[6];
      return "result";
    }
    const found = CONTEXT.exec(text);
    if (found === null) return undefined;
    this.game = found[1];
    this.text = found[2];
    this.silent = found[3] === "true";
    return "context";
  }

  /** An action in its usual form, or as the relay reads it. */
  #checkedAction(text: string): Kind {
    const value = parsed(text) as Envelope | undefined;
    if (value === undefined) return "unreadable";
    const { data } = value;
    // Why no look at the nesting and the numbers: whatever is not one of these texts is dropped.
    const isUsual = value.command === "action" && isRecord(data) && isFilled(data["id"]) && isFilled(data["name"]) &&
      isOptionalText(data["data"]);
    return isUsual ? this.#action(value) : this.#unusualAction(text);
  }

  #action({ command, data }: Envelope): Kind {
    if (command !== "action") return "other";
    this.id = data?.["id"] as string;
    this.name = data?.["name"] as string;
    const given = data?.["data"] as string | undefined;
    this.text = given === "" ? undefined : this.#kept(given);
    return "action";
  }

  #unusualAction(text: string): Kind {
    const value = parseJson(text, DEFAULTS.limits.json_depth);
    if (!isObject(value) || typeof value["command"] !== "string") return "unreadable";
    const { command, data } = value;
    if (command !== "action") return "other";
    if (!isObject(data)) return "unreadable";
    const { id, name, data: given } = data;
    const named = typeof id === "number" ? String(id) : id;
    if (!isFilled(named) || !isFilled(name)) return "unreadable";
    const isMissing = given === undefined || given === null || given === "";
    const content = typeof given === "string" ? given : JSON.stringify(given);
    this.id = named;
    this.name = name;
    this.text = isMissing ? undefined : this.#kept(content);
    return "action";
  }

  /** A message in its usual form; undefined for one of another form. */
  #message({ command, game, data }: Envelope): Kind | undefined {
    const areChecked = this.#areChecked;
    if (areChecked && (typeof game !== "string" || (data !== undefined && !isRecord(data)))) return undefined;
    this.game = game as string;
    switch (command) {
      case "action/result": {
        if (data === undefined) return undefined;
        const { id, success, message } = data;
        if (areChecked) {
          const keys = message === undefined ? 2 : 3;
          const isUsual = isFilled(id) && typeof success === "boolean" && isOptionalText(message);
          if (!isUsual || countKeys(data) !== keys) return undefined;
        }
        this.id = id as string;
        this.success = success as boolean;
        this.text = this.#kept(message as string | undefined);
        return "result";
      }
      case "context": {
        if (data === undefined) return undefined;
        const { message, silent } = data;
        if (areChecked && (typeof message !== "string" || typeof silent !== "boolean" || countKeys(data) !== 2)) {
          return undefined;
        }
        this.text = this.#kept(message as string);
        this.silent = silent as boolean;
        return "context";
      }
      case "actions/register":
        if (areChecked) return undefined;
        this.actions = data?.["actions"] as typeof this.actions;
        return "register";
      case "startup":
        return areChecked ? undefined : "startup";
      default:
        return undefined;
    }
  }

  /** Any other message, with the relay's reader: it is repaired or refused. */
  #byRelay(text: string): Kind {
    const decoded = decodeGame(text, DEFAULTS.limits);
    if (!decoded.ok) return "unreadable";
    const { message, game } = decoded;
    this.game = game;
    switch (message.command) {
      case "action/result":
        this.id = message.id ?? "";
        this.success = message.success;
        this.text = this.#kept(message.message);
        return "result";
      case "context":
        this.text = this.#kept(message.message);
        this.silent = message.silent;
        return "context";
      case "actions/register":
        this.actions = message.actions;
        return "register";
      case "startup":
        return "startup";
      default:
        return "other";
    }
  }
}

function parsed(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;
const isFilled = (value: unknown): value is string => typeof value === "string" && value !== "";
const isOptionalText = (value: unknown): boolean => value === undefined || typeof value === "string";

const hasOnlyKnownKeys = (value: Envelope): boolean =>
  value.command !== undefined && value.game !== undefined && value.data !== undefined && countKeys(value) === 3;

function countKeys(value: object): number {
  let count = 0;
  // Why not `Object.keys`: the list would take most of the time.
  for (const _key in value) count++;
  return count;
}
