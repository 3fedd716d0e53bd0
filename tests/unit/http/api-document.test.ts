/** The OpenAPI document and the reference page. */
import { test } from "#runner";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Validator } from "@seriousme/openapi-schema-validator";
import { isObject, type JsonObject } from "../../../src/core/json.ts";
import { OPERATIONS } from "../../../src/http/api/operations.ts";
import { check } from "../../harness/check.ts";
import { ROOT } from "../../harness/machine.ts";
import { AppFixture } from "./app-fixture.ts";

async function documentOf(app: AppFixture, path = "/api/openapi.json"): Promise<JsonObject> {
  const response = await app.fetch("web", path);
  check.equal([response.status, response.headers.get("content-type")], [200, "application/json"]);
  const document: unknown = await response.json();
  check.that(isObject(document));
  return document;
}

test("AP20 the document is valid OpenAPI 3.1 and contains every operation with its scope", async () => {
  const document = await documentOf(new AppFixture());
  check.equal(await new Validator().validate(structuredClone(document)), { valid: true });
  check.match(String(document.openapi), /^3\.1\./);
  const found: string[] = [];
  for (const [path, methods] of Object.entries(isObject(document.paths) ? document.paths : {})) {
    for (const [method, operation] of Object.entries(isObject(methods) ? methods : {})) {
      check.that(isObject(operation));
      const own = OPERATIONS.find(({ id }) => id === operation.operationId);
      check.equal([own?.path, own?.method], [path, method.toUpperCase()]);
      check.equal(operation.security, [{ token: [...own?.scopes ?? []] }]);
      found.push(String(operation.operationId));
    }
  }
  check.equal(found.sort(), OPERATIONS.map(({ id }) => id).sort());
});

test("AP20 every reference in the document resolves, and every schema is referenced", async () => {
  const document = await documentOf(new AppFixture());
  const text = JSON.stringify(document);
  const referred = new Set([...text.matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name));
  check.that(isObject(document.components) && isObject(document.components.schemas));
  check.equal([...referred].sort(), Object.keys(document.components.schemas).sort());
  check.equal([...text.matchAll(/"\$ref":"(?!#\/components\/schemas\/)/g)].length, 0);
});

test("AP21 the reference is one page generated from the operations; it loads nothing and runs no script", async () => {
  const app = new AppFixture();
  for (const path of ["/api", "/api/"]) {
    const response = await app.fetch("web", path);
    check.equal([response.status, response.headers.get("content-type")], [200, "text/html; charset=utf-8"]);
    const text = await response.text();
    for (const { id, path, summary } of OPERATIONS) {
      check.that(text.includes(`id="${id}"`) && text.includes(path), id);
      check.that(text.includes(summary.split(/['`&<>]/)[0] ?? ""), summary);
    }
    for (const [, name = ""] of text.matchAll(/href="#([^"]+)"/g)) check.that(text.includes(`id="${name}"`), name);
    check.equal([...text.matchAll(/<script|\son\w+=|<img|<link|javascript:|https?:\/\//g)].map(String), []);
    const policy = response.headers.get("content-security-policy") ?? "";
    check.match(policy, /^default-src 'none'; style-src 'sha256-[^']{44}'; base-uri 'none'/);
    const style = /<style>([^]*)<\/style>/.exec(text)?.[1] ?? "";
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(style));
    check.that(policy.includes(`'sha256-${Buffer.from(digest).toString("base64")}'`));
    check.equal(response.headers.get("referrer-policy"), "no-referrer");
  }
});

test("AP21 document and reference are on the web port only, and only for accepted hosts and origins", async () => {
  const app = new AppFixture();
  for (const path of ["/api", "/api/openapi.json"]) {
    check.that((await app.fetch("intermediary", path)).status === 426);
    check.equal((await app.fetch("web", path, { headers: { host: "evil.example" } })).status, 421);
    check.equal((await app.fetch("web", path, { headers: { origin: "https://evil.example" } })).status, 403);
  }
});

test("AP22 no module of the API is loaded before the first request to it", () => {
  const files = globSync("src/**/*.ts", { cwd: ROOT }).filter((file) => !file.startsWith("src/http/api/"));
  const mentions = files.flatMap((file) => {
    const text = readFileSync(join(ROOT, file), "utf8");
    return [...text.matchAll(/(import\(|from )"[^"]*\/api\/(\w+)\.ts"/g)].map(([, how, name]) => `${file}: ${how}${name}`);
  });
  check.equal(mentions, ["src/http/app.ts: import(mod"]);
});
