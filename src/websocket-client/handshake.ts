/** The HTTP that a WebSocket begins with (RFC 6455, section 4), as a client speaks it. */
import process from "node:process";
import type { DialRequest } from "./dialer.ts";

/** Appended to the key, for the answer to prove that it was read. */
const ACCEPT_SUFFIX = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const TEXT = /^[\t\x20-\x7e]*$/;

export interface ClientHandshake {
  readonly text: string;
  readonly key: string;
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
  // Why: a line's end within a header would be the start of another.
  if (!lines.every((line) => TEXT.test(line))) throw new Error("a header that cannot be sent");
  return { text: `GET ${pathname}${search} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`, key };
}

/** Undefined when the head of a response accepts the request with this key; else why it does not. */
export function handshakeError(head: string, key: string): string | undefined {
  const [status = "", ...lines] = head.split("\r\n");
  if (!/^HTTP\/1\.1 101(?: |$)/.test(status)) return `Expected 101 status code: ${status.slice(0, 80)}`;
  const headers = new Map(lines.map((line): [string, string] => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  }));
  const isUpgrade = headers.get("upgrade")?.toLowerCase() === "websocket";
  // Why loaded here: it takes longer than any other module of the start, and who dials nobody does not need it.
  const { createHash } = process.getBuiltinModule("node:crypto");
  const accept = createHash("sha1").update(key + ACCEPT_SUFFIX).digest("base64");
  if (!isUpgrade || headers.get("sec-websocket-accept") !== accept) return "the answer is not for this request";
  if (headers.has("sec-websocket-extensions")) return "an extension that was not asked for";
  return undefined;
}

const base64 = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes));
