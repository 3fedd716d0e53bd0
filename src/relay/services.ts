/** The implementation of each service of the registry. */
import { SERVICE_NAMES, type ServiceName, SERVICES } from "../core/service.ts";
import type { Settings } from "../core/settings.ts";
import { brain } from "../services/brain/mod.ts";
import { intermediary } from "../services/intermediary/mod.ts";
import { nallely } from "../services/nallely/mod.ts";
import { neuro } from "../services/neuro/mod.ts";
import { proxy } from "../services/proxy/mod.ts";
import { supervise, type SupervisedService } from "./supervised-service.ts";

const CREATE: Readonly<Record<ServiceName, () => SupervisedService>> = {
  intermediary: () => supervise(intermediary),
  neuro: () => supervise(neuro),
  nallely: () => supervise(nallely),
  brain: () => supervise(brain),
  proxy: () => supervise(proxy),
};

/** Creates every service that the settings ask for. */
export const services = (settings: Settings): SupervisedService[] =>
  SERVICE_NAMES.filter((name) => SERVICES[name].isEnabled(settings)).map((name) => CREATE[name]());
