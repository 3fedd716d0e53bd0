/** What no single setting can know: who may listen where, what must not meet itself, and which bound must not exceed which. */
import { isLoopback } from "../core/loopback.ts";
import { PUBLISHED_TOKEN } from "../core/defaults.ts";
import type { ListenSettings, Settings } from "../core/settings.ts";

export interface Breach {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

type Door = "intermediary" | "nakurity-backend" | "intercept-proxy" | "brain" | "web";
const DOORS: readonly Door[] = ["intermediary", "nakurity-backend", "intercept-proxy", "brain", "web"];

/** Every rule that these settings break. */
export function breaches(settings: Settings): readonly Breach[] {
  return [
    ...openDoors(settings),
    ...sharedPorts(settings),
    ...ownUpstreams(settings),
    ...upstreamNames(settings),
    ...bounds(settings),
  ];
}

/** True for a token that everybody knows. */
export const isPublic = (token: string): boolean => token === "" || token === PUBLISHED_TOKEN;

const OFF_LOOPBACK = "the published token, or none, is good for this machine only; set a token of your own " +
  "(`neuro-relay token` makes one) or a loopback host";

function openDoors(settings: Settings): Breach[] {
  const found: Breach[] = [];
  const { intermediary, web } = settings;
  const neuroOs = settings["dependency-authentication"]["neuro-os"].auth_token;
  intermediary.tokens.forEach(({ token }, at) => {
    if (token === PUBLISHED_TOKEN) {
      found.push({ path: ["intermediary", "tokens", at, "token"], message: `refused: ${OFF_LOOPBACK}` });
    }
  });
  if (isExposed(intermediary)) {
    if (isPublic(intermediary.auth_token)) {
      found.push({ path: ["intermediary", "auth_token"], message: `refused on ${intermediary.host}: ${OFF_LOOPBACK}` });
    }
    if (neuroOs !== undefined && isPublic(neuroOs)) {
      const path = ["dependency-authentication", "neuro-os", "auth_token"];
      found.push({ path, message: `refused on ${intermediary.host}: ${OFF_LOOPBACK}` });
    }
  }
  for (const listener of ["nakurity-backend", "brain"] as const) {
    const { host, token, open } = settings[listener];
    if (!isExposed(settings[listener]) || open || !isPublic(token)) continue;
    const message =
      `anyone who reaches ${host} could connect; set ${listener}.token, or ${listener}.open: true if that is meant`;
    found.push({ path: [listener, "token"], message });
  }
  const proxy = settings["intercept-proxy"];
  if (isExposed(proxy)) {
    const message = `${proxy.host} is open to others, and the proxy asks nobody for a token; set a loopback host`;
    found.push({ path: ["intercept-proxy", "host"], message });
  }
  if (isExposed(web) && web.token === PUBLISHED_TOKEN) {
    found.push({ path: ["web", "token"], message: `refused on ${web.host}: ${OFF_LOOPBACK}` });
  }
  return found;
}

const isExposed = ({ enabled, host }: ListenSettings & { readonly enabled: boolean }): boolean =>
  enabled && !isLoopback(host);

function sharedPorts(settings: Settings): Breach[] {
  const found: Breach[] = [];
  const open = DOORS.filter((listener) => settings[listener].enabled && settings[listener].port !== 0);
  open.forEach((listener, at) => {
    const other = open.slice(0, at).find((earlier) => {
      const [left, right] = [settings[earlier], settings[listener]];
      return left.port === right.port && overlap(left.host, right.host);
    });
    if (other !== undefined) {
      found.push({ path: [listener, "port"], message: `port ${settings[listener].port} is already that of ${other}` });
    }
  });
  return found;
}

function ownUpstreams(settings: Settings): Breach[] {
  const found: Breach[] = [];
  settings["nakurity-clients"].forEach(({ url }, at) => {
    const own = DOORS.find((listener) => settings[listener].enabled && leadsTo(url, settings[listener]));
    if (own === undefined) return;
    const message = `${url} is this relay's own ${own}; move one of them, for example with ${own}.port`;
    found.push({ path: ["nakurity-clients", at, "url"], message });
  });
  // Why: before our own game port the proxy is welcome; only before itself it makes a loop.
  const proxy = settings["intercept-proxy"];
  if (proxy.enabled && !/^wss?:$/.test(URL.canParse(proxy.upstream_url) ? new URL(proxy.upstream_url).protocol : "")) {
    found.push({ path: ["intercept-proxy", "upstream_url"], message: "expected a URL such as ws://127.0.0.1:8000" });
  }
  if (proxy.enabled && leadsTo(proxy.upstream_url, proxy)) {
    found.push({ path: ["intercept-proxy", "upstream_url"], message: `${proxy.upstream_url} is the proxy itself` });
  }
  return found;
}

function leadsTo(url: string, listener: ListenSettings): boolean {
  if (!URL.canParse(url)) return false;
  const { hostname, port, protocol } = new URL(url);
  const at = Number(port || (protocol === "wss:" ? 443 : 80));
  return at === listener.port && overlap(listener.host, hostname);
}

/** True when what listens on one host can be reached by the other. */
function overlap(left: string, right: string): boolean {
  const isAny = (host: string) => ["0.0.0.0", "::", "[::]", ""].includes(host);
  if (left.toLowerCase() === right.toLowerCase() || (isLoopback(left) && isLoopback(right))) return true;
  return (isAny(left) && (isAny(right) || isLoopback(right))) || (isAny(right) && isLoopback(left));
}

function upstreamNames(settings: Settings): Breach[] {
  const ids = settings["nakurity-clients"].map(({ id }) => id);
  const twice = ids.findIndex((id, at) => ids.indexOf(id) < at);
  const found: Breach[] = [];
  if (twice >= 0) {
    found.push({ path: ["nakurity-clients", twice, "id"], message: `expected an id of its own; ${ids[twice]} is taken` });
  }
  settings.integrations.forEach(({ upstream }, at) => {
    if (upstream === undefined || ids.includes(upstream)) return;
    const known = ids.length > 0 ? `known are ${ids.join(", ")}` : "none is configured";
    found.push({ path: ["integrations", at, "upstream"], message: `no upstream has the id ${upstream}; ${known}` });
  });
  return found;
}

/** Where one bound would never be reached for the other. */
function bounds({ limits, queue, "nakurity-clients": upstreams }: Settings): Breach[] {
  const relations: readonly (readonly [readonly PropertyKey[], number, string, number])[] = [
    [["limits", "backlog_soft_bytes"], limits.backlog_soft_bytes, "limits.backlog_hard_bytes", limits.backlog_hard_bytes],
    [["queue", "retry"], queue.retry, "queue.retry_cap", queue.retry_cap],
    ...upstreams.map(({ backoff }, at) =>
      [["nakurity-clients", at, "backoff", "base"], backoff.base, "backoff.cap", backoff.cap] as const
    ),
  ];
  return relations.filter(([, low, , high]) => low > high)
    .map(([path, low, name, high]) => ({ path, message: `${low} exceeds ${name}, which is ${high}` }));
}
