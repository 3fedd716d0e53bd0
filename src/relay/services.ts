/** The implementation of each service of the registry. */
import { SERVICE_NAMES, type ServiceName, SERVICES } from "../core/service.ts";
import type { Settings } from "../core/settings.ts";
import { brain } from "../services/brain/mod.ts";
import { intermediary } from "../services/intermediary/mod.ts";
import { nallely } from "../services/nallely/mod.ts";
import { neuro } from "../services/neuro/mod.ts";
import { proxy } from "../services/proxy/mod.ts";
import { FaultyNetwork } from "./faulty-network.ts";
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
  SERVICE_NAMES.filter((name) => SERVICES[name].isEnabled(settings)).map((name) => behindNetwork(CREATE[name](), settings));

/** Games reach their service through a bad network, if the settings ask for one. */
const behindNetwork = (service: SupervisedService, settings: Settings): SupervisedService =>
  service.name === "neuro" && settings["nakurity-backend"].faults.enabled ? new FaultyNetwork(service, settings) : service;
