/** Addresses of the relay. */
import { rootOf } from "./page-view.ts";

/** The address of a path of the relay. */
export function relayAddress(path: string): URL {
  const { origin, pathname } = location;
  return new URL(path, `${origin}${rootOf(pathname)}`);
}

/** The address of a WebSocket of the relay. */
export function relaySocketAddress(path: string): URL {
  const url = relayAddress(path);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url;
}
