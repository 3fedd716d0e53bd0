/** Settings as they may be shown: without secrets, and in the words of the file. */
import type { Settings } from "../core/settings.ts";
import { fields } from "./fields.ts";
import { isSecretName } from "./secrets.ts";
import { writeAmount } from "./setting.ts";
import { isTree, putAt, type Tree, valueAt } from "./tree.ts";

const HIDDEN = "***";

/** The same settings with every token, and every password in a URL, hidden. */
export function masked(settings: Settings): Settings {
  return hide(settings, "") as Settings; // Why: texts become other texts, nothing else changes.
}

/** Spans of time and amounts of bytes as people write them: what comes out can be read as a configuration again. */
export function written(settings: Settings): Tree {
  const tree: Tree = structuredClone({ ...settings });
  for (const { path, kind } of fields) {
    const value = valueAt(tree, path);
    if (typeof value !== "number") continue;
    if (kind === "duration" || kind === "size") putAt(tree, path, writeAmount(kind, value));
  }
  return tree;
}

function hide(value: unknown, name: string): unknown {
  if (Array.isArray(value)) return value.map((inner) => hide(inner, name));
  if (isTree(value)) return Object.fromEntries(Object.entries(value).map(([below, inner]) => [below, hide(inner, below)]));
  if (typeof value !== "string" || value === "") return value;
  if (!isSecretName(name)) return value;
  return name.endsWith("url") ? maskedUrl(value) : HIDDEN;
}

/** Hides a password, a token in the query and one in the path (`/t/<token>`). */
function maskedUrl(url: string): string {
  return url
    .replace(/\/\/[^@/]*@/, `//${HIDDEN}@`)
    .replace(/([?&][^=&]*(?:token|key|secret|password)[^=&]*=)[^&#]+/gi, `$1${HIDDEN}`)
    .replace(/\/t\/[^/?#]+/, `/t/${HIDDEN}`);
}
