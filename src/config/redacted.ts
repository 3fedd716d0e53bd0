/** Settings for display: without secrets, and with the units of the configuration file. */
import { isSecretName, REDACTED } from "../core/secrets.ts";
import type { Settings } from "../core/settings.ts";
import { redactUrl } from "../core/text.ts";
import { type ConfigTree, isTree, putAt, valueAt } from "./config-tree.ts";
import { fields } from "./fields.ts";
import { formatQuantity } from "./setting.ts";

/** The same settings with every token, and every password and token in a URL, replaced by `***`. */
export function redacted(settings: Settings): Settings {
  return redactValue(settings, "") as Settings; // Why: a text stays a text, and nothing else changes.
}

/** The same settings with durations and sizes as they are written in the file. The result is a valid configuration. */
export function humanReadable(settings: Settings): ConfigTree {
  const tree: ConfigTree = structuredClone({ ...settings });
  for (const { path, kind } of fields()) {
    const value = valueAt(tree, path);
    if (typeof value === "number" && (kind === "duration" || kind === "size")) {
      putAt(tree, path, formatQuantity(kind, value));
    }
  }
  return tree;
}

function redactValue(value: unknown, name: string): unknown {
  if (Array.isArray(value)) return value.map((inner) => redactValue(inner, name));
  if (isTree(value)) {
    return Object.fromEntries(Object.entries(value).map(([below, inner]) => [below, redactValue(inner, below)]));
  }
  if (typeof value !== "string" || value === "" || !isSecretName(name)) return value;
  return name.endsWith("url") ? redactUrl(value, "masked") : REDACTED;
}
