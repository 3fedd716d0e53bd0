/** The dashboard's page as it is served: complete, small, and restricted by its content security policy. */
import { test } from "#runner";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { check } from "../../harness/check.ts";
import { ROOT } from "../../harness/machine.ts";
import { buildPage } from "../../harness/page.ts";
import { readSources } from "../../harness/source.ts";
import { AppFixture } from "./app-fixture.ts";

const committed = readFileSync(join(ROOT, "src/dashboard/dashboard.html"), "utf8");
const GZIPPED_BYTES_MAX = 100_000;

test("DB1 the page is one small file at the root of the web port", async () => {
  const app = new AppFixture();
  const plain = await app.fetch("web", "/");
  check.equal([plain.status, plain.headers.get("content-type")], [200, "text/html; charset=utf-8"]);
  check.equal(await plain.text(), committed);
  const gzipped = await app.fetch("web", "/", { headers: { "accept-encoding": "br, gzip" } });
  const bytes = new Uint8Array(await gzipped.arrayBuffer());
  check.equal(gzipped.headers.get("content-encoding"), "gzip");
  check.equal(new TextDecoder().decode(Bun.gunzipSync(bytes)), committed);
  check.that(bytes.length < GZIPPED_BYTES_MAX, `${bytes.length} bytes`);
  const refused = await app.fetch("web", "/", { headers: { "accept-encoding": "gzip;q=0" } });
  check.equal(refused.headers.get("content-encoding"), null);
  const etag = plain.headers.get("etag") ?? "";
  check.equal((await app.fetch("web", "/", { headers: { "if-none-match": etag } })).status, 304);
  check.equal((await app.fetch("neuro", "/")).status, 426);
});

test("DB1 the page may run only its own script and connect only to its own relay", async () => {
  const { headers } = await new AppFixture().fetch("web", "/");
  const policy = new Map(
    (headers.get("content-security-policy") ?? "").split("; ").map((rule) => {
      const [name = "", ...values] = rule.split(" ");
      return [name, values.join(" ")];
    }),
  );
  const hash = (text: string | undefined) =>
    `'sha256-${new Bun.CryptoHasher("sha256").update(text ?? "").digest("base64")}'`;
  check.equal(policy.get("default-src"), "'none'");
  check.equal(policy.get("script-src"), hash(/<script type="module">([^]*)<\/script>/.exec(committed)?.[1]));
  check.equal(policy.get("style-src"), hash(/<style>([^]*)<\/style>/.exec(committed)?.[1]));
  check.equal([policy.get("connect-src"), policy.get("img-src")], ["'self'", "data:"]);
  check.equal(policy.get("frame-ancestors"), "'none'");
  check.equal(policy.get("require-trusted-types-for"), "'script'");
  check.equal([headers.get("x-content-type-options"), headers.get("referrer-policy")], ["nosniff", "no-referrer"]);
  check.equal(/(?:src|href)\s*=\s*["']?https?:/.test(committed), false);
});

test("DB1 no source file of the page makes markup of text", () => {
  const sources = readSources(ROOT, "src/dashboard/**/*.ts", "src/dashboard/**/*.tsx");
  check.that(sources.length > 20);
  const sinks =
    /innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment|\beval\b|new Function|javascript:/;
  check.equal(sources.filter(({ code }) => sinks.test(code)).map(({ path }) => path), []);
});

test("DB2 the committed page equals a build of its sources", async () => {
  check.that(await buildPage() === committed, "run `bun run build:page` and commit the result");
});
