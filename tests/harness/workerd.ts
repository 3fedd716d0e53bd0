/** `bun tests/harness/workerd.ts SUITE`: runs a suite in workerd, with the summary and exit status of `bun test`. */
import { globSync } from "node:fs";
import { join } from "node:path";
import { argv, exit } from "node:process";
import { Miniflare } from "miniflare";
import { ROOT } from "./machine.ts";

const RUNNER = join(ROOT, "tests/harness/runner.workerd.ts");
/** Tests use Node's assertions; the relay itself is bundled without anything of Node. */
const FLAGS = ["nodejs_compat"];
const COMPATIBILITY_DATE = "2026-04-20";

/**
 * Answers one request with a module given as source, which may import absolute paths. The class of a Durable Object that it
 * exports is bound as `OBJECT`.
 */
export async function askWorkerd(source: string, className?: string): Promise<string> {
  const entry = join(ROOT, "tests/entry-of-workerd.ts");
  const { outputs } = await Bun.build({
    entrypoints: [entry],
    files: { [entry]: source },
    target: "browser",
    conditions: ["workerd"],
    external: ["node:*", "cloudflare:*"],
    plugins: [{
      name: "runner",
      setup: (build) => void build.onResolve({ filter: /^#runner$/ }, () => ({ path: RUNNER })),
    }],
  });
  const worker = new Miniflare({
    modules: [{ type: "ESModule", path: "worker.js", contents: await outputs[0]?.text() ?? "" }],
    compatibilityDate: COMPATIBILITY_DATE,
    compatibilityFlags: FLAGS,
    ...(className !== undefined && { durableObjects: { OBJECT: { className, useSQLite: true } } }),
    host: "127.0.0.1",
    port: 0,
  });
  try {
    const response = await fetch(await worker.ready);
    return await response.text();
  } finally {
    await worker.dispose();
  }
}

async function main(suite: string): Promise<void> {
  const files = globSync(`tests/${suite}/**/*.test.ts`, { cwd: ROOT }).sort();
  const imports = files.map((file) => `import ${JSON.stringify(join(ROOT, file))};`).join("\n");
  const answer = await askWorkerd(`${imports}
import { runAll } from ${JSON.stringify(RUNNER)};
export default { fetch: async () => Response.json(await runAll()) };`);
  const { passed, failures } = JSON.parse(answer) as Awaited<ReturnType<typeof import("./runner.workerd.ts").runAll>>;
  for (const failure of failures) console.log(`(fail) ${failure}`);
  console.log(`\n ${passed} pass\n ${failures.length} fail`);
  exit(failures.length === 0 && passed > 0 ? 0 : 1);
}

if (import.meta.main) await main(argv[2] ?? "");
