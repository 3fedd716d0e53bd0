/**
 * Which web pages can use which port, and under which host names the web port can be reached.
 *
 * Non-browser clients send no `Origin` and are accepted. A web page always sends one. A page whose host name was rebound to this machine
 * has the relay's own origin, so the web port, which trusts its own origin, also checks the `Host` header. The socket ports trust only
 * loopback names.
 */
import type { Settings } from "../core/settings.ts";
import type { PortName } from "./ports.ts";
import { isLoopback } from "../core/access.ts";

/** The origin and host of a request. */
export interface Source {
  readonly origin: string | undefined;
  /** The host name and port under which the client reached the relay. */
  readonly host: string | undefined;
  /** Undefined if it is not known. */
  readonly scheme: string | undefined;
}

/** True if a page of this origin can use the port; always true for non-browser clients. */
export function isOriginAllowed(
  listener: PortName,
  { origin, host, scheme }: Source,
  settings: Pick<Settings, "security">,
): boolean {
  if (origin === undefined || origin === "") return true;
  if (settings.security.allowed_origins.some((allowed) => allowed.toLowerCase() === origin.toLowerCase())) return true;
  const page = URL.canParse(origin) ? new URL(origin) : undefined;
  if (page === undefined || !isOrigin(page)) return false; // `null`, and anything that is not a web page
  if (listener === "web") {
    const isSameScheme = scheme === undefined || page.protocol === scheme;
    return isSameScheme && host !== undefined && page.host === normalHost(host, page.protocol);
  }
  return isLoopback(bareHost(page.hostname)) && /^https?:$/.test(page.protocol);
}

/** True for a scheme, a host and a port without anything else: browsers send nothing else. */
const isOrigin = ({ host, username, password, pathname, search, hash }: URL): boolean =>
  host !== "" && `${username}${password}${search}${hash}` === "" && pathname === "/";

/** True for an address, which cannot be rebound, a loopback name, or a listed name. */
export function isHostAllowed(host: string | undefined, settings: Settings): boolean {
  const url = host !== undefined && URL.canParse(`http://${host}`) ? new URL(`http://${host}`) : undefined;
  if (url === undefined || url.pathname !== "/" || url.username !== "") return false;
  const name = url.hostname.toLowerCase();
  if (isAddress(name) || name === "localhost" || name.endsWith(".localhost")) return true;
  return [settings.web.host, ...settings.web.hosts].some((allowed) => allowed.toLowerCase() === name);
}

const isAddress = (name: string): boolean => name.startsWith("[") || /^\d{1,3}(\.\d{1,3}){3}$/.test(name);

const bareHost = (hostname: string): string => hostname.replace(/^\[|\]$/g, "");

/** `host` as in an origin of this protocol: without the protocol's default port. */
function normalHost(host: string, protocol: string): string {
  const text = `${protocol}//${host}`;
  return URL.canParse(text) ? new URL(text).host : "";
}
