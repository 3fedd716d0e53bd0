/** Writes `config/README.md`: every setting, from the schema. Run by `bun run docs`; a test fails when the file is stale. */
import { BACKENDS } from "./schema/keeping.ts";
import { type Field, PREFIX, type Section, sections } from "./fields.ts";
import { writeAmount } from "./setting.ts";
import { UNBUILT } from "./unbuilt.ts";

const HEAD = `# Settings

*Written from the schema by \`bun run docs\`; changes here are lost.*

Settings come from a YAML file (\`config/relay.yaml\`, or the one named by \`--config\` or \`${PREFIX}CONFIG\`), from the environment
and from the command line. The environment wins over the file, \`--set\` over both:

\`\`\`sh
bun run start --config my.yaml --set intermediary.port=9765
${PREFIX}INTERMEDIARY__AUTH_TOKEN=... bun run start
\`\`\`

- A variable's name is \`${PREFIX}\` and the path in capitals, with \`__\` between levels and \`_\` for \`-\`. Its value is YAML, so a list
  is \`[a, b]\`; a text is taken as it stands.
- Durations are \`250ms\`, \`10s\`, \`5m\`, \`24h\`, \`7d\` or a number of milliseconds; sizes are \`64KiB\`, \`8MiB\`, \`1GiB\` or a number of bytes.
- Relative paths start from the folder of the file that was named, or else from the working directory.
- An unknown name, a wrong type or a bound that contradicts another one is an error with the place of the mistake, and the relay
  does not start. \`neuro-relay check\` says what comes of it all.
- A token, or a URL with a password in it, may stand in a file of its own, as Docker and systemd hand them out:
  \`auth_token: {file: /run/secrets/relay}\`, or \`${PREFIX}INTERMEDIARY__AUTH_TOKEN_FILE=/run/secrets/relay\`. On Workers it is a
  secret variable (\`wrangler secret put ${PREFIX}INTERMEDIARY__AUTH_TOKEN\`).
- What is marked **live** takes effect a moment after the file, or one that a token stands in, is saved, or at once on \`SIGHUP\`; the
  rest after a restart. A file with a mistake changes nothing.
- A token that changes closes who came by the old one (4401). \`intermediary.tokens\` may hold the old one beside the new for a while.
- The configuration of the original relay (\`authentication.yaml\`) loads as it is.
`;

const BRAIN =
  `The variables of the original Brain relay still work: \`RELAY_HOST\`, \`RELAY_PORT\`, \`RELAY_TOKEN\`, \`RELAY_COVENANT\`, \`RELAY_TEST_MODE\`,
\`RELAY_LOG_JSON\`, \`ARTIFACT_RUN_ID\`, \`ARTIFACTS_ROOT\`. \`PORT\` counts only in test mode, or when this is the only room.`;

/** The whole reference. */
export function settingsReference(): string {
  return `${[HEAD.trimEnd(), ...sections.map(sectionText)].join("\n\n")}\n`;
}

function sectionText({ path, says, fields }: Section): string {
  const name = path.join(".");
  const isUnbuilt = UNBUILT.some((part) => part === path[0]);
  const parts = [
    name === "" ? "## At the top" : `## ${name}`,
    ...(says === "" ? [] : [says]),
    ...(isUnbuilt ? ["**Not part of this build yet**: it can be configured, and that is all."] : []),
    table(["setting and variable", "type", "default", "takes effect", "meaning"], fields.map(row)),
    ...(name === "queue" ? [backends()] : []),
    ...(name === "brain" ? [BRAIN] : []),
  ];
  return parts.join("\n\n");
}

const row = (field: Field): readonly string[] => [
  `\`${field.path.at(-1)}\`<br>\`${field.variable}\``,
  field.type,
  fallback(field),
  field.restart ? "restart" : "**live**",
  (UNBUILT.includes(field.path.join(".")) ? "*Not part of this build yet.* " : "") + field.says +
  (field.most === undefined ? "" : ` At most ${writeAmount(field.kind, field.most)}.`),
];

function fallback(field: Field): string {
  const { fallback: value } = field;
  if (value === undefined) return "";
  if (typeof value === "number") return `\`${writeAmount(field.kind, value)}\``;
  return `\`${JSON.stringify(value)}\``;
}

const backends = (): string =>
  table(
    ["backend", "what it is", "what it survives"],
    Object.entries(BACKENDS).map(([name, { says, survives }]) => [`\`${name}\``, says, survives]),
  ) + "\n\nWhat each takes of the speed of the bare backend stands in [tests/README.md](../tests/README.md#what-it-costs).";

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

if (import.meta.main) {
  const { writeFile } = await import("node:fs/promises");
  await writeFile(new URL("../../config/README.md", import.meta.url), settingsReference());
}
