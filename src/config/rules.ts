/** Rules about several settings at once: errors that prevent the start, and warnings for what is allowed but worth knowing. */
import { linkNameOf } from "../core/text.ts";
import { LISTENER_BLOCKS, type ListenerBlock } from "../core/service.ts";
import { isLoopback, isPublicToken, OPAQUE_ORIGIN } from "../core/access.ts";
import type { ListenSettings, Settings, UpstreamSettings } from "../core/settings.ts";
import { type ConfigTree, valueAt } from "./config-tree.ts";
import { givenFields } from "./fields.ts";
import { parseDuration, parseSize } from "./quantities.ts";
import { formatQuantity } from "./setting.ts";

/** One error, and the setting that it is about. */
export interface SettingIssue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
  /** The setting that makes it one. Its place is shown if `path` is not written anywhere. */
  readonly because?: readonly PropertyKey[];
}

/** Every rule that these settings violate. */
export function settingIssues(settings: Settings): readonly SettingIssue[] {
  return [
    ...exposedListeners(settings),
    ...sharedPorts(settings),
    ...ownUpstreams(settings),
    ...upstreamIds(settings),
    ...contradictingLimits(settings),
    ...languageModel(settings),
    ...faultsWithUpstream(settings),
    ...redisUrl(settings),
    ...halfCertificates(settings),
  ];
}

function languageModel({ "nakurity-backend": { decider, openai } }: Settings): SettingIssue[] {
  if (decider !== "openai") return [];
  const issue = (name: string, expected: string): SettingIssue => ({
    path: ["nakurity-backend", "openai", name],
    message: `expected ${expected}, because the decider is openai`,
    because: ["nakurity-backend", "decider"],
  });
  const isUrl = /^https?:$/.test(URL.canParse(openai.url) ? new URL(openai.url).protocol : "");
  return [
    ...(isUrl ? [] : [issue("url", "a URL such as http://127.0.0.1:11434/v1")]),
    ...(openai.model === "" ? [issue("model", "the name of a model")] : []),
  ];
}

function faultsWithUpstream({ "nakurity-backend": { faults }, "nakurity-clients": upstreams }: Settings): SettingIssue[] {
  if (!faults.enabled || faults.with_upstream || upstreams.length === 0) return [];
  return [{
    path: ["nakurity-backend", "faults", "enabled"],
    message:
      "refused, because Neuro would be affected: remove the upstream, or set nakurity-backend.faults.with_upstream: true",
  }];
}

/** Why checked here: ioredis retries a URL of another scheme forever, and uses database 0 if the path is not a number. */
function redisUrl({ queue: { backend, url } }: Settings): SettingIssue[] {
  const isSocket = url.startsWith("/");
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const isUrl = /^rediss?:$/.test(parsed?.protocol ?? "") && parsed?.hostname !== "" &&
    /^\/?\d*$/.test(parsed?.pathname ?? "");
  if (backend !== "redis" || isSocket || isUrl) return [];
  return [{
    path: ["queue", "url"],
    message: "expected a URL such as redis://127.0.0.1:6379/0, with the number of a database",
  }];
}

function halfCertificates(settings: Settings): SettingIssue[] {
  return LISTENER_BLOCKS.flatMap((block) => {
    const { cert, key } = settings[block].tls;
    if ((cert === "") === (key === "")) return [];
    const [given, missing] = cert === "" ? ["key", "cert"] as const : ["cert", "key"] as const;
    const message = `missing, because ${block}.tls.${given} is given: TLS needs both`;
    return [{ path: [block, "tls", missing], message, because: [block, "tls", given] }];
  });
}

/** Warnings at the start about settings that are allowed but probably unintended. `tree` holds the values as they were written. */
export function warningsOf(settings: Settings, tree: ConfigTree): readonly string[] {
  return [
    ...openListeners(settings),
    ...networkFaults(settings),
    ...pickleQueue(settings),
    ...sharedUpstreams(settings),
    ...loweredLimits(tree),
  ];
}

const OFF_LOOPBACK =
  "an empty token and the published one are only for programs of this machine; set a token of your own " +
  "(`neuro-relay token` makes one)";

/** How strangers reach a listener, and by which setting. */
interface Exposure {
  readonly how: string;
  readonly because: readonly PropertyKey[];
}

/** Undefined if only programs of this machine can reach a listener. */
function exposureOf(block: ListenerBlock, settings: Settings): Exposure | undefined {
  const { enabled, host } = settings[block];
  if (!enabled) return undefined;
  if (!isLoopback(host)) return { how: `${block}.host is ${host}`, because: [block, "host"] };
  // Why: behind a proxy on this machine, the clients of that name connect from loopback, and the web port serves these listeners, too.
  const name = settings.web.enabled ? settings.web.hosts.find((listed) => !isLoopback(listed)) : undefined;
  if (name !== undefined && block !== "intercept-proxy") {
    return { how: `web.hosts lists ${name}`, because: ["web", "hosts"] };
  }
  // Why only these two: the other listeners refuse such a page without a token of their own.
  const isOpenToPages = (block === "intermediary" || block === "web") &&
    settings.security.allowed_origins.includes(OPAQUE_ORIGIN);
  const how = "any web page can have the origin null, which security.allowed_origins lists";
  return isOpenToPages ? { how, because: ["security", "allowed_origins"] } : undefined;
}

function exposedListeners(settings: Settings): SettingIssue[] {
  const issues: SettingIssue[] = [];
  const { intermediary, web } = settings;
  const neuroOs = settings["dependency-authentication"]["neuro-os"].auth_token;
  intermediary.tokens.forEach(({ token }, at) => {
    if (isPublicToken(token)) {
      issues.push({ path: ["intermediary", "tokens", at, "token"], message: `refused: ${OFF_LOOPBACK}` });
    }
  });
  const exposure = exposureOf("intermediary", settings);
  if (exposure !== undefined) {
    const { how, because } = exposure;
    const message = `refused because ${how}: ${OFF_LOOPBACK}`;
    if (isPublicToken(intermediary.auth_token)) issues.push({ path: ["intermediary", "auth_token"], message, because });
    if (neuroOs !== undefined && isPublicToken(neuroOs)) {
      issues.push({ path: ["dependency-authentication", "neuro-os", "auth_token"], message, because });
    }
  }
  for (const block of ["nakurity-backend", "brain"] as const) {
    const { token, tokens, open } = settings[block];
    tokens.forEach((each, at) => {
      if (isPublicToken(each.token)) {
        issues.push({ path: [block, "tokens", at, "token"], message: `refused: ${OFF_LOOPBACK}` });
      }
    });
    const exposed = exposureOf(block, settings);
    const isClosed = token === "" ? tokens.length > 0 : !isPublicToken(token);
    if (exposed === undefined || open || isClosed) continue;
    const { how, because } = exposed;
    const message = `${how}, so anyone could connect; set ${block}.token, or ${block}.open: true to allow that`;
    issues.push({ path: [block, "token"], message, because });
  }
  const proxy = settings["intercept-proxy"];
  if (exposureOf("intercept-proxy", settings) !== undefined) {
    const message = `${proxy.host} is reachable from other machines, but the proxy asks for no token; set a loopback host`;
    issues.push({ path: ["intercept-proxy", "host"], message });
  }
  const webExposure = exposureOf("web", settings);
  if (webExposure !== undefined && web.token !== "" && isPublicToken(web.token)) {
    const { how, because } = webExposure;
    issues.push({ path: ["web", "token"], message: `refused because ${how}: ${OFF_LOOPBACK}`, because });
  }
  return issues;
}

function sharedPorts(settings: Settings): SettingIssue[] {
  const issues: SettingIssue[] = [];
  const listening = LISTENER_BLOCKS.filter((block) => settings[block].enabled && settings[block].port !== 0);
  listening.forEach((block, at) => {
    const { host, port } = settings[block];
    const other = listening.slice(0, at).find((earlier) =>
      settings[earlier].port === port && overlap(settings[earlier].host, host)
    );
    if (other === undefined) return;
    const message = `port ${port} is already used by ${other}; choose another one`;
    issues.push({ path: [block, "port"], message, because: [other, "port"] });
  });
  return issues;
}

function ownUpstreams(settings: Settings): SettingIssue[] {
  const issues: SettingIssue[] = [];
  settings["nakurity-clients"].forEach(({ url }, at) => {
    const own = LISTENER_BLOCKS.find((block) => settings[block].enabled && leadsTo(url, settings[block]));
    if (own === undefined) return;
    const message = `${url} is this relay's own ${own} listener; change the URL, or ${own}.port`;
    issues.push({ path: ["nakurity-clients", at, "url"], message });
  });
  // Why only the proxy itself: a proxy in front of our own game port is useful. In front of itself it is a loop.
  const proxy = settings["intercept-proxy"];
  const path = ["intercept-proxy", "upstream_url"];
  if (proxy.enabled && leadsTo(proxy.upstream_url, proxy)) {
    issues.push({ path, message: `${proxy.upstream_url} is the proxy itself; give the URL of the backend behind it` });
  }
  return issues;
}

function leadsTo(url: string, listener: ListenSettings): boolean {
  if (!/^wss?:/i.test(url) || !URL.canParse(url)) return false;
  const { hostname, port, protocol } = new URL(url);
  return Number(port || (protocol === "wss:" ? 443 : 80)) === listener.port && overlap(listener.host, hostname);
}

/** True if a listener on one host can be reached by the other. */
function overlap(left: string, right: string): boolean {
  const isAny = (host: string) => ["0.0.0.0", "::", "[::]", ""].includes(host);
  if (left.toLowerCase() === right.toLowerCase() || (isLoopback(left) && isLoopback(right))) return true;
  return (isAny(left) && (isAny(right) || isLoopback(right))) || (isAny(right) && isLoopback(left));
}

function upstreamIds(settings: Settings): SettingIssue[] {
  const issues: SettingIssue[] = [];
  const ids = settings["nakurity-clients"].map(({ id }) => id);
  const duplicate = ids.findIndex((id, at) => ids.indexOf(id) < at);
  const links = settings["nakurity-clients"].map(({ url }) => linkNameOf(url));
  links.forEach((name, at) => {
    if (name === undefined || links.indexOf(name) === at) return;
    const message = `expected a link of its own; link:${name} is already the URL of ${ids[links.indexOf(name)]}`;
    issues.push({ path: ["nakurity-clients", at, "url"], message });
  });
  if (duplicate >= 0) {
    const message = `expected a unique id; ${ids[duplicate]} is already used`;
    issues.push({ path: ["nakurity-clients", duplicate, "id"], message });
  }
  settings.integrations.forEach(({ upstream }, at) => {
    if (upstream === undefined || ids.includes(upstream)) return;
    const known = ids.length > 0 ? `configured ids: ${ids.join(", ")}` : "no upstream is configured";
    issues.push({ path: ["integrations", at, "upstream"], message: `no upstream has the id ${upstream}; ${known}` });
  });
  return issues;
}

/** Limits that could never be reached because of another one. */
function contradictingLimits({ limits, queue, "nakurity-clients": upstreams }: Settings): SettingIssue[] {
  const relations: readonly (readonly [readonly PropertyKey[], number, string, number])[] = [
    [["limits", "backlog_soft_bytes"], limits.backlog_soft_bytes, "limits.backlog_hard_bytes", limits.backlog_hard_bytes],
    [["limits", "peer_bytes"], limits.peer_bytes, "limits.total_bytes", limits.total_bytes],
    [["queue", "retry"], queue.retry, "queue.retry_cap", queue.retry_cap],
    ...upstreams.map(({ backoff }, at) =>
      [["nakurity-clients", at, "backoff", "base"], backoff.base, "backoff.cap", backoff.cap] as const
    ),
  ];
  return relations.filter(([, low, , high]) => low > high).map(([path, low, name, high]) => ({
    path,
    message: `${low} exceeds ${name}, which is ${high}`,
    because: name.split("."),
  }));
}

function openListeners({ intermediary, "nakurity-backend": backend, brain }: Settings): readonly string[] {
  const warnings: string[] = [];
  if (intermediary.enabled && isPublicToken(intermediary.auth_token)) {
    const what = intermediary.auth_token === "" ? "empty" : "the published one";
    warnings.push(`intermediary.auth_token is ${what}: every program on this machine can connect`);
  }
  for (const [name, { enabled, host, open }] of [["nakurity-backend", backend], ["brain", brain]] as const) {
    if (enabled && open && !isLoopback(host)) {
      warnings.push(`${name}.open is true: anyone who can reach ${host} can connect without a token`);
    }
  }
  return warnings;
}

function pickleQueue({ intermediary: { relay_queue }, queue }: Settings): readonly string[] {
  if (relay_queue === undefined || !/\.pkl$/i.test(relay_queue)) return [];
  return [`intermediary.relay_queue: a pickle file is never read; the queue is kept in ${queue.path}/`];
}

/** Several relays would appear to Neuro as several games of one name. */
function networkFaults({ "nakurity-backend": { enabled, faults } }: Settings): readonly string[] {
  if (!enabled || !faults.enabled) return [];
  return [
    "nakurity-backend.faults.enabled is true: messages of games are delayed or lost, and connections break, on purpose",
  ];
}

function sharedUpstreams({ relays: { names }, "nakurity-clients": upstreams }: Settings): readonly string[] {
  if (names.every((name) => name === "default")) return [];
  const isShared = ({ relays, url }: UpstreamSettings) =>
    linkNameOf(url) === undefined && relays.some((pattern) => pattern.includes("*"));
  return upstreams.filter(isShared).map(({ id, name }) =>
    `relays.names allows several relays, and each of them connects to the upstream ${id} as ${JSON.stringify(name)}; ` +
    "list those that should in its setting `relays`"
  );
}

function loweredLimits(tree: ConfigTree): readonly string[] {
  return givenFields(tree).flatMap(({ path, kind, max }) => {
    if (max === undefined) return [];
    const given = valueAt(tree, path);
    const quantity = kind === "duration" ? parseDuration(given) : kind === "size" ? parseSize(given) : given;
    if (typeof quantity !== "number" || quantity <= max) return [];
    return [
      `${path.join(".")} is lowered from ${formatQuantity(kind, quantity)} to the maximum, ${formatQuantity(kind, max)}`,
    ];
  });
}
