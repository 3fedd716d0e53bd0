/**
 * From what somebody wrote to the settings that the relay runs with: file, then environment, then flags.
 *
 * Reads nothing and waits for nothing: whoever starts the relay hands in the file's text and the environment. Every error is one
 * line that says where, which setting, and what was expected.
 */
import type { z } from "zod";
import type { Settings } from "../core/settings.ts";
import { fromBrainEnvironment } from "./brain-environment.ts";
import { namesAt } from "./fields.ts";
import { type File, type ReadFile, readFile } from "./file.ts";
import { nearest } from "./nearest.ts";
import { type Environment, fromEnvironment, fromFlags, type Override } from "./overrides.ts";
import { type Breach, breaches } from "./rules.ts";
import { schema } from "./schema.ts";
import { fillIn, type ReadSecret } from "./secrets.ts";
import { isTree, putAt, type Tree, valueAt } from "./tree.ts";
import { warningsOf } from "./warnings.ts";

export interface Sources {
  readonly file?: File;
  readonly environment?: Environment;
  /** `path=value`, as given with `--set`. */
  readonly sets?: readonly string[];
  /** What relative paths start from; left out, they stay as they are. */
  readonly folder?: string;
  /** Reads a file that a secret stands in; left out where there are none. */
  readonly readSecret?: ReadSecret;
}

export type Loaded =
  | { readonly ok: true; readonly settings: Settings; readonly warnings: readonly string[] }
  | { readonly ok: false; readonly errors: readonly string[] };

/** The settings that the sources say, or everything that is wrong with them. */
export function load({ file: given, environment = {}, sets = [], folder = "", readSecret: read }: Sources): Loaded {
  const file = readFile(given ?? { name: "", text: "" });
  const layers = [fromEnvironment(environment), fromFlags(sets)];
  const unreadable = [...file.errors, ...layers.flatMap(({ errors }) => errors)];
  if (unreadable.length > 0) return { ok: false, errors: unreadable };

  const tree = structuredClone(file.tree);
  const overrides = layers.flatMap((layer) => layer.overrides);
  for (const { path, value } of overrides) putAt(tree, path, value);
  const old = fromBrainEnvironment(environment, isBrainAlone(tree)).filter((one) =>
    !overrides.some((two) => isSame(one, two))
  );
  for (const { path, value } of old) putAt(tree, path, value);
  placeQueue(tree);

  const origins = { file, tree, overrides: [...old, ...overrides] };
  const unread = fillIn(tree, { read, placed: (name) => placed(name, folder) });
  if (unread.length > 0) return { ok: false, errors: sayWhere(unread, origins) };
  const parsed = schema.safeParse(tree);
  if (!parsed.success) return { ok: false, errors: parsed.error.issues.flatMap((issue) => describe(issue, origins)) };
  const broken = breaches(parsed.data);
  if (broken.length > 0) return { ok: false, errors: sayWhere(broken, origins) };
  return { ok: true, settings: resolved(parsed.data, folder), warnings: warningsOf(parsed.data, tree) };
}

const sayWhere = (wrong: readonly Breach[], origins: Origins): readonly string[] =>
  wrong.map(({ path, message }) => `${placeOf(path, origins)}: ${message}`);

const isSame = (one: Override, two: Override): boolean => one.path.join(".") === two.path.join(".");

const isBrainAlone = (tree: Tree): boolean =>
  ["intermediary", "nakurity-backend", "web"].every((room) => valueAt(tree, [room, "enabled"]) === false);

/** The original relay names its queue in the Intermediary's block, by the name of a pickle file. */
function placeQueue(tree: Tree): void {
  const place = valueAt(tree, ["intermediary", "relay_queue"]);
  if (typeof place !== "string" || place === "" || valueAt(tree, ["queue", "path"]) !== undefined) return;
  if (tree.queue === undefined || isTree(tree.queue)) putAt(tree, ["queue", "path"], place.replace(/\.pkl$/i, ""));
}

/** Where the value of a setting may have come from. */
interface Origins {
  readonly file: ReadFile;
  readonly tree: Tree;
  readonly overrides: readonly Override[];
}

function describe(issue: z.core.$ZodIssue, origins: Origins): readonly string[] {
  if (issue.code !== "unrecognized_keys") return [`${placeOf(issue.path, origins)}: ${issue.message}`];
  const known = namesAt(issue.path);
  return issue.keys.map((name) =>
    `${placeOf([...issue.path, name], origins)}: unknown setting; the nearest known one is ${nearest(name, known)}`
  );
}

/** `config/relay.yaml:12:3 intermediary.port`, `NEURO_RELAY_INTERMEDIARY__PORT` or `--set intermediary.port`. */
function placeOf(path: readonly PropertyKey[], { file, tree, overrides }: Origins): string {
  // Why: the schema has made a list of the one upstream; whoever wrote it did not.
  const isSingle = path[0] === "nakurity-clients" && tree["nakurity-client"] !== undefined;
  const written = isSingle ? ["nakurity-client", ...path.slice(2)] : path;
  const override = overrides.findLast((one) => one.path.every((name, at) => written[at] === name));
  const rest = written.slice(override?.path.length ?? 0).map(String).join(".");
  if (override !== undefined) return rest === "" ? override.origin : `${override.origin} ${rest}`;
  return `${file.locate(written)} ${written.map(String).join(".")}`.trim();
}

/** The same settings with the paths in them made absolute, as far as the folder is. */
function resolved(settings: Settings, folder: string): Settings {
  const from = (path: string): string => placed(path, folder);
  const { queue, uploads, brain, log, record } = settings;
  return {
    ...settings,
    queue: { ...queue, path: from(queue.path) },
    uploads: { ...uploads, path: from(uploads.path) },
    brain: { ...brain, artifacts_root: from(brain.artifacts_root) },
    log: { ...log, file: from(log.file) },
    record: { ...record, file: from(record.file) },
  };
}

const placed = (path: string, folder: string): string =>
  folder === "" || path === "" || isAbsolute(path) ? path : `${folder}/${path}`;

const isAbsolute = (path: string): boolean => /^([/\\]|[A-Za-z]:)/.test(path);
