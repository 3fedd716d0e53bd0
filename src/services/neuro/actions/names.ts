/**
 * Upstream names of actions: each fits `[a-z0-9_-]{1,64}` and has one definition.
 *
 * Names are mapped by table and never parsed. `actions.naming: shared`: the first owner gets the plain name and keeps it, equal
 * definitions are one action, all others get a prefix. `prefixed`: always a prefix, always one owner.
 * Knows nothing of: connections of games, sent messages.
 */
import { hashText } from "../../../core/hash.ts";
import type { Millis } from "../../../core/ids.ts";
import { UPSTREAM_NAME_MAX } from "../../../core/limits.ts";
import type { Game, Upstream } from "../state.ts";

const HASH_LENGTH = 8;
/** Length of the game's part of a name, which leaves room for the action's part. */
const SLUG_MAX = 32;

const NOT_LEGAL = /[^a-z0-9_-]+/g;
const LEGIBLE = /[a-z0-9]/;
/** What separates the words of a slug: no hyphen stays, because two of them separate it from the name of an action. */
const NOT_IN_SLUG = /[^a-z0-9_]+/g;
const OUTER_HYPHENS = /^-+|-+$/g;

/** An action's name in legal characters, with a hash if nothing legible is left or the name is too long. */
export function cleanName(original: string): string {
  const clean = original.toLowerCase().replace(NOT_LEGAL, "_");
  return LEGIBLE.test(clean)
    ? shorten(clean, UPSTREAM_NAME_MAX, original)
    : withHash("action", UPSTREAM_NAME_MAX, original);
}

/** The prefix of a game: legible, legal and unique. */
export function slugOf(
  identity: { readonly name: string; readonly key: string },
  taken: (slug: string) => boolean,
): string {
  const clean = identity.name.toLowerCase().replace(NOT_IN_SLUG, "-").replace(OUTER_HYPHENS, "");
  const slug = LEGIBLE.test(clean) ? shorten(clean, SLUG_MAX, identity.key) : withHash("game", SLUG_MAX, identity.key);
  return taken(slug) ? withHash(slug, SLUG_MAX, identity.key) : slug;
}

/** A new name for an action of this game, for which no shared and no reserved name was found. */
export function newName(upstream: Upstream, game: Game, original: string, now: Millis): string {
  const isFree = (name: string): boolean => {
    const known = upstream.actions.get(name);
    return known === undefined || (known.owners.size === 0 && known.reservedUntil <= now);
  };
  const plain = cleanName(original);
  if (upstream.service.settings.actions.naming === "shared" && isFree(plain)) return plain;
  const prefixed = shorten(`${game.slug}--${plain}`, UPSTREAM_NAME_MAX, `${game.key}\n${original}`);
  if (isFree(prefixed)) return prefixed;
  for (let attempt = 0;; attempt++) {
    const hashed = withHash(prefixed, UPSTREAM_NAME_MAX, `${game.key}\n${original}\n${attempt}`);
    if (isFree(hashed)) return hashed;
  }
}

const shorten = (name: string, lengthMax: number, whole: string): string =>
  name.length > lengthMax ? withHash(name, lengthMax, whole) : name;

const withHash = (name: string, lengthMax: number, whole: string): string =>
  `${name.slice(0, lengthMax - HASH_LENGTH - 1)}-${hashText(whole).slice(0, HASH_LENGTH)}`;
