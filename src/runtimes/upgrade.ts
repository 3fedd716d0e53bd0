/** Parts of requests and WebSocket upgrades that the runtimes share. */

/** The first subprotocol that the client offers, which the relay accepts; undefined if it offers none. */
export function offeredProtocol(request: Request): string | undefined {
  const [protocol] = (request.headers.get("sec-websocket-protocol") ?? "").split(",");
  return protocol?.trim() || undefined;
}

/** The answer when a bound on connections is reached. */
export const tooManyConnections = (): Response => new Response(null, { status: 503, headers: { "retry-after": "60" } });

/** Requests of one connection that may arrive in one piece. */
export const PIPELINED_MAX = 16;
