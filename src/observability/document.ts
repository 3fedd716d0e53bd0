/** Writes `config/METRICS.md`: every metric, from `meters.ts`. Run by `bun run docs`; a test fails when the file is stale. */
import { createMeters } from "./meters.ts";

const HEAD = `# Metrics

*Written from the source by \`bun run docs\`; changes here are lost.*

\`GET /metrics\` on the web port, in the text format of Prometheus. It is for whoever has the scope \`watch\`, or for everybody with
\`web.metrics: open\`. Sizes are bytes, times are seconds. Labels have values of the relay's own, or of the settings; those of
integrations are bounded by \`limits.metric_integrations\`, and all further ones are counted together as \`other\`.

Counters begin at 0 when the relay starts; on Cloudflare Workers it does so each time it wakes. A scrape wakes it, too.
`;

/** The whole table. */
export function metricsReference(): string {
  const rows = createMeters().all.describe().map(({ name, kind, labels, help }) =>
    `| \`${name}\` | ${kind} | ${labels.map((label) => `\`${label}\``).join(" ")} | ${help} |`
  );
  return [HEAD, "| metric | type | labels | meaning |", "| --- | --- | --- | --- |", ...rows, ""].join("\n");
}

if (import.meta.main) {
  const { writeFile } = await import("node:fs/promises");
  await writeFile(new URL("../../config/METRICS.md", import.meta.url), metricsReference());
}
