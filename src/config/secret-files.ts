/**
 * Secrets that are not written in the file itself: `auth_token: {file: /run/secrets/relay}`, as Docker and systemd provide them, and tokens of
 * which only the digest is known: `auth_token: {sha256: ...}`.
 *
 * Only tokens, and URLs because they can contain one, can be in a file. The content of such a file never appears in a message.
 */
import { hashedToken, isHashed } from "../core/access.ts";
import { isSecretName } from "../core/secrets.ts";
import { type ConfigTree, isTree } from "./config-tree.ts";
import type { SettingIssue } from "./rules.ts";

/** Reads a whole file; throws if it cannot. */
export type ReadSecret = (file: string) => string;

/** A longer text is not a secret. */
const LENGTH_MAX = 4_096;

interface SecretReader {
  readonly read: ReadSecret | undefined;
  /** Makes a path absolute. */
  resolvePath(file: string): string;
}

/** Replaces every `{file: path}` by the content of that file. Returns an issue for each file that cannot be used. */
export function readSecretFiles(tree: ConfigTree, reader: SecretReader): readonly SettingIssue[] {
  const issues: SettingIssue[] = [];
  const visit = (at: unknown, path: readonly PropertyKey[]): void => {
    for (const [name, value] of isTree(at) || Array.isArray(at) ? Object.entries(at) : []) {
      const below = [...path, Array.isArray(at) ? Number(name) : name];
      const digest = name.endsWith("token") ? memberOf(value, "sha256") : undefined;
      if (digest !== undefined) {
        const token = hashedToken(digest.toLowerCase());
        if (isHashed(token)) Reflect.set(Object(at), name, token);
        else {issues.push({
            path: below,
            message: "expected 64 hexadecimal digits; `neuro-relay token --hash` prints them",
          });}
        continue;
      }
      const file = isSecretName(name) ? memberOf(value, "file") : undefined;
      if (file === undefined) {
        visit(value, below);
        continue;
      }
      const content = readSecretFile(reader.resolvePath(file), reader.read);
      if (typeof content === "string") Reflect.set(Object(at), name, content);
      else issues.push({ path: below, message: content.issue });
    }
  };
  visit(tree, []);
  return issues;
}

/** The text of an object with this member only. */
function memberOf(value: unknown, name: string): string | undefined {
  if (!isTree(value)) return undefined;
  const { [name]: text, ...rest } = value;
  return typeof text === "string" && text !== "" && Object.keys(rest).length === 0 ? text : undefined;
}

function readSecretFile(file: string, read: ReadSecret | undefined): string | { readonly issue: string } {
  if (read === undefined) return { issue: "this platform has no files; give the value itself, as a secret variable" };
  let content: string;
  try {
    content = read(file).trim();
  } catch (error) {
    return { issue: `cannot read ${file}: ${reasonOf(error)}` };
  }
  if (content === "") return { issue: `${file} is empty` };
  if (content.length > LENGTH_MAX || /[\r\n]/.test(content)) {
    return { issue: `expected one line of at most ${LENGTH_MAX} characters in ${file}` };
  }
  return content;
}

/** The system's error code, or the runtime's message if it denied the access. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = "code" in error && error.code !== undefined ? String(error.code) : error.message;
  return code === "ENOENT" ? "no such file" : code;
}
