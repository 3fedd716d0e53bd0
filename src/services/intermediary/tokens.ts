/**
 * Who may do what: tokens, compared as digests in constant time.
 *
 * Invariants: T1 a token that is missing in a greeting equals only a setting that is there and empty, and that only on
 * loopback; T2 equal tokens are one with all their scopes; T3 every configured token is compared, whatever was found before.
 */
import { PUBLISHED_TOKEN } from "../../core/defaults.ts";
import { isLoopback } from "../../core/loopback.ts";
import { hashText, sameDigest } from "../../core/hash.ts";
import type { Json } from "../../core/json.ts";
import { matches } from "../../core/name-pattern.ts";
import type { Scope, Settings } from "../../core/settings.ts";

/** A configured token. */
export interface Token {
  readonly digest: string;
  readonly scopes: readonly Scope[];
  /** Patterns of the names that may use it; empty: any. */
  readonly names: readonly string[];
}

/** What a presented token allows; `scopes` is empty where it is known but not for this name. */
export interface Grant {
  readonly digest: string;
  readonly scopes: ReadonlySet<Scope>;
}

const PLAIN: readonly Scope[] = ["integration", "watch", "command"];
const ENHANCED: readonly Scope[] = ["watch", "command", "direct"];
/** Whoever has the web port's token is the relay's owner, on this door too: the dashboard is a watcher. */
const EVERYTHING: readonly Scope[] = ["integration", "watch", "command", "direct", "admin"];

/** All tokens that the settings name; those that are equal are joined when one is shown. */
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

/** What a greeting's token allows under a name, or undefined for one that nobody configured. */
export function grantOf(tokens: readonly Token[], presented: Json | undefined, name: string): Grant | undefined {
  const text = presented === undefined ? "" : presented;
  if (typeof text !== "string" || !text.isWellFormed()) return undefined;
  return grantOfDigest(tokens, hashText(text), name);
}

/** The same for a token that was checked before, as the settings are now. */
export function grantOfDigest(tokens: readonly Token[], digest: string, name: string): Grant | undefined {
  const scopes = new Set<Scope>();
  let isKnown = false;
  for (const token of tokens) {
    if (!sameDigest(digest, token.digest)) continue;
    isKnown = true;
    if (token.names.length > 0 && !token.names.some((pattern) => matches(pattern, name))) continue;
    for (const scope of token.scopes) scopes.add(scope);
  }
  return isKnown ? { digest, scopes } : undefined;
}
