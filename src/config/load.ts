/**
 * Combines file, environment and flags, in this order, into the settings that the relay runs with.
 *
 * Does no I/O: the caller passes the file's text and the environment. Every error is one line with the place, the setting and what was
 * expected.
 */
import type { z } from "zod/mini";
import { DEFAULTS } from "../core/defaults.ts";
import type { ListenerSettings, Settings } from "../core/settings.ts";
import { type ConfigTree, isTree, putAt, valueAt } from "./config-tree.ts";
import { namesAt } from "./fields.ts";
import {
  type EnvironmentVariables,
  fromEnvironment,
  fromFlags,
  fromOriginalBrainEnvironment,
  type Override,
} from "./overrides.ts";
import { keyValueBackend, type Platform, platformIssues, platformWarnings } from "./platform.ts";
import { type SettingIssue, settingIssues, warningsOf } from "./rules.ts";
import { schema } from "./schema.ts";
import { type ReadSecret, readSecretFiles } from "./secret-files.ts";
import { suggest } from "./suggest.ts";
import { type ConfigFile, type ParsedFile, parseFile } from "./yaml-file.ts";

export interface SettingSources {
  readonly file?: ConfigFile;
  readonly environment?: EnvironmentVariables;
  /** Each `path=value`, as given with `--set`. */
  readonly sets?: readonly string[];
  /** The folder that relative paths start from. Without it they stay as they are. */
  readonly folder?: string;
  /** The folder of the queue if no source gives its path. Without it, the default path is relative. */
  readonly dataFolder?: string;
  /** The runtime of the relay; undefined if any may run it. */
  readonly platform?: Platform;
  /** Reads a file that contains a secret; undefined on platforms without files. */
  readonly readSecret?: ReadSecret;
}

export type ConfigResult =
  | { readonly ok: true; readonly settings: Settings; readonly warnings: readonly string[] }
  | { readonly ok: false; readonly errors: readonly string[] };

/** The settings, or everything that is wrong with the sources. */
export function load(sources: SettingSources): ConfigResult {
  const { file, environment = {}, sets = [], folder = "", dataFolder, platform, readSecret: read } = sources;
  const parsedFile = parseFile(file ?? { name: "", text: "" });
  const layers = [fromEnvironment(environment), fromFlags(sets)];
  const syntaxErrors = [...parsedFile.errors, ...layers.flatMap(({ errors }) => errors)];
  if (syntaxErrors.length > 0) return { ok: false, errors: syntaxErrors };

  const tree = structuredClone(parsedFile.tree);
  const overrides = layers.flatMap((layer) => layer.overrides);
  for (const { path, value } of overrides) putAt(tree, path, value);
  const original = fromOriginalBrainEnvironment(environment, isOnlyBrainEnabled(tree))
    .filter((one) => !overrides.some((other) => haveSamePath(one, other)));
  for (const { path, value } of original) putAt(tree, path, value);
  applyRelayQueue(tree);
  if (dataFolder !== undefined) placeData(tree, dataFolder);
  const givenBackend = valueAt(tree, ["queue", "backend"]);
  if (givenBackend === "kv") putAt(tree, ["queue", "backend"], keyValueBackend(platform));

  const origins = { file: parsedFile, tree, overrides: [...original, ...overrides] };
  const unreadable = readSecretFiles(tree, { read, resolvePath: (path) => resolvePath(path, folder) });
  if (unreadable.length > 0) return { ok: false, errors: located(unreadable, origins) };
  const parsed = schema.safeParse(tree);
  if (!parsed.success) return { ok: false, errors: parsed.error.issues.flatMap((issue) => describe(issue, origins)) };
  const issues = [...settingIssues(parsed.data), ...platformIssues(parsed.data, platform)];
  if (issues.length > 0) return { ok: false, errors: located(issues, origins) };
  const warnings = [...warningsOf(parsed.data, tree), ...platformWarnings(givenBackend, platform)];
  return { ok: true, settings: withAbsolutePaths(parsed.data, folder), warnings };
}

/** An error whose setting is not written has the place of the one that makes it an error. */
const located = (issues: readonly SettingIssue[], origins: SettingOrigins): readonly string[] =>
  issues.map(({ path, message, because = path }) => {
    const isElsewhere = !isWritten(path, origins) && isWritten(because, origins);
    const origin = isElsewhere
      ? `${placeOf(because, origins).place} ${path.map(String).join(".")}`
      : originOf(path, origins);
    return `${origin}: ${message}`;
  });

const isWritten = (path: readonly PropertyKey[], { tree }: SettingOrigins): boolean => valueAt(tree, path) !== undefined;

const haveSamePath = (one: Override, other: Override): boolean => one.path.join(".") === other.path.join(".");

const isOnlyBrainEnabled = (tree: ConfigTree): boolean =>
  ["intermediary", "nakurity-backend", "web"].every((block) => valueAt(tree, [block, "enabled"]) === false);

/** The original relay configures its queue as `intermediary.relay_queue`, with the name of a pickle file. */
function applyRelayQueue(tree: ConfigTree): void {
  const place = valueAt(tree, ["intermediary", "relay_queue"]);
  if (typeof place !== "string" || place === "" || valueAt(tree, ["queue", "path"]) !== undefined) return;
  if (tree.queue === undefined || isTree(tree.queue)) putAt(tree, ["queue", "path"], place.replace(/\.pkl$/i, ""));
}

/** The uploads are beside the queue, and the queue is in the folder for data, unless their paths are given. */
function placeData(tree: ConfigTree, folder: string): void {
  const place = (block: "queue" | "uploads", below: string): void => {
    const isBlock = tree[block] === undefined || isTree(tree[block]);
    if (isBlock && valueAt(tree, [block, "path"]) === undefined) putAt(tree, [block, "path"], below + DEFAULTS[block].path);
  };
  place("queue", `${folder}/`);
  place("uploads", String(valueAt(tree, ["queue", "path"])).replace(/[^/\\]*[/\\]*$/, ""));
}

/** Everything that the value of a setting can have come from. */
interface SettingOrigins {
  readonly file: ParsedFile;
  readonly tree: ConfigTree;
  readonly overrides: readonly Override[];
}

function describe(issue: z.core.$ZodIssue, origins: SettingOrigins): readonly string[] {
  if (issue.code !== "unrecognized_keys") return [`${originOf(issue.path, origins)}: ${issue.message}`];
  const known = namesAt(issue.path);
  return issue.keys.map((name) =>
    `${originOf([...issue.path, name], origins)}: unknown setting; did you mean ${suggest(name, known)}?`
  );
}

/** `config/relay.yaml:12:3 intermediary.port`, `NEURO_RELAY_INTERMEDIARY__PORT` or `--set intermediary.port`. */
function originOf(path: readonly PropertyKey[], origins: SettingOrigins): string {
  const { place, rest } = placeOf(path, origins);
  return `${place} ${rest}`.trim();
}

/** Where a setting is written, and the part of its key that this does not name. */
function placeOf(path: readonly PropertyKey[], { file, tree, overrides }: SettingOrigins): { place: string; rest: string } {
  // Why: the schema turned a single upstream into a list, but the file does not have a list.
  const isSingle = path[0] === "nakurity-clients" && tree["nakurity-client"] !== undefined;
  const written = isSingle ? ["nakurity-client", ...path.slice(2)] : path;
  const override = overrides.findLast((one) => one.path.every((name, at) => written[at] === name));
  const rest = written.slice(override?.path.length ?? 0).map(String).join(".");
  return { place: override?.origin ?? file.locate(written), rest };
}

function withAbsolutePaths(settings: Settings, folder: string): Settings {
  const absolute = (path: string): string => resolvePath(path, folder);
  const { queue, uploads, brain, log, record } = settings;
  const listener = <Block extends ListenerSettings>(block: Block): Block => ({
    ...block,
    tls: { cert: absolute(block.tls.cert), key: absolute(block.tls.key) },
  });
  return {
    ...settings,
    intermediary: listener(settings.intermediary),
    "nakurity-backend": listener(settings["nakurity-backend"]),
    "intercept-proxy": listener(settings["intercept-proxy"]),
    web: listener(settings.web),
    queue: { ...queue, path: absolute(queue.path) },
    uploads: { ...uploads, path: absolute(uploads.path) },
    brain: { ...listener(brain), artifacts_root: absolute(brain.artifacts_root) },
    log: { ...log, file: absolute(log.file) },
    record: { ...record, file: absolute(record.file) },
  };
}

/** The path below the folder. An empty or absolute path stays as it is. */
const resolvePath = (path: string, folder: string): string =>
  folder === "" || path === "" || isAbsolute(path) ? path : `${folder}/${path}`;

const isAbsolute = (path: string): boolean => /^([/\\]|[A-Za-z]:)/.test(path);
