/**
 * Sends mutated requests to the web app on every listener: none may throw, cause an internal error, connect without the token, or read
 * a file without permission. A plain request must work after each batch.
 */
import type { Json } from "../../src/core/json.ts";
import type { ServiceRequest } from "../../src/core/request.ts";
import { Random } from "../../src/testing/random.ts";
import { AppFixture } from "../unit/http/app-fixture.ts";
import type { FuzzOptions, FuzzResult } from "./frames.ts";
import { heldBytes } from "./memory.ts";
import { FILE, mutatedRequest } from "./mutated-request.ts";

/** Never contained in a mutated request. */
const WEB_TOKEN = "known-to-nobody";
const SECRET = "the content of the file";

const BATCH = 100;
const BREACHES_MAX = 10;
const WARM = 0.4;

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
  if ("get" in request && request.get === "events") return { items: [], cursor: "1-1", missed: 0 };
  const upstreams = {
    controls: { stopped: false, approval: false, behaviour: null },
    upstreams: [],
    integrations: 0,
    sockets: 0,
  };
  return { items: [], next: null, ok: true, reasons: [], draining: false, ...upstreams };
}

/** The whole text, or the beginning of a stream. */
async function textOf(response: Response): Promise<string> {
  if (response.headers.get("content-type") !== "text/event-stream") return await response.text();
  const reader = response.body?.getReader();
  const first = await reader?.read();
  await reader?.cancel();
  return new TextDecoder().decode(first?.value);
}

async function tryOne(fixture: AppFixture, random: Random): Promise<readonly string[]> {
  const { listener, path, headers, ...asked } = mutatedRequest(random);
  const what = `${asked.method} ${listener} ${path} ${JSON.stringify(headers)} from ${asked.address}`;
  try {
    const response = await fixture.fetch(listener, path, { ...asked, headers, upgrade: random.chance(0.3) });
    const body = await textOf(response);
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
