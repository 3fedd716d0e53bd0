/** The opening handshake of a WebSocket (RFC 6455, section 4) as a client. */
import process from "node:process";
import type { DialRequest } from "./dialer.ts";

/** Appended to the key; the server proves with the digest that it has read the request. */
const ACCEPT_SUFFIX = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const HEADER_TEXT = /^[\t\x20-\x7e]*$/;
/** A field name, a colon, and a value without control characters (RFC 9112, section 5). */
const HEADER_LINE = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[\t ]*([\t\x20-\x7e\x80-\xff]*)$/;
/** Headers that a response must not repeat. */
const SINGLE = ["upgrade", "sec-websocket-accept", "sec-websocket-protocol"];

export interface ClientHandshake {
  readonly text: string;
  readonly key: string;
  /** The offered subprotocols. */
  readonly protocols: readonly string[];
}

/** The request, with a new key. Throws for headers that cannot be sent. */
export function createHandshake({ url, headers }: DialRequest): ClientHandshake {
  const { host, pathname, search, username, password } = new URL(url);
  const key = base64(crypto.getRandomValues(new Uint8Array(16)));
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  const lines = Object.entries({
    Host: host,
    Upgrade: "websocket",
    Connection: "Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": key,
    ...(credentials !== ":" && { Authorization: `Basic ${base64(new TextEncoder().encode(credentials))}` }),
    ...headers,
  }).map(([name, value]) => `${name}: ${value}`);
  // Why: a line end within a header would begin another header.
  if (!lines.every((line) => HEADER_TEXT.test(line))) throw new Error("a header that cannot be sent");
  const offered = Object.entries(headers).find(([name]) => name.toLowerCase() === "sec-websocket-protocol")?.[1] ?? "";
  const protocols = offered.split(",").map((protocol) => protocol.trim()).filter((protocol) => protocol !== "");
  return { text: `GET ${pathname}${search} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`, key, protocols };
}

/** The reason why the head of a response does not accept the request, or undefined. */
export function handshakeError(head: string, { key, protocols }: ClientHandshake): string | undefined {
  const [status = "", ...lines] = head.split("\r\n");
  if (!/^HTTP\/1\.1 101(?: |$)/.test(status)) return `Expected 101 status code: ${status.slice(0, 80)}`;
  const headers = readHeaders(lines);
  if (headers === undefined) return "the response has an invalid header";
  const repeated = SINGLE.find((name) => (headers.get(name)?.length ?? 0) > 1);
  if (repeated !== undefined) return `the response repeats the header ${repeated}`;
  if (headers.get("upgrade")?.[0]?.toLowerCase() !== "websocket") return "the response does not upgrade to WebSocket";
  const connection = (headers.get("connection") ?? []).join(",").toLowerCase().split(",").map((token) => token.trim());
  if (!connection.includes("upgrade")) return "the response does not upgrade the connection";
  if (headers.get("sec-websocket-accept")?.[0] !== acceptOf(key)) return "the response is not for this request";
  if (headers.has("sec-websocket-extensions")) return "the response has an extension that was not requested";
  const protocol = headers.get("sec-websocket-protocol")?.[0];
  if (protocol !== undefined && !protocols.includes(protocol)) {
    return "the response has a subprotocol that was not requested";
  }
  return undefined;
}

/** Values by lower-case name, or undefined if a line is not a header. */
function readHeaders(lines: readonly string[]): ReadonlyMap<string, readonly string[]> | undefined {
  const headers = new Map<string, string[]>();
  for (const line of lines) {
    const [, name, value = ""] = HEADER_LINE.exec(line) ?? [];
    if (name === undefined) return undefined;
    const known = headers.get(name.toLowerCase());
    if (known === undefined) headers.set(name.toLowerCase(), [value.trim()]);
    else known.push(value.trim());
  }
  return headers;
}

/** The digest by which a server proves that it has read the request with this key. */
export function acceptOf(key: string): string {
  // Why loaded here: no other module takes longer to load, and a relay without outbound connections does not need it.
  const { createHash } = process.getBuiltinModule("node:crypto");
  return createHash("sha1").update(key + ACCEPT_SUFFIX).digest("base64");
}

const base64 = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes));
