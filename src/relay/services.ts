/** The rooms that this relay hosts. */
import { brain } from "../services/brain/mod.ts";
import type { Settings } from "../core/settings.ts";
import { intermediary } from "../services/intermediary/mod.ts";
import { nallely } from "../services/nallely/mod.ts";
import { neuro } from "../services/neuro/mod.ts";
import { proxy } from "../services/proxy/mod.ts";
import { supervise, type SupervisedService } from "./supervised-service.ts";

/** Every room that the settings ask for. What integrations of the Intermediary say to Neuro needs her room, too. */
export function services(settings: Settings): SupervisedService[] {
  const { intermediary: front, "nakurity-backend": backend, "nakurity-clients": upstreams } = settings;
  return [
    ...(front.enabled ? [supervise(intermediary)] : []),
    ...(front.enabled || backend.enabled || upstreams.length > 0 ? [supervise(neuro)] : []),
    ...(settings.nallely.enabled ? [supervise(nallely)] : []),
    ...(settings.brain.enabled ? [supervise(brain)] : []),
    ...(settings["intercept-proxy"].enabled ? [supervise(proxy)] : []),
  ];
}
