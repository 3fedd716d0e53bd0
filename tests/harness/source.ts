/** The project's own source as the tests of its architecture read it: files, their imports, and text without comments. */
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";

export interface Import {
  /** As written in the import. */
  readonly specifier: string;
  /** The path of the imported file from the root; undefined for a package. */
  readonly file: string | undefined;
  readonly isTypeOnly: boolean;
}

export interface Source {
  /** From the root, with `/`. */
  readonly path: string;
  readonly text: string;
  /** The text without comments and without the contents of strings. */
  readonly code: string;
  readonly imports: readonly Import[];
}

/** The module of `src/` that a file is in: its folder, or its service. A file outside `src/` is its own module. */
export function moduleOf(path: string): string {
  const [, folder = "", inner = ""] = path.split("/");
  if (!path.startsWith("src/")) return path;
  return folder === "services" ? inner : folder;
}

/** Reads the files below a root that match the patterns. */
export function readSources(root: string, ...patterns: readonly string[]): readonly Source[] {
  const paths = patterns.flatMap((pattern) => globSync(pattern, { cwd: root })).map((path) => path.replaceAll("\\", "/"))
    .filter((path) => !path.includes("node_modules/"));
  return [...new Set(paths)].sort().filter((path) => existsSync(join(root, path))).map((path) => {
    const text = readFileSync(join(root, path), "utf8");
    return { path, text, code: codeOf(text), imports: importsOf(path, text) };
  });
}

const IMPORT = /^(?:import|export)\s+(type\s)?([^"';]*?\sfrom\s+)?["']([^"']+)["']/gm;
const DYNAMIC_IMPORT = /\bimport\(\s*["']([^"']+)["']\s*\)/g;

function importsOf(path: string, text: string): readonly Import[] {
  const resolve = (specifier: string): string | undefined =>
    specifier.startsWith(".") ? posix.join(dirname(path), specifier) : undefined;
  const found: Import[] = [];
  const plain = withoutComments(text);
  for (const [, type, names = "", specifier = ""] of plain.matchAll(IMPORT)) {
    const isTypeOnly = type !== undefined || isAllTypes(names);
    found.push({ specifier, file: resolve(specifier), isTypeOnly });
  }
  for (const [, specifier = ""] of plain.matchAll(DYNAMIC_IMPORT)) {
    found.push({ specifier, file: resolve(specifier), isTypeOnly: false });
  }
  return found;
}

/** `{ type A, type B } from`: the import does not exist at run time. */
function isAllTypes(names: string): boolean {
  const inner = /\{([^}]*)\}/.exec(names)?.[1];
  if (inner === undefined) return false;
  const listed = inner.split(",").map((name) => name.trim()).filter((name) => name !== "");
  return listed.length > 0 && listed.every((name) => name.startsWith("type "));
}

/** Comments, strings, templates and regular expressions, in the order in which they are matched. */
const PIECES =
  /\/\*[\s\S]*?\*\/|\/\/[^\n]*|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\[\s\S])*`|(?<=[(,=:[!&|?{};\n]\s*)\/(?![*/])(?:[^/\\\n[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/g;

const isComment = (piece: string): boolean => piece.startsWith("//") || piece.startsWith("/*");
const withoutComments = (text: string): string => text.replace(PIECES, (piece) => (isComment(piece) ? " " : piece));
const codeOf = (text: string): string => text.replace(PIECES, (piece) => (isComment(piece) ? " " : '""'));
