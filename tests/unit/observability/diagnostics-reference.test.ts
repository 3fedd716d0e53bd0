import { test } from "#runner";
import { readFile } from "node:fs/promises";
import { diagnosticsReference } from "../../../src/observability/diagnostics-reference.ts";
import { check } from "../../harness/check.ts";

test("DI10 `config/DIAGNOSTICS.md` lists each diagnostic with severity, rule and fix, and is up to date", async () => {
  const text = await readFile(new URL("../../../config/DIAGNOSTICS.md", import.meta.url), "utf8");
  check.that(text === diagnosticsReference(), "config/DIAGNOSTICS.md is stale: run `bun run docs`");
});
