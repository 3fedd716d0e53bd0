/**
 * Tokens and what they allow. Tokens are compared as digests in constant time.
 *
 * Invariants: T1 a greeting without a token matches only a token that is configured and empty, and only on loopback; T2 equal tokens
 * are one token with the scopes of all; T3 every configured token is compared, even after a match.
 */
import { PUBLISHED_TOKEN } from "../../../core/defaults.ts";
import { hashText, sameDigest } from "../../../core/hash.ts";
import type { Json } from "../../../core/json.ts";
import { isLoopback } from "../../../core/loopback.ts";
import { matches } from "../../../core/name-pattern.ts";
import type { Scope, Settings } from "../../../core/settings.ts";

/** A configured token. */
export interface Token {
  readonly digest: string;
  readonly scopes: readonly Scope[];
  /** Patterns of the names that may use it. Empty: all names. */
  readonly names: readonly string[];
}

/** What a presented token allows. `scopes` is empty if the token is valid but not for this name. */
export interface Grant {
  readonly digest: string;
  readonly scopes: ReadonlySet<Scope>;
}

const PLAIN: readonly Scope[] = ["integration", "watch", "command"];
const ENHANCED: readonly Scope[] = ["watch", "command", "direct"];
/** Scopes of the web port's token. Its holder owns the relay, and the dashboard is a watcher. */
const EVERYTHING: readonly Scope[] = ["integration", "watch", "command", "direct", "admin"];

/** All tokens in the settings. Equal ones are joined when a token is presented. */
export function tokensOf(settings: Settings): readonly Token[] {
  const { auth_token, tokens, host } = settings.intermediary;
  const web = settings.web.token;
  const isWebSecret = web !== "" && (web !== PUBLISHED_TOKEN || isLoopback(host));
  const enhanced = settings["dependency-authentication"]["neuro-os"].auth_token;
  const all = [
    { token: auth_token, scopes: PLAIN, names: [] },
    ...(enhanced === undefined ? [] : [{ token: enhanced, scopes: ENHANCED, names: [] }]),
    ...(isWebSecret ? [{ token: web, scopes: EVERYTHING, names: [] }] : []),
    ...tokens,
  ];
  return all
    .filter(({ token }) => token !== "" || isLoopback(host))
    .map(({ token, scopes, names }) => ({ digest: hashText(token), scopes, names }));
}

/** What the token of a greeting allows for a name, or undefined if it is not configured. */
export function grantOf(tokens: readonly Token[], presented: Json | undefined, name: string): Grant | undefined {
  const text = presented === undefined ? "" : presented;
  if (typeof text !== "string" || !text.isWellFormed()) return undefined;
  return grantOfDigest(tokens, hashText(text), name);
}

/** What the token with this digest allows for a name, or undefined if it is not configured. */
export function grantOfDigest(tokens: readonly Token[], digest: string, name: string): Grant | undefined {
  const scopes = new Set<Scope>();
  let isConfigured = false;
  for (const token of tokens) {
    if (!sameDigest(digest, token.digest)) continue;
    isConfigured = true;
    if (token.names.length > 0 && !token.names.some((pattern) => matches(pattern, name))) continue;
    for (const scope of token.scopes) scopes.add(scope);
  }
  return isConfigured ? { digest, scopes } : undefined;
}
