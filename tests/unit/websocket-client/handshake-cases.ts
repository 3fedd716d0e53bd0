/**
 * Opening handshakes of RFC 6455, section 4: requests for a listener, and responses for a client. `|` stands for a line end.
 *
 * In a request PATH is the path of the listener. In a response KEY is the digest of the client's key.
 */

export type RequestCase = readonly [name: string, request: string, outcome: "101" | "refused", pieceBytes?: number];

const BEGIN = "GET PATH HTTP/1.1|Host: localhost|";
const UPGRADE = "Upgrade: websocket|Connection: Upgrade|";
const VERSION = "Sec-WebSocket-Version: 13|";
const KEY = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==|";
const VALID = `${BEGIN}${UPGRADE}${VERSION}${KEY}`;

export const REQUEST_CASES: readonly RequestCase[] = [
  ["the example of the RFC", `${VALID}|`, "101"],
  ["names in lower case", `${VALID.replace(/[\w-]+:/g, (name) => name.toLowerCase())}|`, "101"],
  ["names in upper case", `${VALID.replace(/[\w-]+:/g, (name) => name.toUpperCase())}|`, "101"],
  ["Upgrade: WebSocket", `${BEGIN}Upgrade: WebSocket|Connection: upgrade|${VERSION}${KEY}|`, "101"],
  [
    "Connection: keep-alive, Upgrade",
    `${BEGIN}Upgrade: websocket|Connection: keep-alive, Upgrade|${VERSION}${KEY}|`,
    "101",
  ],
  ["headers in another order", `${BEGIN}${KEY}${VERSION}Connection: Upgrade|Upgrade: websocket||`, "101"],
  ["spaces around values", `${BEGIN}Upgrade:   websocket  |Connection:\tUpgrade\t|${VERSION}${KEY}|`, "101"],
  ["no space before values", `${VALID.replaceAll(": ", ":")}|`, "101"],
  ["unknown headers", `${VALID}X-One: 1|X-Two:|X-Three: caf\u00e9|`.concat("|"), "101"],
  ["a header of 4,000 bytes", `${VALID}X: ${"x".repeat(4_000)}||`, "101"],
  ["in single bytes", `${VALID}|`, "101", 1],
  ["in pieces of seven bytes", `${VALID}|`, "101", 7],
  ["two subprotocols", `${VALID}Sec-WebSocket-Protocol: one, two||`, "101"],
  ["an extension", `${VALID}Sec-WebSocket-Extensions: x-unknown; a=1||`, "101"],
  ["an offer of compression", `${VALID}Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits||`, "101"],
  ["no Upgrade", `${BEGIN}Connection: Upgrade|${VERSION}${KEY}|`, "refused"],
  ["Upgrade: h2c", `${BEGIN}Upgrade: h2c|Connection: Upgrade|${VERSION}${KEY}|`, "refused"],
  ["no Connection", `${BEGIN}Upgrade: websocket|${VERSION}${KEY}|`, "refused"],
  ["Connection: close", `${BEGIN}Upgrade: websocket|Connection: close|${VERSION}${KEY}|`, "refused"],
  ["no key", `${BEGIN}${UPGRADE}${VERSION}|`, "refused"],
  ["an empty key", `${BEGIN}${UPGRADE}${VERSION}Sec-WebSocket-Key:||`, "refused"],
  ["a key of 15 bytes", `${BEGIN}${UPGRADE}${VERSION}Sec-WebSocket-Key: ${btoa("k".repeat(15))}||`, "refused"],
  ["a key of 17 bytes", `${BEGIN}${UPGRADE}${VERSION}Sec-WebSocket-Key: ${btoa("k".repeat(17))}||`, "refused"],
  ["a key that is not base64", `${BEGIN}${UPGRADE}${VERSION}Sec-WebSocket-Key: ${"?".repeat(22)}==||`, "refused"],
  ["no version", `${BEGIN}${UPGRADE}${KEY}|`, "refused"],
  ["version 0", `${BEGIN}${UPGRADE}Sec-WebSocket-Version: 0|${KEY}|`, "refused"],
  ["version 8", `${BEGIN}${UPGRADE}Sec-WebSocket-Version: 8|${KEY}|`, "refused"],
  ["version 14", `${BEGIN}${UPGRADE}Sec-WebSocket-Version: 14|${KEY}|`, "refused"],
  ["a version in letters", `${BEGIN}${UPGRADE}Sec-WebSocket-Version: latest|${KEY}|`, "refused"],
  ["POST", `${VALID.replace("GET", "POST")}Content-Length: 0||`, "refused"],
  ["HEAD", `${VALID.replace("GET", "HEAD")}|`, "refused"],
  ["HTTP/1.0", `${VALID.replace("HTTP/1.1", "HTTP/1.0")}|`, "refused"],
  ["no Host", `GET PATH HTTP/1.1|${UPGRADE}${VERSION}${KEY}|`, "refused"],
  ["no HTTP version", `${VALID.replace(" HTTP/1.1", "")}|`, "refused"],
  ["a version of HTTP that does not exist", `${VALID.replace("HTTP/1.1", "HTTP/7.4")}|`, "refused"],
  ["a header without a colon", `${VALID}no colon||`, "refused"],
  ["a space before a colon", `${VALID}X : y||`, "refused"],
  ["a folded header", `${VALID}X: a| folded||`, "refused"],
  ["a null in a header", `${VALID}X: a\0b||`, "refused"],
  ["a lone line feed", `${VALID}X: a\nY: b||`, "refused"],
  ["headers of 64 KiB", `${VALID}X: ${"x".repeat(65_536)}||`, "refused"],
  ["bytes of a TLS handshake", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + "r".repeat(500) + "||", "refused"],
  ["a line of text", "hello||", "refused"],
];

export type ResponseCase = readonly [response: string, error: RegExp | undefined];

const OK = "HTTP/1.1 101 x|Upgrade: websocket|Connection: Upgrade|";
const ACCEPT = "Sec-WebSocket-Accept: KEY";

/** The client that gets them offered no subprotocol. Those without an error are accepted. */
export const RESPONSE_CASES: readonly ResponseCase[] = [
  ["HTTP/1.1 101 Switching Protocols|Upgrade: websocket|Connection: Upgrade|Sec-WebSocket-Accept: KEY", undefined],
  ["HTTP/1.1 101|upgrade: WebSocket|connection: keep-alive, Upgrade|sec-websocket-accept:KEY", undefined],
  ["HTTP/1.1 101 x|Upgrade: websocket|Connection: a|Connection: upgrade|Sec-WebSocket-Accept: KEY|X: \u00e9", undefined],
  [`${OK}${ACCEPT}|Server: x|Date: Thu, 01 Jan 1970 00:00:00 GMT`, undefined],
  [`${OK}Sec-WebSocket-Accept:\t KEY \t`, undefined],
  [`${OK}${ACCEPT}|X: ${"x".repeat(8_000)}`, undefined],
  [`${OK}${ACCEPT}|Sec-WebSocket-Version: 13|Set-Cookie: a=b|Set-Cookie: c=d`, undefined],
  ["HTTP/1.0 101 x|Upgrade: websocket|Connection: Upgrade|Sec-WebSocket-Accept: KEY", /Expected 101/],
  ["HTTP/2 101|Upgrade: websocket|Connection: Upgrade|Sec-WebSocket-Accept: KEY", /Expected 101/],
  ["http/1.1 101 x|Upgrade: websocket|Connection: Upgrade|Sec-WebSocket-Accept: KEY", /Expected 101/],
  ["HTTP/1.1  101 x|Upgrade: websocket|Connection: Upgrade|Sec-WebSocket-Accept: KEY", /Expected 101/],
  ["HTTP/1.1 200 OK|Upgrade: websocket|Connection: Upgrade|Sec-WebSocket-Accept: KEY", /Expected 101/],
  ["HTTP/1.1 100 Continue|Upgrade: websocket|Connection: Upgrade|Sec-WebSocket-Accept: KEY", /Expected 101/],
  ["HTTP/1.1 1010 x|Upgrade: websocket|Connection: Upgrade|Sec-WebSocket-Accept: KEY", /Expected 101/],
  ["HTTP/1.1 301 x|Location: ws://elsewhere", /Expected 101/],
  ["HTTP/1.1 401 x|WWW-Authenticate: Basic", /Expected 101/],
  ["HTTP/1.1 426 x|Upgrade: websocket|Connection: Upgrade|Sec-WebSocket-Accept: KEY", /Expected 101/],
  ["HTTP/1.1 503 x|Retry-After: 5", /Expected 101/],
  ["hello", /Expected 101/],
  ["", /Expected 101/],
  ["HTTP/1.1 101 x|Connection: Upgrade|Sec-WebSocket-Accept: KEY", /does not upgrade to WebSocket/],
  ["HTTP/1.1 101 x|Upgrade:|Connection: Upgrade|Sec-WebSocket-Accept: KEY", /does not upgrade to WebSocket/],
  ["HTTP/1.1 101 x|Upgrade: h2c|Connection: Upgrade|Sec-WebSocket-Accept: KEY", /does not upgrade to WebSocket/],
  ["HTTP/1.1 101 x|Upgrade: websocket, h2c|Connection: Upgrade|Sec-WebSocket-Accept: KEY", /does not upgrade to/],
  ["HTTP/1.1 101 x|Upgrade: websocket|Upgrade: websocket|Connection: Upgrade|Sec-WebSocket-Accept: KEY", /repeats/],
  ["HTTP/1.1 101 x|Upgrade: websocket|Sec-WebSocket-Accept: KEY", /does not upgrade the connection/],
  ["HTTP/1.1 101 x|Upgrade: websocket|Connection: close|Sec-WebSocket-Accept: KEY", /does not upgrade the connection/],
  ["HTTP/1.1 101 x|Upgrade: websocket|Connection: notupgrade|Sec-WebSocket-Accept: KEY", /does not upgrade the conn/],
  ["HTTP/1.1 101 x|Upgrade: websocket|Connection: Upgrade", /not for this request/],
  [`${OK}Sec-WebSocket-Accept:`, /not for this request/],
  [`${OK}Sec-WebSocket-Accept: KEYx`, /not for this request/],
  [`${OK}Sec-WebSocket-Accept: dGhlIHNhbXBsZSBub25jZQ==`, /not for this request/],
  [`${OK}Sec-WebSocket-Accept: x|Sec-WebSocket-Accept: KEY`, /repeats/],
  [`${OK}${ACCEPT}|${ACCEPT}`, /repeats/],
  [`${OK}${ACCEPT}|Sec-WebSocket-Extensions: x`, /exten/],
  [`${OK}${ACCEPT}|Sec-WebSocket-Extensions: permessage-deflate`, /exten/],
  [`${OK}${ACCEPT}|Sec-WebSocket-Protocol: x`, /subpro/],
  ["HTTP/1.1 101 x|Upgrade : websocket|Connection: Upgrade|Sec-WebSocket-Accept: KEY", /invalid header/],
  [`${OK}${ACCEPT}|no colon`, /invalid header/],
  [`${OK}${ACCEPT}|: no name`, /invalid header/],
  [`${OK}${ACCEPT}|X: a| folded`, /invalid header/],
  [`${OK}${ACCEPT}|X: \u0000`, /invalid header/],
  [`${OK}${ACCEPT}|X: a\nY: b`, /invalid header/],
  [`${OK}${ACCEPT}|X: ${"x".repeat(20_000)}`, /no end of the headers/],
];
