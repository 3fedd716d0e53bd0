/** Blocks that can be configured already, while what they are for is not built. One list, for whoever has to say so. */
import type { Settings } from "../core/settings.ts";

export type UnbuiltBlock = "brain" | "nallely" | "intercept-proxy" | "cluster";

export const UNBUILT: readonly UnbuiltBlock[] = ["brain", "nallely", "intercept-proxy", "cluster"];

/** The unbuilt blocks that these settings switch on. */
export const unbuiltIn = (settings: Settings): readonly UnbuiltBlock[] =>
  UNBUILT.filter((block) => settings[block].enabled);
