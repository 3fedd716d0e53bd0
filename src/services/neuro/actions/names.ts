/**
 * How actions are called before Neuro: `[a-z0-9_-]{1,64}`, and each name one definition.
 *
 * Names are mapped by table and never by taking them apart. `shared`: the first owner has the plain name and keeps it, equal
 * definitions are one action, everybody else gets a prefix. `prefixed`: always a prefix, always one owner.
 * Knows nothing of: who is present, what was sent.
 */
import { hashText } from "../../../core/hash.ts";
import { UPSTREAM_NAME_MAX } from "../../../core/limits.ts";
import type { Game, Upstream } from "../state.ts";

const HASH_LENGTH = 8;
/** A game's part of a name, so that something of the action's is left. */
const SLUG_MAX = 32;

/** An action's name in legal letters; a hash where nothing legible is left, or too much. */
function cleanName(original: string): string {
  const clean = original.toLowerCase().replace(/[^a-z0-9_-]+/g, "_");
  return /[a-z0-9]/.test(clean)
    ? shorten(clean, UPSTREAM_NAME_MAX, original)
    : withHash("action", UPSTREAM_NAME_MAX, original);
}

/** The prefix of a game: legible, legal, and no other game's. */
export function slugOf(
  identity: { readonly name: string; readonly key: string },
  taken: (slug: string) => boolean,
): string {
  const clean = identity.name.toLowerCase().replace(/[^a-z0-9_]+/g, "-").replace(/^-+|-+$/g, "");
  const slug = /[a-z0-9]/.test(clean) ? shorten(clean, SLUG_MAX, identity.key) : withHash("game", SLUG_MAX, identity.key);
  return taken(slug) ? withHash(slug, SLUG_MAX, identity.key) : slug;
}

/** A new name for an action of this game; the caller has found none to share or to take back. */
export function newName(upstream: Upstream, game: Game, original: string): string {
  const isFree = (name: string): boolean => !upstream.actions.has(name);
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
