/** Requests and responses of Node's HTTP server, as the web app takes and returns them. */
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";

/** Returned by a handler that has upgraded the connection. */
export const UPGRADED: Response = new Response(null);

/** Handles a request, and sends its response. Before that, the responses to earlier requests of the connection are sent. */
export async function respond(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  handle: (request: Request) => Response | Promise<Response>,
): Promise<void> {
  try {
    if (outgoing.socket === null) await once(outgoing, "socket"); // Why: a client could collect responses that it does not read.
    const request = requestOf(incoming);
    const response = request === undefined ? new Response(null, { status: 400 }) : await handle(request);
    if (response === UPGRADED) return;
    outgoing.statusCode = response.status;
    for (const [name, value] of response.headers) outgoing.setHeader(name, value);
    if (isEndless(response)) await pipe(response, outgoing);
    else outgoing.end(new Uint8Array(await response.arrayBuffer())); // Why whole: the app streams nothing else.
    incoming.resume(); // Why: an unread body would delay the next request on this connection.
  } catch {
    outgoing.destroy(); // Why: there is no response, and a closed connection tells the client so.
  }
}

const isEndless = ({ headers }: Response): boolean => headers.get("content-type") === "text/event-stream";

/** Sends a stream as its client takes it, until either ends it. */
async function pipe({ body }: Response, outgoing: ServerResponse): Promise<void> {
  const reader = body?.getReader();
  const closed = once(outgoing, "close").then(() => reader?.cancel());
  outgoing.flushHeaders();
  for (let part = await reader?.read(); part?.done === false; part = await reader?.read()) {
    if (!outgoing.write(part.value)) await Promise.race([once(outgoing, "drain"), closed]);
  }
  outgoing.end();
}

/** The request, or undefined if its method, its URL or its host is not valid. */
function requestOf(incoming: IncomingMessage): Request | undefined {
  const { method = "GET", url = "/", rawHeaders } = incoming;
  const hasBody = method !== "GET" && method !== "HEAD";
  try {
    const headers = new Headers();
    for (let at = 0; at < rawHeaders.length; at += 2) headers.append(rawHeaders[at] ?? "", rawHeaders[at + 1] ?? "");
    const scheme = "encrypted" in incoming.socket ? "https" : "http";
    return new Request(url.startsWith("/") ? `${scheme}://${headers.get("host") ?? ""}${url}` : url, {
      method,
      headers,
      ...(hasBody && { body: bodyOf(incoming), duplex: "half" }),
    });
  } catch {
    return undefined;
  }
}

/** Reads nothing before the app does. */
function bodyOf(incoming: IncomingMessage): ReadableStream<Uint8Array> {
  const chunks = incoming.iterator({ destroyOnReturn: false });
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await chunks.next();
      if (done === true) controller.close();
      else controller.enqueue(new Uint8Array(value));
    },
  }, { highWaterMark: 0 });
}
