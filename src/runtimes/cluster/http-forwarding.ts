/** Requests of clients that the node of the owner answers: passed on as they are, with what only the gateway knows in one header. */
import { isObject, parseJson } from "../../core/json.ts";
import { LISTENER_NAMES } from "../../core/service.ts";
import type { PortName } from "../../http/app.ts";
import { problemResponse } from "../../http/app.ts";
import { SECRET_HEADER } from "./node-connections.ts";

const CONTEXT_HEADER = "x-neuro-relay-client";

/** The client of a request that another node passes on. */
export interface Forwarded {
  readonly listener: PortName;
  readonly address: string;
  readonly basePath: string;
}

export interface ForwardTo {
  readonly place: string;
  readonly name: string;
  readonly context: Forwarded;
  readonly secret: string;
}

/** Passes a request on to the node of the owner, and its response back. */
export async function forward(request: Request, { place, name, context, secret }: ForwardTo): Promise<Response> {
  const url = new URL(request.url);
  const headers = new Headers(request.headers);
  headers.set(SECRET_HEADER, secret);
  // Why the host: the owner checks it as if the client had connected there.
  headers.set(CONTEXT_HEADER, encodeURIComponent(JSON.stringify({ ...context, name, origin: url.origin })));
  for (const name of ["host", "connection", "keep-alive", "transfer-encoding"]) headers.delete(name);
  try {
    const response = await fetch(`http://${place}/relay${url.pathname}${url.search}`, {
      method: request.method,
      headers,
      body: request.body,
      redirect: "manual",
    });
    const passed = new Headers(response.headers);
    for (const name of ["content-encoding", "content-length", "connection", "keep-alive"]) passed.delete(name);
    return new Response(response.body, { status: response.status, headers: passed });
  } catch {
    return problemResponse({
      status: 503,
      title: "Service unavailable",
      fault: "relayAway",
      detail: "the node that owns this relay does not answer",
      headers: { "retry-after": "2" },
    });
  }
}

export interface ReceivedRequest {
  /** Of the relay. */
  readonly name: string;
  readonly request: Request;
  readonly context: Forwarded;
}

/** Reads a request that another node passed on; undefined if it is not one. The secret must have been checked. */
export function receiveForwarded(request: Request): ReceivedRequest | undefined {
  const text = request.headers.get(CONTEXT_HEADER) ?? "";
  const context = parseJson(decoded(text), Infinity);
  const url = new URL(request.url);
  if (!isObject(context) || !url.pathname.startsWith("/relay/")) return undefined;
  const { name, listener, address, basePath, origin } = context;
  if (![name, address, basePath, origin].every((value) => typeof value === "string")) return undefined;
  if (listener !== "web" && !LISTENER_NAMES.some((known) => known === listener)) return undefined;
  if (!URL.canParse(String(origin))) return undefined;
  const headers = new Headers(request.headers);
  headers.delete(CONTEXT_HEADER);
  headers.delete(SECRET_HEADER);
  headers.set("host", new URL(String(origin)).host);
  const target = `${String(origin)}${url.pathname.slice("/relay".length)}${url.search}`;
  return {
    name: String(name),
    request: new Request(target, new Request(request, { headers })),
    context: { listener: listener as PortName, address: String(address), basePath: String(basePath) },
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}
