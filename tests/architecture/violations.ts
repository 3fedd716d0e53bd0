/** Finds what breaks the import law. Apart from the tests, so that the locks can be tried on sources that break it. */
import { type Import, moduleOf, type Source } from "../harness/source.ts";
import { DOORS, FILE_LINES_MAX, FOLDER_FILES_MAX, LAW, RUNTIME_FILES, TYPE_CYCLES_ACCEPTED } from "./rules.ts";

/** What a source imports although it may not, one line each. */
export function importBreaches(sources: readonly Source[]): readonly string[] {
  return sources.flatMap((source) =>
    source.imports.flatMap((wanted) => {
      const why = breach(source.path, wanted);
      return why === undefined ? [] : [`${source.path} imports ${wanted.specifier}: ${why}`];
    })
  );
}

function breach(path: string, { specifier, file }: Import): string | undefined {
  const law = LAW[moduleOf(path)];
  if (law === undefined) return "its folder is not in the law";
  if (file === undefined) return allowsPackage(path, specifier) ? undefined : "a package it may not use";
  if (!/\.(?:ts|tsx|json|html|txt|css|js)$/.test(file)) return "a path without its ending";
  const room = moduleOf(file);
  if (room === moduleOf(path) || room === "package.json") return undefined;
  if (!law.may.includes(room)) return `${moduleOf(path)} may not know ${room}`;
  const listener = DOORS[room] ?? /^mod\.ts$/;
  return listener.test(file.replace(/^src\/(?:services\/)?[^/]+\//, ""))
    ? undefined
    : `${room} is not entered by this file`;
}

function allowsPackage(path: string, specifier: string): boolean {
  const law = LAW[moduleOf(path)];
  return [...law?.packages ?? [], ...law?.packagesOf?.[path] ?? []].some((allowed) =>
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
  return findCycle(sources, ({ file = "", isTypeOnly }, path) => {
    if (isTypeOnly && isInCore(path) && isInCore(file)) return false;
    return !TYPE_CYCLES_ACCEPTED.has(`${path} -> ${file}`);
  });
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

/** Files that name a runtime although they run on all of them. */
export function runtimeBreaches(sources: readonly Source[]): readonly string[] {
  return sources
    .filter(({ path }) => !RUNTIME_FILES.test(path))
    .flatMap(({ path, code, imports }) => {
      const names = [...code.matchAll(/(?<![\w.])(Bun|Deno|WebSocketPair)(?=[.[(\s])/g)].map(([name]) => name);
      const modules = imports.map(({ specifier }) => specifier).filter((name) => /^(?:cloudflare:|bun(?::|$))/.test(name));
      return [...new Set([...names, ...modules])].map((name) => `${path} names ${name}`);
    });
}

/** Files and folders that should be two. */
export function sizeBreaches(sources: readonly Source[]): readonly string[] {
  const perFolder = new Map<string, number>();
  const found: string[] = [];
  for (const { path, text } of sources) {
    const lines = text.split("\n").length - 1;
    if (lines > FILE_LINES_MAX) found.push(`${path} has ${lines} lines`);
    const folder = path.slice(0, path.lastIndexOf("/"));
    perFolder.set(folder, (perFolder.get(folder) ?? 0) + 1);
  }
  for (const [folder, files] of perFolder) {
    if (files > FOLDER_FILES_MAX && folder.startsWith("src/")) found.push(`${folder} has ${files} files`);
  }
  return found;
}
