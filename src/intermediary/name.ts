/** Names of integrations and watchers: what may be one. */
import type { Json } from "../core/json.ts";
import { NAME_CODE_POINTS_MAX } from "../core/limits.ts";
import { failed, ok, type Result } from "../core/result.ts";

/** Control characters, and those that turn the direction of what is printed after them. */
const UNPRINTABLE = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u;

/** The name as it is known from now on (normal form C); undefined when none is given. */
export function readName(raw: Json | undefined): Result<string | undefined> {
  if (raw === undefined || raw === null || raw === "") return ok(undefined);
  if (typeof raw !== "string") return failed("badGreeting", "name must be a text");
  // Why: normalising at most triples a text, so one that is far too long is refused before that work is done.
  const name = raw.length > 4 * NAME_CODE_POINTS_MAX ? raw : raw.normalize("NFC");
  if (name.length > 2 * NAME_CODE_POINTS_MAX || [...name].length > NAME_CODE_POINTS_MAX) {
    return failed("badGreeting", `name must have at most ${NAME_CODE_POINTS_MAX} characters`);
  }
  if (!name.isWellFormed() || UNPRINTABLE.test(name)) return failed("badGreeting", "name must be printable text");
  return name === "*" ? failed("badGreeting", "this name means everybody") : ok(name);
}
