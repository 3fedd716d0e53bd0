/** The YAML file: what it says, and where it says it. */
import { isMap, isNode, isScalar, LineCounter, parseDocument } from "yaml";
import { isTree, type Tree, withoutNulls } from "./tree.ts";

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
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, stringKeys: true });
  const place = (offset: number) => {
    if (name === "") return "";
    const { line, col } = lines.linePos(offset);
    return `${name}:${line}:${col}`;
  };
  const offsetOf = (path: readonly PropertyKey[]): number | undefined => {
    for (let depth = path.length; depth > 0; depth--) {
      const parent = document.getIn(path.slice(0, depth - 1), true);
      const last = path[depth - 1];
      const pair = isMap(parent) ? parent.items.find(({ key }) => isScalar(key) && key.value === last) : undefined;
      const node = pair?.key ?? document.getIn(path.slice(0, depth), true);
      if (isNode(node) && node.range) return node.range[0];
    }
    return undefined;
  };
  const locate = (path: readonly PropertyKey[]) => {
    const offset = offsetOf(path);
    return offset === undefined ? name : place(offset);
  };
  if (document.errors.length > 0) {
    const errors = document.errors.map(({ pos, message }) => `${place(pos[0])} ${firstLine(message)}`);
    return { tree: {}, errors, locate };
  }
  try {
    const tree = withoutNulls(document.toJS({ maxAliasCount: 100 }) ?? {});
    if (isTree(tree)) return { tree, errors: [], locate };
    return { tree: {}, errors: [`${place(0)} expected settings, each on its own line as \`name: value\``], locate };
  } catch (error) {
    return {
      tree: {},
      errors: [`${place(0)} ${firstLine(error instanceof Error ? error.message : String(error))}`],
      locate,
    };
  }
}

const firstLine = (text: string): string => text.split("\n", 1)[0] ?? text;
