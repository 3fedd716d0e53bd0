/** What of new settings can take effect while the relay runs. */
import type { Settings } from "../core/settings.ts";
import { fields } from "./fields.ts";
import { putAt, type Tree, valueAt } from "./tree.ts";

export interface Reloaded {
  readonly settings: Settings;
  /** Settings that changed in the file, but only take effect after a restart. */
  readonly waiting: readonly string[];
}

/** The new settings with those that need a restart left as they are. */
export function reloaded(current: Settings, next: Settings): Reloaded {
  const tree: Tree = structuredClone({ ...next });
  const waiting: string[] = [];
  const keep = (path: readonly string[]) => {
    putAt(tree, path, structuredClone(valueAt({ ...current }, path)));
    waiting.push(path.join("."));
  };
  for (const { path, restart } of fields) {
    if (restart && valueAt({ ...current }, path) !== valueAt(tree, path)) keep(path);
  }
  if (fixedParts(current) !== fixedParts(next)) keep(["nakurity-clients"]);
  return { settings: tree as unknown as Settings, waiting }; // Why: every changed place holds a value of the same setting.
}

/** Which upstreams there are, and as whom the relay presents itself to them. */
const fixedParts = ({ "nakurity-clients": upstreams }: Settings): string =>
  JSON.stringify(upstreams.map(({ id, name }) => [id, name]));
