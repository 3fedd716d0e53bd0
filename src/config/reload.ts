/** Which changed settings can take effect while the relay runs. */
import type { Settings } from "../core/settings.ts";
import { type ConfigTree, putAt, valueAt } from "./config-tree.ts";
import { fields } from "./fields.ts";

export interface ReloadResult {
  readonly settings: Settings;
  /** Settings that changed in the file but take effect only after a restart. */
  readonly needsRestart: readonly string[];
}

/** The new settings, except for those that need a restart: they keep their current value. */
export function mergeReloaded(current: Settings, next: Settings): ReloadResult {
  const tree: ConfigTree = structuredClone({ ...next });
  const needsRestart: string[] = [];
  const keepCurrent = (path: readonly string[]) => {
    putAt(tree, path, structuredClone(valueAt({ ...current }, path)));
    needsRestart.push(path.join("."));
  };
  for (const { path, restart } of fields()) {
    if (restart && valueAt({ ...current }, path) !== valueAt(tree, path)) keepCurrent(path);
  }
  if (upstreamIdentities(current) !== upstreamIdentities(next)) keepCurrent(["nakurity-clients"]);
  return { settings: tree as unknown as Settings, needsRestart }; // Why: each path got a value of the same setting.
}

/** The ids of the upstreams, the names under which the relay connects to them, and the relays that do. */
const upstreamIdentities = ({ "nakurity-clients": upstreams }: Settings): string =>
  JSON.stringify(upstreams.map(({ id, name, relays }) => [id, name, relays]));
