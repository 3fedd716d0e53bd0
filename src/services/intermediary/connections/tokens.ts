/**
 * Tokens and their scopes.
 *
 * Invariants: T1 a greeting without a token matches only a token that is configured and empty, and only on loopback; T2 equal tokens
 * are one token with the scopes of all; T3 every configured token is compared, even after a match.
 */
import { type Credential, credentialsOf, isLoopback, matchingCredentials } from "../../../core/access.ts";
import { hashText } from "../../../core/hash.ts";
import type { Json } from "../../../core/json.ts";
import type { Scope, Settings } from "../../../core/settings.ts";
import { matchesPattern } from "../../../core/text.ts";

/** The scopes of a presented token. `scopes` is empty if the token is valid but not for this name. */
export interface Grant {
  readonly digest: string;
  readonly scopes: ReadonlySet<Scope>;
}

/** The tokens that a peer can greet with. */
export function tokensOf(settings: Settings): readonly Credential[] {
  const isLocal = isLoopback(settings.intermediary.host);
  return credentialsOf(settings).filter(({ isPublic }) => isLocal || !isPublic);
}

/** The grant of a greeting's token under a name; undefined for a token that is not configured. */
export function grantOf(tokens: readonly Credential[], presented: Json | undefined, name: string): Grant | undefined {
  const token = presented === undefined ? "" : presented;
  if (typeof token !== "string" || !token.isWellFormed()) return undefined;
  return grantOfDigest(tokens, hashText(token), name);
}

/** The names of the configured tokens with this digest. */
export const tokenNamesOf = (tokens: readonly Credential[], digest: string): string =>
  [...new Set(matchingCredentials(tokens, digest).map(({ name }) => name))].join(", ");

/** The grant, under the current settings, of a token that was presented earlier. */
export function grantOfDigest(tokens: readonly Credential[], digest: string, name: string): Grant | undefined {
  const matching = matchingCredentials(tokens, digest);
  if (matching.length === 0) return undefined;
  const forName = matching.filter(({ names }) =>
    names.length === 0 || names.some((pattern) => matchesPattern(pattern, name))
  );
  return { digest, scopes: new Set(forName.flatMap(({ scopes }) => scopes)) };
}
