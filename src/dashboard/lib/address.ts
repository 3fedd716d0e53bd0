/** Addresses of the relay. This page is at its root, with or without a slash at the end. */

/** The address of a path of the relay. */
export function relayAddress(path: string): URL {
  const { origin, pathname } = location;
  return new URL(path, `${origin}${pathname.replace(/\/*$/, "/")}`);
}

/** The address of a WebSocket of the relay. */
export function relaySocketAddress(path: string): URL {
  const url = relayAddress(path);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url;
}
