/** Requests by seed: known paths, headers and bodies, with mutations. */
import type { PortName } from "../../src/http/app.ts";
import type { Random } from "../../src/testing/random.ts";

/** The upload that a request may ask for. */
export const FILE = "file-1";

const LISTENERS = ["intermediary", "neuro", "brain", "proxy", "web"] as const satisfies readonly PortName[];
const METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "PROPFIND"] as const;
const PATHS = [
  "/",
  "/health",
  "/ready",
  "/metrics",
  `/uploads/${FILE}`,
  `/uploads/..%2f${FILE}`,
  "/uploads/%00",
  "/uploads/",
  "/intermediary",
  "/neuro",
  "/neuro/game/x/voice",
  "/neuro/$env/NEURO_SDK_WS_URL",
  "/$env/NEURO_SDK_WS_URL",
  "/brain",
  "/t/x/brain",
  "/neuro/t/%ff/game/y",
  "/game/%F0%9F%98%80",
  "//health",
  "/health/.",
  "/r/x/health",
  "/api",
  "/api/openapi.json",
  "/api/overview",
  "/api/integrations?after=a&limit=1",
  "/api/integrations/x",
  "/api/integrations/x/actions",
  "/api/integrations/x/messages",
  "/api/integrations/x/decision",
  "/api/events?limit=1&event=a,b&integration=x",
  "/api/events?after=1-1&wait=1",
  "/api/watchers",
  "/api/forces?after=1-1&limit=0",
  "/api/pending?integration=%00",
  "/api/brain/sessions",
  "/api/brain/sessions/none",
  "/api/tokens",
  "/api/dead-letters?to=%00&kind=x&reason=y",
  "/api/dead-letters/retry?to=x",
  "/api/integrations?paused=true&listener=neuro",
  "/api/tokens/web:web",
  "/api/controls",
  "/api/session",
  "/api/integrations/x/session",
  "/api/forces/%ff/answer",
  "/api/pending/x/decision",
  "/api/upstreams/x/contexts",
  "/api/queue/%F0%9F%98%80?after=1-1",
  "/api/messages",
  "/api/dead-letters/x/retry",
  "/api/audit?limit=9",
  "/api/traces?integration=x&kind=force&state=open&action=%00&after=1-1&limit=1",
  "/api/traces/%ff",
  "/api/transcript?upstream=neuro&is=result&search=%F0%9F%98%80&after=0-1",
  "/api/relay/stats",
  "/api/relay/messages?limit=-1",
  "/api/relay/inject_message",
] as const;
/** Tokens of known scopes: the first may read the file. */
const BEARERS = ["Bearer eye", "Bearer hand"] as const;
const BODIES = [
  "",
  "{",
  "null",
  "[]",
  "7",
  "{}",
  '{"name":"play"}',
  '{"name":"play","data":{"__proto__":{"x":1}}}',
  '{"__proto__":1,"constructor":1}',
  '{"paused":true,"muted":"no"}',
  '{"behaviour":"hostile"}',
  '{"behaviour":"__proto__"}',
  '{"approve":true,"message":7}',
  '{"to":"*","cmd":null}',
  '{"message":{"command":"x"},"silent":false}',
  '{"target":"x","message":[[]]}',
  '{"target":{},"message":"\\ud800"}',
  "[".repeat(200),
  `{"name":"${"a".repeat(2_000_000)}"}`,
  '{"limit":1e999}',
] as const;
const PIECES = [
  "%",
  "%2e",
  "..",
  "/",
  "//",
  "?",
  "#",
  "&token=",
  "?token=x",
  "\\",
  "%00",
  "%ud800",
  ";",
  "a".repeat(600),
  " ",
  "@",
  ":",
] as const;
const HEADERS = [
  "host",
  "origin",
  "authorization",
  "upgrade",
  "connection",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-proto",
  "user-agent",
  "neuro-relay-via",
  "content-length",
  "content-type",
  "accept",
  "last-event-id",
  "idempotency-key",
  "if-none-match",
  "accept-encoding",
] as const;
const VALUES = [
  "",
  "null",
  "websocket",
  "WebSocket, h2c",
  "Bearer ",
  "Bearer x",
  "Bearer x y",
  "Basic eDp5",
  "http://127.0.0.1:9999",
  "https://evil.example",
  "http://localhost.evil.example",
  "http://[::1]",
  "http://[::1",
  "file://",
  "127.0.0.1",
  "127.0.0.1:9999",
  "evil.example",
  "user@127.0.0.1",
  "[::ffff:127.0.0.1]",
  "::1, 10.0.0.9, ",
  "\u00ff\u00fe",
  "a".repeat(5_000),
  "1,2,3,4,5",
  "application/json",
  "application/json; charset=x",
  "text/plain",
  "text/event-stream",
  "1-1",
] as const;
const ADDRESSES = ["127.0.0.1", "::1", "::ffff:127.0.0.1", "10.0.0.9", "", "127.0.0.1.evil.example", "x"] as const;

export interface MutatedRequest {
  readonly listener: PortName;
  readonly path: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** The address of the caller, where it can be chosen. */
  readonly address: string;
}

/** Returns one request. */
export function mutatedRequest(random: Random): MutatedRequest {
  const listener = random.pick(...LISTENERS);
  let path: string = random.pick(...PATHS);
  for (let bends = random.between(0, 3); bends > 0; bends--) {
    const at = random.between(1, path.length);
    path = path.slice(0, at) + random.pick(...PIECES) + path.slice(at);
  }
  const headers = Object.fromEntries(
    Array.from({ length: random.between(0, 4) }, () => [random.pick(...HEADERS), random.pick(...VALUES)]),
  );
  const isApi = random.chance(0.5);
  if (isApi) Object.assign(headers, { authorization: random.pick(...BEARERS), "content-type": "application/json" });
  const method = random.chance(0.6) ? "GET" : random.pick(...METHODS);
  const hasBody = method !== "GET" && method !== "HEAD" && random.chance(0.7);
  const address = random.pick(...ADDRESSES);
  return { listener, path, method, headers, address, ...(hasBody && { body: random.pick(...BODIES) }) };
}
