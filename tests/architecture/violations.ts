/** Finds violations of the import rules. Apart from the tests, so that the checks can be tried on sources with violations. */
import { type Import, moduleOf, type Source } from "../harness/source.ts";
import { ENTRY_FILES, IMPORT_RULES, RUNTIME_FILES, SIZES } from "./rules.ts";

/** The imports that a file may not have, one line each. */
export function importViolations(sources: readonly Source[]): readonly string[] {
  return sources.flatMap((source) =>
    source.imports.flatMap((wanted) => {
      const why = violation(source.path, wanted);
      return why === undefined ? [] : [`${source.path} imports ${wanted.specifier}: ${why}`];
    })
  );
}

function violation(path: string, { specifier, file }: Import): string | undefined {
  const rule = IMPORT_RULES[moduleOf(path)];
  if (rule === undefined) return "its folder has no import rule";
  if (file === undefined) return allowsPackage(path, specifier) ? undefined : "a package that it may not use";
  if (!/\.(?:ts|tsx|json|html|txt|css|js)$/.test(file)) return "a path without an extension";
  const module = moduleOf(file);
  if (module === moduleOf(path) || module === "package.json") return undefined;
  if (!rule.may.includes(module)) return `${moduleOf(path)} may not import ${module}`;
  const entryFiles = ENTRY_FILES[module] ?? /^mod\.ts$/;
  return entryFiles.test(file.replace(/^src\/(?:services\/)?[^/]+\//, ""))
    ? undefined
    : `${module} may not be imported through this file`;
}

function allowsPackage(path: string, specifier: string): boolean {
  const rule = IMPORT_RULES[moduleOf(path)];
  return [...rule?.packages ?? [], ...rule?.packagesOf?.[path] ?? []].some((allowed) =>
    allowed.endsWith("*") ? specifier.startsWith(allowed.slice(0, -1)) : specifier === allowed
  );
}

/** A cycle of imports of values, or undefined if there is none. Such files depend on the order in which they are loaded. */
export function cycle(sources: readonly Source[]): readonly string[] | undefined {
  return findCycle(sources, ({ isTypeOnly }) => !isTypeOnly);
}

/** A cycle of imports, of types or values, or undefined if there is none. Inside `core`, types may form cycles. */
export function typeCycle(sources: readonly Source[]): readonly string[] | undefined {
  const isInCore = (path: string): boolean => moduleOf(path) === "core";
  return findCycle(sources, ({ file = "", isTypeOnly }, path) => !(isTypeOnly && isInCore(path) && isInCore(file)));
}

function findCycle(
  sources: readonly Source[],
  counts: (wanted: Import, path: string) => boolean,
): readonly string[] | undefined {
  const graph = new Map(sources.map(({ path, imports }) => [path, imports.filter((wanted) => counts(wanted, path))]));
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): readonly string[] | undefined => {
    if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path];
    if (done.has(path)) return undefined;
    for (const { file } of graph.get(path) ?? []) {
      const found = file === undefined ? undefined : visit(file, [...trail, path]);
      if (found !== undefined) return found;
    }
    done.add(path);
    return undefined;
  };
  for (const path of graph.keys()) {
    const found = visit(path, []);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Files that name a runtime, outside the folders that may. */
export function runtimeViolations(sources: readonly Source[]): readonly string[] {
  return sources
    .filter(({ path }) => !RUNTIME_FILES.test(path))
    .flatMap(({ path, code, imports }) => {
      const names = [...code.matchAll(/(?<![\w.])(Bun|Deno|WebSocketPair)(?=[.[(\s])/g)].map(([name]) => name);
      const modules = imports.map(({ specifier }) => specifier).filter((name) => /^(?:cloudflare:|bun(?::|$))/.test(name));
      return [...new Set([...names, ...modules])].map((name) => `${path} names ${name}`);
    });
}

/** One size of the sources, and what it is the size of. */
interface Size {
  readonly of: keyof typeof SIZES;
  readonly where: string;
  readonly value: number;
}

/** Sizes over the maximum. */
export const sizeViolations = (sources: readonly Source[]): readonly string[] =>
  sizesOf(sources).filter(({ of, value }) => value > SIZES[of].max).map(describe);

/** Sizes about which to ask whether it is still one idea. */
export const sizeQuestions = (sources: readonly Source[]): readonly string[] =>
  sizesOf(sources).filter(({ of, value }) => value > SIZES[of].ask && value <= SIZES[of].max).map(describe);

const UNITS = { fileLines: "lines", folderFiles: "files", functionLines: "lines", parameters: "parameters" } as const;
const describe = ({ of, where, value }: Size): string => `${where} has ${value} ${UNITS[of]}`;

function sizesOf(sources: readonly Source[]): readonly Size[] {
  const perFolder = new Map<string, number>();
  const sizes: Size[] = [];
  for (const { path, text, code } of sources) {
    sizes.push({ of: "fileLines", where: path, value: text.split("\n").length - 1 });
    if (path.startsWith("src/")) sizes.push(...functionSizes(path, code));
    const folder = path.slice(0, path.lastIndexOf("/"));
    perFolder.set(folder, (perFolder.get(folder) ?? 0) + 1);
  }
  for (const [folder, value] of perFolder) {
    if (folder.startsWith("src/")) sizes.push({ of: "folderFiles", where: folder, value });
  }
  return sizes;
}

const DEFINITION = /^(\s*)(?:export )?(?:async )?(?:function )?([#\w]+)(?:<[^>]*>)?\((.*)$/;

/** Functions and methods, found by the indentation that the formatter gives them. */
function functionSizes(path: string, code: string): readonly Size[] {
  const lines = code.split("\n");
  return lines.flatMap((line, at): Size[] => {
    const [, indent = "", name = "", rest = ""] = DEFINITION.exec(line) ?? [];
    const isDefinition = name !== "" && (/\bfunction\b/.test(line) || /\)(?::[^=]*)? \{$|^$/.test(rest)) &&
      !/^(if|for|while|switch|return|catch)$/.test(name);
    if (!isDefinition) return [];
    const opens = lines.findIndex((later, index) => index >= at && later.startsWith(indent) && / \{$/.test(later));
    const closes = lines.findIndex((later, index) => index > at && later === `${indent}}`);
    if (opens < 0 || closes < opens || lines.slice(at + 1, opens).some((later) => later.trim() === "")) return [];
    const where = `${name} of ${path}`;
    const parameters = parametersIn(lines.slice(at, opens + 1).join(" "));
    return [{ of: "functionLines", where, value: closes - at + 1 }, { of: "parameters", where, value: parameters }];
  });
}

/** The number of parameters in a signature: commas outside every inner bracket. */
function parametersIn(signature: string): number {
  let depth = 0;
  let count = 0;
  let isEmpty = true;
  for (const letter of signature.slice(signature.indexOf("("))) {
    if ("([{<".includes(letter)) depth++;
    else if (")]}>".includes(letter) && --depth === 0) break;
    else if (letter === "," && depth === 1) count++, isEmpty = true;
    if (depth >= 1 && !"(, ".includes(letter)) isEmpty = false;
  }
  return isEmpty ? count : count + 1;
}
