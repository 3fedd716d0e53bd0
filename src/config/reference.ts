/** Writes `config/README.md`, the settings reference, from the schema. Run by `bun run docs`; a test fails if the file is stale. */
import { type Field, policySettings, PREFIX, type Section, sections } from "./fields.ts";
import { QUEUE_BACKENDS } from "./schema/storage.ts";
import { formatQuantity } from "./setting.ts";

const HEAD = `# Settings

*Generated from the schema by \`bun run docs\`. Do not edit.*

Settings come from a YAML file (\`config/relay.yaml\`, or the file given by \`--config\` or \`${PREFIX}CONFIG\`), from environment
variables and from \`--set\` flags. Environment variables override the file, and \`--set\` overrides both:

\`\`\`sh
bun run start --config my.yaml --set intermediary.port=9765
${PREFIX}INTERMEDIARY__AUTH_TOKEN=... bun run start
\`\`\`

- The name of a variable is \`${PREFIX}\` and the path in upper case, with \`__\` between levels and \`_\` for \`-\`. Its value is YAML, so a
  list is \`[a, b]\`. Text is taken literally.
- A duration is \`250ms\`, \`10s\`, \`5m\`, \`24h\`, \`7d\` or a number of milliseconds. A size is \`64KiB\`, \`8MiB\`, \`1GiB\` or a number of bytes.
- Relative paths start from the folder of the file given by \`--config\`, or from the working directory without one.
- An unknown name, a wrong type or a contradiction between two limits is an error: the relay prints the place of the mistake and does
  not start. \`neuro-relay check\` prints the resulting settings.
- A token, or a URL that contains a password, can be kept in a file of its own, as Docker and systemd provide it:
  \`auth_token: {file: /run/secrets/relay}\`, or \`${PREFIX}INTERMEDIARY__AUTH_TOKEN_FILE=/run/secrets/relay\`. On Workers use a
  secret variable (\`wrangler secret put ${PREFIX}INTERMEDIARY__AUTH_TOKEN\`).
- A setting marked **live** takes effect within a few seconds after the file, or a file with a token, is saved, and at once on \`SIGHUP\`.
  Other settings take effect after a restart. A file with a mistake changes nothing.
- Changing a token closes the connections that used the old one (4401). To avoid that, list the old token in \`intermediary.tokens\` for
  a while.
- The configuration of the original relay (\`authentication.yaml\`) works unchanged.
`;

const BRAIN =
  `The environment variables of the original Brain relay still work: \`RELAY_HOST\`, \`RELAY_PORT\`, \`RELAY_TOKEN\`, \`RELAY_COVENANT\`,
\`RELAY_TEST_MODE\`, \`RELAY_LOG_JSON\`, \`ARTIFACT_RUN_ID\`, \`ARTIFACTS_ROOT\`. \`PORT\` counts only in test mode, or if the Brain is the only service.`;

const POLICIES = `## Policies

\`integrations\` is a list of policies. All of them are live. For each setting the first policy applies that matches the name of the
integration and has the setting, so special policies come before general ones:

\`\`\`yaml
integrations:
  - match: "Chess*"
    deny: ["resign"]
  - match: "*"
    actions_max: 50
    grace: 30s
\`\`\``;

/** The whole reference. */
export function settingsReference(): string {
  return `${[HEAD.trimEnd(), ...sections().map(sectionText), POLICIES, policyTable()].join("\n\n")}\n`;
}

function sectionText({ path, description, fields }: Section): string {
  const name = path.join(".");
  const parts = [
    name === "" ? "## Top level" : `## ${name}`,
    ...(description === "" ? [] : [description]),
    table(["setting and variable", "type", "default", "takes effect", "meaning"], fields.map(settingRow)),
    ...(name === "queue" ? [backendTable()] : []),
    ...(name === "brain" ? [BRAIN] : []),
  ];
  return parts.join("\n\n");
}

const settingRow = (field: Field): readonly string[] => [
  `\`${field.path.at(-1)}\`<br>\`${field.variable}\``,
  field.type,
  defaultText(field),
  field.restart ? "restart" : "**live**",
  meaningOf(field),
];

const meaningOf = ({ description, kind, max }: Field): string =>
  description + (max === undefined ? "" : ` At most ${formatQuantity(kind, max)}.`);

function defaultText({ defaultValue: value, kind }: Field): string {
  if (value === undefined) return "";
  return `\`${typeof value === "number" ? formatQuantity(kind, value) : JSON.stringify(value)}\``;
}

const backendTable = (): string =>
  table(
    ["backend", "description", "durability"],
    Object.entries(QUEUE_BACKENDS).map(([name, { description, durability }]) => [`\`${name}\``, description, durability]),
  ) + "\n\nHow fast the relay is on each backend: [tests/README.md](../tests/README.md#what-it-costs).";

const policyTable = (): string =>
  table(
    ["setting", "type", "meaning"],
    policySettings().map((field) => [`\`${field.path.at(-1)}\``, field.type, meaningOf(field)]),
  );

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

if (import.meta.main) {
  const { writeFile } = await import("node:fs/promises");
  await writeFile(new URL("../../config/README.md", import.meta.url), settingsReference());
}
