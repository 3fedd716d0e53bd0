import { test } from "#runner";
import { DEFAULTS } from "../../../src/core/defaults.ts";
import { key } from "../../../src/core/key.ts";
import type { QueueBackend } from "../../../src/core/settings.ts";
import { openStore } from "../../../src/storage/open-store.ts";
import { check } from "../../harness/check.ts";
import { fs } from "./backends.ts";

const opening = (backend: QueueBackend, more: { path?: string; url?: string } = {}) =>
  openStore({ ...DEFAULTS.queue, backend, ...more }, { onQuarantine: () => {} });

test("ST18 a backend that cannot be opened reports why", async () => {
  await check.rejects(opening("durable-object"), /Cloudflare Workers only; use fs or sqlite/);
  await check.rejects(
    opening("redis", { url: "redis://someone:secret@127.0.0.1:1" }),
    /no Redis at redis:\/\/127\.0\.0\.1:1: .*ECONNREFUSED/,
  );
  await check.rejects(opening("fs", { path: "/dev/null/queue" }), /cannot write to \/dev\/null\/queue/);
  const fixture = await fs.make();
  await check.rejects(opening("deno-kv", { path: fixture.settings.path }), /needs Deno with --unstable-kv/);
  await (await fixture.open()).close(); // Why: the failed attempt must have released the folder.
  await fixture.clear();
});

test("BR61b a write to memory settles after the current turn of the event loop, so that services gather what they write", async () => {
  const store = await opening("memory");
  let settled = 0;
  for (const name of ["a", "b"]) void store.put(key("brain", "log", name), { v: 1 }).then(() => settled++);
  for (let count = 0; count < 100; count++) await Promise.resolve();
  check.equal(settled, 0);
  await store.put(key("brain", "log", "c"), { v: 1 });
  check.equal(settled, 2);
  check.equal((await store.read([key("brain", "log", "a")]))[0]?.value, { v: 1 });
  await store.close();
});
