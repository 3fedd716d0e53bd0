/**
 * The secrets that the settings hold, so that whatever is written down can be kept free of them.
 *
 * Nothing that writes is trusted to leave them out: a token also turns up in a name, a path or a message, by somebody's mistake.
 */
import type { Settings } from "./settings.ts";

/** What stands in a secret's place. */
export const REDACTED = "***";

/** Shorter ones are hidden only where they stand alone: they may be part of an ordinary word. */
const UNMISTAKABLE = 12;
/** One character may be a token; hiding it would leave nothing to read. */
const LENGTH_MIN = 3;

/** `"auth_token":"..."`, also where it is quoted once more. */
const CALLED_TOKEN = /auth_token/i;
const CALLED_TOKEN_VALUE = /(auth_token\\*"\s*:\s*\\*")[^"\\]+/gi;

/** Hides what it knows. Knowing more later forgets nothing: what was a secret once stays one. */
export class Secrets {
  readonly #known = new Set<string>();
  #pattern: RegExp | undefined;

  constructor(secrets: readonly string[] = []) {
    this.learn(secrets);
  }

  learn(secrets: readonly string[]): void {
    for (const secret of secrets) for (const form of formsOf(secret)) this.#known.add(form);
    const longestFirst = [...this.#known].sort((left, right) => right.length - left.length);
    this.#pattern = longestFirst.length === 0 ? undefined : new RegExp(longestFirst.map(patternOf).join("|"), "g");
  }

  /** The text without the secrets in it, and without what JSON in it calls a token: a wrong one is often a right one with a slip. */
  redact(text: string): string {
    const known = this.#pattern === undefined ? text : text.replace(this.#pattern, REDACTED);
    return CALLED_TOKEN.test(known) ? known.replace(CALLED_TOKEN_VALUE, `$1${REDACTED}`) : known;
  }
}

/** As it is, and as it looks in JSON. */
function formsOf(secret: string): readonly string[] {
  return secret.length < LENGTH_MIN ? [] : [secret, JSON.stringify(secret).slice(1, -1)];
}

function patternOf(secret: string): string {
  const escaped = secret.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
  return secret.length >= UNMISTAKABLE ? escaped : `(?<![A-Za-z0-9_])${escaped}(?![A-Za-z0-9_])`;
}

/** Every token in the settings, and every password and token in their URLs. */
export function secretsOf(settings: Settings): readonly string[] {
  const found: string[] = [];
  collect(settings, "", found);
  return found;
}

function collect(value: unknown, name: string, found: string[]): void {
  if (typeof value === "string") {
    if (name.endsWith("token")) found.push(value);
    else if (name.endsWith("url")) found.push(...secretsInUrl(value));
  } else if (typeof value === "object" && value !== null) {
    for (const [below, inner] of Object.entries(value)) collect(inner, Array.isArray(value) ? name : below, found);
  }
}

/** A password, a token in the path (`/t/<token>`), and whatever in the query is called one. */
function secretsInUrl(url: string): readonly string[] {
  const patterns = [
    /\/\/[^:/?#]*:([^@/?#]+)@/g,
    /\/t\/([^/?#]+)/g,
    /[?&][^=&#]*(?:token|key|secret|password)[^=&#]*=([^&#]+)/gi,
  ];
  return patterns.flatMap((pattern) => [...url.matchAll(pattern)].flatMap(([, raw = ""]) => [raw, decoded(raw)]));
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
