/** Where the relay is: this page is its root, with or without the slash at the end. */

/** The address of something of the relay's. */
export function relayAddress(path: string): URL {
  const { origin, pathname } = location;
  return new URL(path, `${origin}${pathname.replace(/\/*$/, "/")}`);
}

/** The same for a socket. */
export function relaySocketAddress(path: string): URL {
  const url = relayAddress(path);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url;
}
