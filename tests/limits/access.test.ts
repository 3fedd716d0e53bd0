/** Access: every setting of `security` and `web` has its effect. */
import { test } from "#runner";
import type { ServiceName } from "../../src/core/service.ts";
import type { Settings } from "../../src/core/settings.ts";
import { listenersOf } from "../../src/runtimes/listeners.ts";
import { webToken } from "../../src/runtimes/web-token.ts";
import { check } from "../harness/check.ts";
import { AppFixture, bearer } from "../unit/http/app-fixture.ts";
import { settingsOf } from "./fixture.ts";
import { namesIn } from "./setting-trial.ts";

const SERVICES: readonly ServiceName[] = ["intermediary", "neuro", "brain"];
const webOf = (settings: Settings) => listenersOf(settings, SERVICES).find(({ name }) => name === "web");

interface ListenerTrial {
  readonly text: string;
  /** The observed behaviour, by default and when set. */
  readonly byDefault: unknown;
  readonly set: unknown;
  see(settings: Settings): unknown;
}

const status = async (settings: Settings, path: string, headers: Record<string, string>): Promise<number> =>
  (await new AppFixture(settings).fetch("web", path, { headers })).status;

const LISTENERS: Readonly<Record<string, ListenerTrial>> = {
  "security.allowed_origins": {
    text: "[https://overlay.example]",
    byDefault: [403, 403],
    set: [101, 403],
    see: (settings) => {
      const app = new AppFixture(settings);
      const origins = ["https://overlay.example", "https://other.example"];
      return Promise.all(origins.map((origin) => app.upgradeStatus("neuro", "/", { headers: { origin } })));
    },
  },
  "web.enabled": { text: "false", byDefault: true, set: false, see: (settings) => webOf(settings) !== undefined },
  "web.host": { text: "127.0.0.7", byDefault: "127.0.0.1", set: "127.0.0.7", see: (settings) => webOf(settings)?.host },
  "web.port": { text: "9123", byDefault: 8766, set: 9123, see: (settings) => webOf(settings)?.port },
  "web.token": {
    text: "of-my-own",
    byDefault: 64,
    set: 9,
    see: async (settings) => (await webToken({ ...settings, queue: { ...settings.queue, backend: "memory" } })).length,
  },
  "web.metrics": { text: "open", byDefault: 401, set: 200, see: (settings) => status(settings, "/metrics", {}) },
  "web.trusted_proxies": {
    text: "[10.0.0.1]",
    byDefault: "10.0.0.1",
    set: "203.0.113.7",
    see: async (settings) => {
      const app = new AppFixture(settings);
      await app.upgradeStatus("web", "/neuro", { address: "10.0.0.1", headers: { "x-forwarded-for": "203.0.113.7" } });
      return app.observations.flatMap((
        observation,
      ) => (observation.is === "greeting_refused" ? [observation.address] : []))[0];
    },
  },
  "web.hosts": {
    text: "[studio.example]",
    byDefault: 421,
    set: 200,
    see: (settings) => status(settings, "/health", { host: "studio.example:8766" }),
  },
  "web.neuro_os_page": {
    text: "true",
    byDefault: 404,
    set: 405,
    see: (settings) => status(settings, "/api/relay/inject_message", {}),
  },
};

/** Needed with a foreign name in `web.hosts`. */
const OWN_TOKENS = ["intermediary.auth_token=own", "nakurity-backend.token=own", "brain.token=own"];

test("CF40 every setting of `security` and `web` has a trial", () => {
  const all = ["security", "web"].flatMap((block) => namesIn(block).map((name) => `${block}.${name}`));
  // Why without `web.tls`: a certificate needs its key, so RT90 to RT93 try both together.
  check.equal(Object.keys(LISTENERS).sort(), all.filter((name) => !name.startsWith("web.tls.")).sort());
});

for (const [path, { text, byDefault, set, see }] of Object.entries(LISTENERS)) {
  test(`CF40 ${path} has the effect that the file says`, async () => {
    check.equal(await see(settingsOf(undefined)), byDefault, "by default");
    check.equal(await see(settingsOf({ path, text }, path === "web.hosts" ? OWN_TOKENS : [])), set, text);
  });
}

test("CF40 the token that is set opens the web port's pages", async () => {
  const settings = settingsOf({ path: "intermediary.auth_token", text: "another" });
  const app = new AppFixture(settings);
  check.equal((await app.fetch("web", "/metrics", bearer("another"))).status, 200);
  check.equal((await app.fetch("web", "/metrics", bearer("super-secret-token"))).status, 401);
});
