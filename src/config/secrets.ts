/**
 * Secrets that stand in files of their own: `auth_token: {file: /run/secrets/relay}`, as Docker and systemd hand them out.
 *
 * A token, and a URL, which may hold one, can be given like that; nothing else can. What a file says is never in a message.
 */
import type { Breach } from "./rules.ts";
import { isTree, type Tree } from "./tree.ts";

/** True for the name of a setting that is, or may hold, a secret. */
export const isSecretName = (name: string): boolean => name.endsWith("token") || name.endsWith("url");

/** Reads a file whole; throws when it cannot. */
export type ReadSecret = (file: string) => string;

/** Longer ones are no secrets. */
const LENGTH_MAX = 4_096;

interface Reading {
  readonly read: ReadSecret | undefined;
  /** What relative paths start from. */
  placed(file: string): string;
}

/** Puts what the files say in the place of their names. Returns what cannot be read. */
export function fillIn(tree: Tree, reading: Reading): readonly Breach[] {
  const errors: Breach[] = [];
  const visit = (at: unknown, path: readonly PropertyKey[]): void => {
    for (const [name, value] of isTree(at) || Array.isArray(at) ? Object.entries(at) : []) {
      const below = [...path, Array.isArray(at) ? Number(name) : name];
      const file = isSecretName(name) ? fileIn(value) : undefined;
      if (file === undefined) {
        visit(value, below);
        continue;
      }
      const found = contentOf(reading.placed(file), reading.read);
      if (typeof found === "string") Reflect.set(Object(at), name, found);
      else errors.push({ path: below, message: found.wrong });
    }
  };
  visit(tree, []);
  return errors;
}

function fileIn(value: unknown): string | undefined {
  if (!isTree(value)) return undefined;
  const { file, ...rest } = value;
  return typeof file === "string" && file !== "" && Object.keys(rest).length === 0 ? file : undefined;
}

function contentOf(file: string, read: ReadSecret | undefined): string | { readonly wrong: string } {
  if (read === undefined) return { wrong: "there are no files here; give the value itself, as a secret variable" };
  let content: string;
  try {
    content = read(file).trim();
  } catch (error) {
    return { wrong: `cannot read ${file}: ${whyOf(error)}` };
  }
  if (content === "") return { wrong: `${file} is empty` };
  if (content.length > LENGTH_MAX || /[\r\n]/.test(content)) return { wrong: `expected one line of text in ${file}` };
  return content;
}

/** In few words: the system's code, or what a runtime says that did not let us. */
function whyOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = "code" in error && error.code !== undefined ? String(error.code) : error.message;
  return code === "ENOENT" ? "there is no such file" : code;
}
