/**
 * Which pages may speak to which port, and by which names the web port may be reached.
 *
 * A program that is no browser sends no `Origin` and is let in. A page always sends one. A page whose name was rebound to this
 * machine is its own origin, so the web port, which trusts its own origin, also checks the name it was called by; the socket
 * ports trust no name but the loopback ones.
 */
import type { Settings } from "../core/settings.ts";
import type { PortName } from "./ports.ts";
import { isLoopback } from "../core/access.ts";

/** What the headers of a request say about where it comes from. */
export interface Source {
  readonly origin: string | undefined;
  /** The name it called us by, with the port. */
  readonly host: string | undefined;
}

/** True when the page of this origin may use the port; always for those that are no page. */
export function isOriginAllowed(listener: PortName, { origin, host }: Source, settings: Settings): boolean {
  if (origin === undefined || origin === "") return true;
  if (settings.security.allowed_origins.some((allowed) => allowed.toLowerCase() === origin.toLowerCase())) return true;
  const page = URL.canParse(origin) ? new URL(origin) : undefined;
  if (page === undefined || !isOrigin(page)) return false; // `null`, and whatever is no web page
  if (listener === "web") return host !== undefined && page.host === normalHost(host, page.protocol);
  return isLoopback(bareHost(page.hostname)) && /^https?:$/.test(page.protocol);
}

/** True for a scheme, a host and a port, and nothing more: a browser says nothing else. */
const isOrigin = ({ host, username, password, pathname, search, hash }: URL): boolean =>
  host !== "" && `${username}${password}${search}${hash}` === "" && pathname === "/";

/** True when the web port may be called by this name: an address (which cannot be rebound), a loopback name, or a listed one. */
export function isHostAllowed(host: string | undefined, settings: Settings): boolean {
  const url = host !== undefined && URL.canParse(`http://${host}`) ? new URL(`http://${host}`) : undefined;
  if (url === undefined || url.pathname !== "/" || url.username !== "") return false;
  const name = url.hostname.toLowerCase();
  if (isAddress(name) || name === "localhost" || name.endsWith(".localhost")) return true;
  return [settings.web.host, ...settings.web.hosts].some((allowed) => allowed.toLowerCase() === name);
}

const isAddress = (name: string): boolean => name.startsWith("[") || /^\d{1,3}(\.\d{1,3}){3}$/.test(name);

const bareHost = (hostname: string): string => hostname.replace(/^\[|\]$/g, "");

/** `host` as an origin of this protocol would show it: without the protocol's own port. */
function normalHost(host: string, protocol: string): string {
  const text = `${protocol}//${host}`;
  return URL.canParse(text) ? new URL(text).host : "";
}
