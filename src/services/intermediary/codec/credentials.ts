/**
 * Removes credentials from the messages of peers, so that they reach neither Neuro nor watchers.
 *
 * A field `auth_token` with a text is removed at any depth. A configured token of at least `TOKEN_LENGTH_MIN` characters is replaced in any
 * text. Shorter tokens may be ordinary words, so they are removed only where they are called a token.
 */
import { isObject, type Json } from "../../../core/json.ts";
import { Secrets, secretsOf } from "../../../core/secrets.ts";
import type { Settings } from "../../../core/settings.ts";

const TOKEN_LENGTH_MIN = 12;
const CREDENTIAL_FIELD = "auth_token";

export class Credentials {
  readonly #secrets: Secrets;
  /** A text without any of these contains no credentials. */
  readonly #signs: readonly string[];

  constructor(settings: Settings) {
    const tokens = secretsOf(settings).filter((secret) => secret.length >= TOKEN_LENGTH_MIN);
    this.#secrets = new Secrets(tokens);
    const escaped = tokens.map((token) => JSON.stringify(token).slice(1, -1));
    this.#signs = [...new Set([CREDENTIAL_FIELD, ...tokens, ...escaped])];
  }

  /** The message of a frame without credentials. `text`: the frame, to skip the search where it can contain none. */
  removeFrom(message: Json, text: string): Json {
    return this.#signs.some((sign) => text.includes(sign)) ? this.#clean(message) : message;
  }

  #clean(value: Json): Json {
    if (typeof value === "string") return this.#secrets.redact(value);
    if (Array.isArray(value)) return value.map((item: Json) => this.#clean(item));
    if (!isObject(value)) return value;
    const fields = Object.entries(value).flatMap(([name, field]): [string, Json][] =>
      field === undefined || (name === CREDENTIAL_FIELD && typeof field === "string") ? [] : [[name, this.#clean(field)]]
    );
    return Object.fromEntries(fields);
  }
}
