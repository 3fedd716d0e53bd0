/** What can be configured already, while what it is for is not built. One list, for whoever has to say so. */
import type { Settings } from "../core/settings.ts";
import { isTree, valueAt } from "./tree.ts";

/** Paths of blocks with an `enabled`, and of single switches. */
export const UNBUILT: readonly string[] = ["cluster"];

/** The unbuilt parts that these settings switch on. */
export function unbuiltIn(settings: Settings): readonly string[] {
  return UNBUILT.filter((path) => {
    const value = valueAt({ ...settings }, path.split("."));
    return value === true || (isTree(value) && value.enabled === true);
  });
}
