/** Parses the YAML file, and knows where in the file each setting is. */
import { isMap, isNode, isScalar, LineCounter, parseDocument } from "./yaml.ts";
import { type ConfigTree, isTree, withoutNulls } from "./config-tree.ts";
import { errorText } from "../core/text.ts";

export interface ConfigFile {
  /** The name in messages. */
  readonly name: string;
  readonly text: string;
}

export interface ParsedFile {
  readonly tree: ConfigTree;
  readonly errors: readonly string[];
  /** `<name>:<line>:<column>` of a setting, or of the closest block around it; only the name if the file has neither. */
  locate(path: readonly PropertyKey[]): string;
}

export function parseFile({ name, text }: ConfigFile): ParsedFile {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, stringKeys: true });
  const position = (offset: number) => {
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
    return offset === undefined ? name : position(offset);
  };
  if (document.errors.length > 0) {
    const errors = document.errors.map(({ pos, message }) => `${position(pos[0])} ${firstLine(message)}`);
    return { tree: {}, errors, locate };
  }
  try {
    const tree = withoutNulls(document.toJS({ maxAliasCount: 100 }) ?? {});
    if (isTree(tree)) return { tree, errors: [], locate };
    return { tree: {}, errors: [`${position(0)} expected settings, each on its own line as \`name: value\``], locate };
  } catch (error) {
    const problem = error instanceof RangeError ? "a value contains itself" : firstLine(errorText(error));
    return { tree: {}, errors: [`${position(0)} ${problem}`], locate };
  }
}

const firstLine = (text: string): string => text.split("\n", 1)[0] ?? text;
