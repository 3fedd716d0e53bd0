/** The rooms that this relay hosts. */
import { brain } from "../brain/mod.ts";
import type { Settings } from "../core/settings.ts";
import { intermediary } from "../intermediary/mod.ts";
import { nallely } from "../nallely/mod.ts";
import { neuro } from "../neuro/mod.ts";
import { proxy } from "../proxy/mod.ts";
import { type Hosted, hosted } from "./hosted.ts";

/** Every room that the settings ask for. What integrations of the Intermediary say to Neuro needs her room, too. */
export function rooms(settings: Settings): Hosted[] {
  const { intermediary: front, "nakurity-backend": backend, "nakurity-clients": upstreams } = settings;
  return [
    ...(front.enabled ? [hosted(intermediary)] : []),
    ...(front.enabled || backend.enabled || upstreams.length > 0 ? [hosted(neuro)] : []),
    ...(settings.nallely.enabled ? [hosted(nallely)] : []),
    ...(settings.brain.enabled ? [hosted(brain)] : []),
    ...(settings["intercept-proxy"].enabled ? [hosted(proxy)] : []),
  ];
}
