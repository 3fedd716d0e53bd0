/** Parts of requests and WebSocket upgrades that the runtimes share. */
import { problemResponse } from "../http/app.ts";

/** The first subprotocol that the client offers, which the relay accepts; undefined if it offers none. */
export function offeredProtocol(request: Request): string | undefined {
  const [protocol] = (request.headers.get("sec-websocket-protocol") ?? "").split(",");
  return protocol?.trim() || undefined;
}

/** The answer when a bound on connections is reached. */
export const tooManyConnections = (): Response => new Response(null, { status: 503, headers: { "retry-after": "60" } });

/** Requests of one connection that may arrive in one piece. */
export const PIPELINED_MAX = 16;

/** The answer to a path whose name of a relay is malformed. */
export const malformedName = (): Response =>
  problemResponse({
    status: 404,
    title: "Not found",
    fault: "unknownPath",
    detail: "the name of a relay, in /r/<name>/, has 1 to 64 letters, digits, hyphens and underscores",
  });

/** The answer to the name of a relay that no pattern of `setting` matches. */
export const unknownRelay = (name: string, setting: string): Response =>
  problemResponse({
    status: 404,
    title: "Not found",
    fault: "unknownPath",
    detail: `there is no relay ${name}; ${setting} lists their names`,
  });
