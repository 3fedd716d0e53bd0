/**
 * Sends mutated requests to the web app on every listener: none may throw, cause an internal error, connect without the token, or read
 * a file without permission. A plain request must work after each batch.
 */
import type { Json } from "../../src/core/json.ts";
import type { ServiceRequest } from "../../src/core/request.ts";
import { Random } from "../../src/testing/random.ts";
import type { PortName } from "../../src/http/app.ts";
import { AppFixture } from "../unit/http/app-fixture.ts";
import type { FuzzOptions, FuzzResult } from "./frames.ts";
import { heldBytes } from "./memory.ts";

/** Never contained in a mutated request. */
const WEB_TOKEN = "known-to-nobody";
const FILE = "file-1";
const SECRET = "the content of the file";

const BATCH = 100;
const BREACHES_MAX = 10;
const WARM = 0.4;

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
  "/api/controls",
  "/api/forces/%ff/answer",
  "/api/pending/x/decision",
  "/api/upstreams/x/contexts",
  "/api/queue/%F0%9F%98%80?after=1-1",
  "/api/messages",
  "/api/dead-letters/x/retry",
  "/api/audit?limit=9",
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
] as const;
const ADDRESSES = ["127.0.0.1", "::1", "::ffff:127.0.0.1", "10.0.0.9", "", "127.0.0.1.evil.example", "x"] as const;

/** Fuzzes the web app. */
export async function fuzzRequests({ inputs, seed }: FuzzOptions): Promise<FuzzResult> {
  const token = WEB_TOKEN;
  const fixture = new AppFixture({
    "nakurity-backend": { token },
    brain: { token },
    web: { trusted_proxies: ["10.0.0.9"], hosts: ["relay.example"], neuro_os_page: true },
    intermediary: {
      tokens: [
        { name: "eye", token: "eye", scopes: ["watch"], names: [] },
        { name: "hand", token: "hand", scopes: ["command", "direct", "admin"], names: [] },
      ],
    },
  });
  fixture.replyTo = emptyReply;
  fixture.files.set(FILE, new TextEncoder().encode(SECRET));
  const random = new Random(seed);
  const violations: string[] = [];
  let [done, warmBytes] = [0, 0];
  while (done < inputs && violations.length < BREACHES_MAX) {
    for (let count = 0; count < BATCH; count++) violations.push(...await tryOne(fixture, random));
    done += BATCH;
    violations.push(
      ...fixture.observations.splice(0).flatMap((
        observation,
      ) => (observation.is === "panicked" ? [`panicked: ${observation.stack}`] : [])),
    );
    if ((await fixture.fetch("web", "/health")).status !== 200) violations.push("a plain request is no longer answered");
    if (done >= inputs * WARM && warmBytes === 0) warmBytes = heldBytes();
  }
  return { inputs: done, violations, growthBytes: heldBytes() - warmBytes };
}

/** A reply in the shape of each request, without items. */
function emptyReply(request: ServiceRequest): Json {
  if ("get" in request && request.get === "events") return [];
  const upstreams = { controls: { stopped: false, approval: false }, upstreams: [], integrations: 0, sockets: 0 };
  return { items: [], next: null, ok: true, reasons: [], draining: false, ...upstreams };
}

async function tryOne(fixture: AppFixture, random: Random): Promise<readonly string[]> {
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
  const asked = {
    headers,
    method,
    address: random.pick(...ADDRESSES),
    ...(hasBody && { body: random.pick(...BODIES) }),
  };
  const what = `${asked.method} ${listener} ${path} ${JSON.stringify(headers)} from ${asked.address}`;
  try {
    const response = await fixture.fetch(listener, path, { ...asked, upgrade: random.chance(0.3) });
    const body = await response.text();
    const entered = fixture.upgrades.splice(0).find(({ entrance }) => entrance !== "intermediary");
    return [
      ...(response.status === 500 ? [`500: ${what}`] : []),
      ...(entered === undefined ? [] : [`let in at ${entered.entrance}: ${what}`]),
      ...(body.includes(SECRET) && headers.authorization !== "Bearer eye" ? [`got the file: ${what}`] : []),
      ...(body.includes(WEB_TOKEN) ? [`got the token: ${what}`] : []),
    ];
  } catch (error) {
    return [`threw ${error instanceof Error ? error.stack : error}: ${what}`];
  }
}
