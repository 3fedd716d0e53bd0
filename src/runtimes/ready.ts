/** The lines that say what runs, for people and for scripts that wait for the last of them. */
import type { ServiceName } from "../core/service.ts";
import type { Settings } from "../core/settings.ts";
import { isLoopback } from "../core/loopback.ts";
import { withoutSecrets } from "../observability/mod.ts";
import type { Listener } from "./served.ts";

export interface Bound extends Listener {
  readonly url: string;
}

export interface ReadyFacts {
  readonly bound: readonly Bound[];
  readonly host: { readonly services: readonly ServiceName[]; readonly webToken: string };
}

/** The lines in order; the last one says that it is ready. */
export function readyLines(settings: Settings, { bound, host: { services, webToken } }: ReadyFacts): string[] {
  // Why only there: from elsewhere the lines may be read by others, e.g. in a service's journal.
  const fragment = ({ name, host }: Bound) => (name === "web" && isLoopback(host) ? `/#token=${webToken}` : "");
  return [
    ...(settings.brain.test_mode ? bound.filter(({ name }) => name === "brain").map(listeningLine) : []),
    ...bound.map((listener) => `[${listener.label}] listening on ${listener.url}${fragment(listener)}`),
    ...upstreamLines(settings, services),
    ...proxyLines(settings, services),
    ...(settings.record.file === "" ? [] : [`[Recording] everything that is said goes to ${settings.record.file}`]),
    ...missing(settings, services).map((label) => `[${label}] is configured, but not part of this build`),
    "Neuro Relay is ready",
  ];
}

/** What the original Brain relay says in its test mode, to the letter; its tests look for it. */
const listeningLine = ({ host, url }: Bound): string => `LISTENING ws://${host}:${new URL(url).port}`;

function upstreamLines(settings: Settings, services: readonly ServiceName[]): string[] {
  if (!services.includes("neuro")) return [];
  const upstreams = settings["nakurity-clients"];
  if (upstreams.length === 0) {
    return [`No upstream: this relay plays Neuro itself (${settings["nakurity-backend"].decider})`];
  }
  return upstreams.map(({ url }) => `[Nakurity Client] dialing ${withoutSecrets(url)}`);
}

const proxyLines = ({ "intercept-proxy": { upstream_url } }: Settings, services: readonly ServiceName[]): string[] =>
  services.includes("proxy") ? [`[Intercept Proxy] passes everything on to ${withoutSecrets(upstream_url)}`] : [];

/** What the settings ask for and this build has not. */
function missing(settings: Settings, services: readonly ServiceName[]): string[] {
  const wanted: readonly [label: string, isWanted: boolean, isThere: boolean][] = [
    ["Intermediary", settings.intermediary.enabled, services.includes("intermediary")],
    ["Nakurity Backend", settings["nakurity-backend"].enabled, services.includes("neuro")],
    ["Nakurity Client", settings["nakurity-clients"].length > 0, services.includes("neuro")],
    ["Brain", settings.brain.enabled, services.includes("brain")],
    ["Nallely", settings.nallely.enabled, services.includes("nallely")],
    ["Intercept Proxy", settings["intercept-proxy"].enabled, services.includes("proxy")],
  ];
  return wanted.filter(([, isWanted, isThere]) => isWanted && !isThere).map(([label]) => label);
}
