/** The listeners in the settings, and the lines that report them when the relay is ready. */
import { isHashed, isLoopback } from "../core/access.ts";
import {
  LISTENER_NAMES,
  type ListenerBlock,
  LISTENERS,
  SERVICE_NAMES,
  type ServiceName,
  SERVICES,
} from "../core/service.ts";
import type { Settings } from "../core/settings.ts";
import { errorText, linkNameOf, redactUrl } from "../core/text.ts";
import type { PortName } from "../http/app.ts";
import type { Certificate } from "./certificates.ts";
import { StartError } from "./serve-options.ts";

/** Every port that the relay opens: the listeners of its services, and the web port. */
const PORTS: readonly { readonly name: PortName; readonly label: string; readonly block: ListenerBlock }[] = [
  ...LISTENER_NAMES.map((name) => ({ name, label: SERVICES[name].title, block: LISTENERS[name].block })),
  { name: "web", label: "Web", block: "web" },
];

/** A place to listen. */
export interface ListenerSpec {
  readonly name: PortName;
  readonly label: string;
  readonly host: string;
  readonly port: number;
  readonly block: ListenerBlock;
  /** Absent without TLS. */
  readonly certificate?: Certificate | undefined;
}

/** A listener that is open at `url`, or will be. */
export interface BoundListener extends ListenerSpec {
  readonly url: string;
  /** The other loopback address, on which another program uses the port. */
  readonly occupied?: string | undefined;
  /** Why it is not open yet. */
  readonly problem?: string | undefined;
}

/**
 * The addresses of a listener. On loopback those of both families, because a client may resolve `localhost` to either.
 * The first one must be available; the second one may be missing on this machine.
 */
export function addressesOf(host: string): readonly [string, string?] {
  if (host === "127.0.0.1" || host === "localhost") return ["127.0.0.1", "::1"];
  return host === "::1" ? ["::1", "127.0.0.1"] : [host];
}

/** True for the error of a port that another program uses. */
export const isInUse = (error: unknown): boolean =>
  typeof error === "object" && error !== null && "code" in error && error.code === "EADDRINUSE";

/** The listeners that are enabled, of the services that this build contains, without their certificates. */
export function listenersOf(settings: Settings, services: readonly ServiceName[]): readonly ListenerSpec[] {
  return PORTS
    .filter(({ name, block }) => settings[block].enabled && (name === "web" || services.includes(name)))
    .map((port) => ({ ...port, host: settings[port.block].host, port: settings[port.block].port }));
}

/** The error for a listener that cannot be opened. */
export function bindError({ block, host, port }: ListenerSpec, error: unknown): StartError {
  if (isInUse(error)) {
    const guess = block === "nakurity-backend" && port === 8000 ? "; Neuro or another backend may be using it" : "";
    return new StartError(`${block}.port: ${port} on ${host} is in use${guess}`);
  }
  const code = typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
  if (code === "EACCES") return new StartError(`${block}.port: this user may not listen on ${port} of ${host}`);
  return new StartError(`${block}.host: cannot listen on ${host}:${port}: ${errorText(error)}`);
}

/** The relay whose listeners are open. */
export interface ReadyRelay {
  readonly bound: readonly BoundListener[];
  readonly services: readonly ServiceName[];
  readonly webToken: string;
  /** The lines go to a terminal. */
  readonly isTerminal: boolean;
}

/** The lines in order; scripts wait for the last one. */
export function readyLines(settings: Settings, { bound, services, webToken, isTerminal }: ReadyRelay): string[] {
  // Why not always: output that is not a terminal, such as a service's journal, can be read by others. A generated token is printed there
  // as well, because the operator would otherwise have to find its file. A configured token is known already.
  const isPrinted = (isTerminal || settings.web.token === "") && !isHashed(webToken);
  const fragment = ({ name, host }: BoundListener) =>
    name === "web" && isLoopback(host) && isPrinted ? `/#token=${webToken}` : "";
  return [
    ...(settings.brain.test_mode ? bound.filter(({ name }) => name === "brain").map(brainTestLine) : []),
    ...bound.map((listener) =>
      listener.problem === undefined
        ? `[${listener.label}] listening on ${listener.url}${fragment(listener)}`
        : `[${listener.label}] not open yet: ${listener.problem}`
    ),
    ...bound.flatMap(({ label, occupied, url }) =>
      occupied === undefined ? [] : [`[${label}] another program uses port ${new URL(url).port} of ${occupied}`]
    ),
    ...upstreamLines(settings, services),
    ...proxyLines(settings, services),
    ...(settings.record.file === "" ? [] : [`[Recording] recording all frames to ${settings.record.file}`]),
    ...missing(settings, services).map((label) => `[${label}] is configured, but not part of this build`),
    "Neuro Relay is ready",
  ];
}

/** The line of the original Brain relay in test mode, character by character; its tests look for it. */
const brainTestLine = ({ host, url }: BoundListener): string => `LISTENING ws://${host}:${new URL(url).port}`;

function upstreamLines(settings: Settings, services: readonly ServiceName[]): string[] {
  if (!services.includes("neuro")) return [];
  const upstreams = settings["nakurity-clients"];
  if (upstreams.length === 0) {
    const { decider, behaviour } = settings["nakurity-backend"];
    return [`No upstream: this relay acts as Neuro (decider ${decider}, ${behaviour.preset})`];
  }
  return upstreams.map(({ url }) =>
    linkNameOf(url) === undefined
      ? `[Nakurity Client] connecting to ${redactUrl(url)}`
      : `[Nakurity Client] waiting for \`neuro-relay link\`, ${url}`
  );
}

const proxyLines = ({ "intercept-proxy": { upstream_url } }: Settings, services: readonly ServiceName[]): string[] =>
  services.includes("proxy") ? [`[Intercept Proxy] forwarding to ${redactUrl(upstream_url)}`] : [];

/** The services that the settings enable and this build does not contain. */
const missing = (settings: Settings, services: readonly ServiceName[]): string[] =>
  SERVICE_NAMES
    .filter((name) => SERVICES[name].isEnabled(settings) && !services.includes(name))
    .map((name) => SERVICES[name].title);
