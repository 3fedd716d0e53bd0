/** The YAML file: what it says, and where it says it. */
import { isTree, type Tree, withoutNulls } from "./tree.ts";
import { readYaml, YamlError } from "./yaml.ts";

export interface File {
  /** As messages name it. */
  readonly name: string;
  readonly text: string;
}

export interface ReadFile {
  readonly tree: Tree;
  readonly errors: readonly string[];
  /** `<name>:<line>:<column>` of a setting, or of the nearest block around it; the name alone when the file has neither. */
  locate(path: readonly PropertyKey[]): string;
}

export function readFile({ name, text }: File): ReadFile {
  const place = (offset: number): string => {
    if (name === "") return "";
    const lines = text.slice(0, offset).split("\n");
    return `${name}:${lines.length}:${(lines.at(-1)?.length ?? 0) + 1}`;
  };
  const failed = (offset: number, why: string): ReadFile => ({
    tree: {},
    errors: [`${place(offset)} ${why}`],
    locate: () => name,
  });
  try {
    const { value, offsetOf } = readYaml(text);
    const tree = withoutNulls(value ?? {});
    if (!isTree(tree)) return failed(0, "expected settings, each on its own line as `name: value`");
    const locate = (path: readonly PropertyKey[]): string => {
      const offset = offsetOf(path);
      return offset === undefined ? name : place(offset);
    };
    return { tree, errors: [], locate };
  } catch (error) {
    if (error instanceof YamlError) return failed(error.offset, error.message);
    throw error;
  }
}
