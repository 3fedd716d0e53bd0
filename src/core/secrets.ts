/**
 * Redaction: removes the secrets of the settings from everything that is written down.
 *
 * It is applied to whole lines, not to known fields, because a token can also end up in a name, a path or a message by mistake.
 */
import type { Settings } from "./settings.ts";
import { PATH_TOKEN, percentDecode, QUERY_SECRET, shorten } from "./text.ts";

/** Replaces a secret. */
export const REDACTED = "***";

/** A shorter secret is redacted only as a whole word, because it can be a part of an ordinary one. */
const WORD_LENGTH_MAX = 12;
/** Redacting a token of one or two characters would leave nothing to read. */
const LENGTH_MIN = 3;

/** `"auth_token":"..."`, also inside a JSON string. */
const AUTH_TOKEN = /auth_token/i;
const AUTH_TOKEN_VALUE = /(auth_token\\*"\s*:\s*\\*")[^"\\]+/gi;

/** The value of a member with a name that stands for a credential. Why: a wrong token is often a right one with a typo. */
const CREDENTIAL_VALUE =
  /("(?:auth_?token|access_?token|token|authorization|api_?key|secret|password)\\*"\s*:\s*\\*")(?:[^"\\]|\\[^"])+/gi;

/** The secrets to redact. Once learned, a secret is never forgotten. */
export class Secrets {
  readonly #known = new Set<string>();
  #pattern: RegExp | undefined;
  #lengthMax = 0;

  constructor(secrets: readonly string[] = []) {
    this.learn(secrets);
  }

  learn(secrets: readonly string[]): void {
    for (const secret of secrets) for (const form of formsOf(secret)) this.#known.add(form);
    const longestFirst = [...this.#known].sort((left, right) => right.length - left.length);
    this.#lengthMax = longestFirst[0]?.length ?? 0;
    this.#pattern = longestFirst.length === 0 ? undefined : new RegExp(longestFirst.map(patternOf).join("|"), "g");
  }

  /** The length of the longest secret. */
  get lengthMax(): number {
    return this.#lengthMax;
  }

  /** The text without known secrets, and without any value of `auth_token`: a wrong token is often a right one with a typo. */
  redact(text: string): string {
    const known = this.#pattern === undefined ? text : text.replace(this.#pattern, REDACTED);
    return AUTH_TOKEN.test(known) ? known.replace(AUTH_TOKEN_VALUE, `$1${REDACTED}`) : known;
  }
}

/** The beginning of a text that is kept for `redactedBeginning`. It is longer than what is shown, so that no part of a secret is left. */
export const keptBeginning = (text: string, lengthMax: number, secrets: Secrets): string =>
  shorten(text, lengthMax + secrets.lengthMax);

/** The beginning of a text, without credentials. `isCut`: the text is itself the beginning of another one. */
export function redactedBeginning(
  text: string,
  { lengthMax, isCut }: { readonly lengthMax: number; readonly isCut: boolean },
  secrets: Secrets,
): string {
  const redacted = secrets.redact(text).replace(CREDENTIAL_VALUE, `$1${REDACTED}`);
  // Why: the last characters of a text that was cut may be the beginning of a secret.
  const length = Math.min(lengthMax, isCut ? Math.max(0, redacted.length - secrets.lengthMax) : redacted.length);
  return isCut || length < redacted.length ? `${shorten(redacted, length)}...` : redacted;
}

/** The secret itself, and its form inside a JSON string. */
function formsOf(secret: string): readonly string[] {
  return secret.length < LENGTH_MIN ? [] : [secret, JSON.stringify(secret).slice(1, -1)];
}

function patternOf(secret: string): string {
  const escaped = secret.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
  return secret.length >= WORD_LENGTH_MAX ? escaped : `(?<![A-Za-z0-9_])${escaped}(?![A-Za-z0-9_])`;
}

/** True for the name of a setting that is, or can contain, a secret. */
export const isSecretName = (name: string): boolean =>
  name.endsWith("token") || name.endsWith("secret") || name.endsWith("url");

/** Every token in the settings, and every password and token in their URLs. */
export function secretsOf(settings: Settings): readonly string[] {
  const found: string[] = [];
  collect(settings, "", found);
  return found;
}

function collect(value: unknown, name: string, found: string[]): void {
  if (typeof value === "string") {
    if (isSecretName(name)) found.push(...(name.endsWith("url") ? secretsInUrl(value) : [value]));
  } else if (typeof value === "object" && value !== null) {
    for (const [below, inner] of Object.entries(value)) collect(inner, Array.isArray(value) ? name : below, found);
  }
}

/** A password, a token in the path (`/t/<token>`), and the values of query parameters that are named like a secret. */
function secretsInUrl(url: string): readonly string[] {
  const passwords = [...url.matchAll(/\/\/[^:/?#]*:([^@/?#]+)@/g)].map(([, password = ""]) => password);
  const others = [PATH_TOKEN, QUERY_SECRET].flatMap((pattern) => [...url.matchAll(pattern)].map(([, , raw = ""]) => raw));
  return [...passwords, ...others].flatMap((raw) => [raw, percentDecode(raw)]);
}
