/** The rooms that this relay hosts. */
import type { Settings } from "../core/settings.ts";
import type { Hosted } from "./hosted.ts";

/** Every room that the settings ask for. */
export function rooms(_settings: Settings): Hosted[] {
  return [];
}
