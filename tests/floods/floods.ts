/** The floods: what each connection sends first, and what it repeats. */

export interface Flood {
  readonly listener: "intermediary" | "neuro" | "brain" | "web";
  /** Sent first; what follows is sent after the first answer. */
  readonly head: Uint8Array;
  /** Sent once after that answer. */
  readonly greeting?: Uint8Array;
  /** Sent again and again. */
  readonly unit: Uint8Array;
  /** 4 by default. */
  readonly connections?: number;
}

const text = (lines: readonly string[]): Uint8Array => new TextEncoder().encode(`${lines.join("\r\n")}\r\n\r\n`);

const request = (line: string, headers: readonly string[] = []): Uint8Array =>
  text([`${line} HTTP/1.1`, "host: 127.0.0.1", ...headers]);

const UPGRADE_HEADERS = [
  "connection: Upgrade",
  "upgrade: websocket",
  "sec-websocket-version: 13",
  "sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==",
];
const upgrade = (path: string, headers: readonly string[] = []): Uint8Array =>
  request(`GET ${path}`, [...UPGRADE_HEADERS, ...headers]);

const NOTHING = new Uint8Array(0);
const CONTINUATION = 0x00;
const FRAGMENT = 0x01;
const PING = 0x89;
const PONG = 0x8a;
const TEXT = 0x81;

/** One frame of a client, masked with zeros. */
function frame(opcode: number, payload = ""): Uint8Array {
  const bytes = new TextEncoder().encode(payload);
  const length = bytes.length < 126 ? [0x80 | bytes.length] : [0x80 | 126, bytes.length >> 8, bytes.length & 255];
  return Uint8Array.of(opcode, ...length, 0, 0, 0, 0, ...bytes);
}

/** A registration of 16 KiB. */
const largeAction = (at: number): string =>
  JSON.stringify({ command: "register_actions", actions: { [`a${at}`]: { type: "string", enum: ["x".repeat(16_000)] } } });

/** Peers of one address. */
const MANY = 64;

const joined = (...parts: readonly Uint8Array[]): Uint8Array => Uint8Array.from(parts.flatMap((part) => [...part]));

export const FLOODS: Readonly<Record<string, Flood>> = {
  "pongs before the greeting": {
    listener: "intermediary",
    head: upgrade("/"),
    unit: frame(PONG),
  },
  "pings before the greeting": {
    listener: "intermediary",
    head: upgrade("/"),
    unit: frame(PING),
  },
  "pongs of a game": {
    listener: "neuro",
    head: upgrade("/"),
    unit: frame(PONG),
  },
  "pings of a game": {
    listener: "neuro",
    head: upgrade("/"),
    unit: frame(PING, "x".repeat(100)),
  },
  "frames of a game that are refused": {
    listener: "neuro",
    head: upgrade("/"),
    unit: frame(TEXT, "{"),
  },
  "large frames of a game that are refused": {
    listener: "neuro",
    head: upgrade("/"),
    unit: frame(TEXT, "x".repeat(60_000)),
  },
  "Brain requests that are refused": {
    listener: "brain",
    head: upgrade("/"),
    unit: frame(TEXT, '{"cmd":"x"}'),
  },
  "frames of a voice channel": {
    listener: "neuro",
    head: upgrade("/game/x/voice"),
    unit: frame(TEXT, '{"command":"voice/start"}'),
  },
  "empty fragments of a game": {
    listener: "neuro",
    head: upgrade("/"),
    greeting: frame(FRAGMENT),
    unit: frame(CONTINUATION),
  },
  "fragments of one byte before the greeting": {
    listener: "intermediary",
    head: upgrade("/"),
    greeting: frame(FRAGMENT),
    unit: frame(CONTINUATION, "x"),
  },
  "contexts of 64 games": {
    listener: "neuro",
    head: upgrade("/"),
    unit: frame(
      TEXT,
      '{"command":"context","game":"x","data":{"message":"x","silent":true}}',
    ),
    connections: MANY,
  },
  "commands of 64 watchers": {
    listener: "intermediary",
    head: upgrade("/"),
    greeting: frame(
      TEXT,
      '{"type":"neuro-os","name":"x","auth_token":"super-secret-token"}',
    ),
    unit: frame(TEXT, '{"target":"nobody","cmd":"x"}'),
    connections: MANY,
  },
  "questions for all actions": {
    listener: "intermediary",
    head: upgrade("/"),
    greeting: joined(
      frame(TEXT, '{"type":"integration","name":"x","auth_token":"super-secret-token"}'),
      ...Array.from({ length: 50 }, (_, at) => frame(TEXT, largeAction(at))),
    ),
    unit: frame(TEXT, '{"query":"get_registered_actions"}'),
  },
  "Brain requests of 64 clients": {
    listener: "brain",
    head: upgrade("/"),
    unit: frame(TEXT, '{"cmd":"CreateSession"}'),
    connections: MANY,
  },
  "pings of 64 games": {
    listener: "neuro",
    head: upgrade("/"),
    unit: frame(PING),
    connections: MANY,
  },
  "connections that greet wrongly": {
    listener: "intermediary",
    head: upgrade("/"),
    unit: frame(TEXT, "{}"),
  },
  "upgrades of a foreign origin": {
    listener: "neuro",
    head: NOTHING,
    unit: upgrade("/", ["origin: https://evil.example"]),
  },
  "upgrades that are accepted": {
    listener: "neuro",
    head: upgrade("/"),
    unit: joined(frame(0x88)),
  },
  "requests for nothing": {
    listener: "web",
    head: NOTHING,
    unit: request("GET /nothing"),
  },
  "requests with a wrong token": {
    listener: "web",
    head: NOTHING,
    unit: request("GET /api/overview", ["authorization: Bearer wrong"]),
  },
  "requests for readiness": {
    listener: "web",
    head: NOTHING,
    unit: request("GET /ready"),
  },
  "requests from a foreign origin": {
    listener: "web",
    head: NOTHING,
    unit: request("GET /health", ["origin: https://evil.example"]),
  },
  "plain requests to a listener": {
    listener: "brain",
    head: NOTHING,
    unit: request("GET /"),
  },
};
