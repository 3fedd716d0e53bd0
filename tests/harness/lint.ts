/**
 * The rules of this project that need a syntax tree, as a plugin of `deno lint` (`lint.plugins` in deno.json).
 *
 * Together with `tsc -p src`, which cannot name the globals that are banned here, they keep the pure zone pure: no clock, no
 * randomness, nothing that waits, and no arithmetic whose last bit differs between runtimes.
 */
import { retiredPartsOf, retiredPhrasesOf } from "./retired-words.ts";

const PURE = /\/src\/(?:core|queue|neuro-api|services|inference|relay|recording)\//;
const SOURCE = /\/src\//;
/** Cloudflare finds a Worker by its default export. */
const SOURCE_BUT_WORKERS = /\/src\/(?!runtimes\/workers\/worker\.ts$)/;

/** Globals that look at the world, wait, or differ between runtimes. */
const IMPURE: ReadonlySet<string> = new Set([
  "Date",
  "Intl",
  "Promise",
  "performance",
  "crypto",
  "process",
  "console",
  "setTimeout",
  "setInterval",
  "setImmediate",
  "clearTimeout",
  "clearInterval",
  "queueMicrotask",
  "fetch",
  "WebSocket",
  "Temporal",
  "globalThis",
]);

/** Members of `Math` that draw lots, or whose results no standard fixes to the last bit. */
const INEXACT: ReadonlySet<string> = new Set(["random", "exp", "expm1", "log", "log2", "log10", "log1p", "pow"]);

/** Names that say where something was put, not what it is. */
const NAMELESS = /\/(?:utils?|helpers?|common|misc|types|managers?)\.tsx?$/;
const KEBAB = /^(?:[a-z0-9]+(?:-[a-z0-9]+)*)(?:\.[a-z0-9-]+)*\.(?:tsx?|mjs)$/;

const FUNCTION_LINES_MAX = 120;
const PARAMETERS_MAX = 6;

type Create = (context: Deno.lint.RuleContext) => Deno.lint.LintVisitor;
type FunctionNode = Deno.lint.FunctionDeclaration | Deno.lint.FunctionExpression | Deno.lint.ArrowFunctionExpression;

const inZone = (zone: RegExp, create: Create): Deno.lint.Rule => ({
  create: (context) => (zone.test(path(context)) ? create(context) : {}),
});

const path = (context: Deno.lint.RuleContext): string => context.filename.replaceAll("\\", "/");

/** True where an identifier is only a name after a dot, or the key of a property. */
function isMereName(node: Deno.lint.Identifier): boolean {
  const parent: Deno.lint.Node = node.parent;
  if (parent.type === "MemberExpression") return parent.property === node && !parent.computed;
  if (parent.type === "TSPropertySignature") return parent.key === node;
  return parent.type === "Property" && parent.key === node && parent.value !== node;
}

const pure = inZone(PURE, (context) => {
  const ban = (node: Deno.lint.Node, what: string): void =>
    context.report({
      node,
      message: `${what} is banned in the pure zone`,
      hint: "Time, chance and waiting come from the StepContext.",
    });
  const banAsync = (node: FunctionNode): void => {
    if (node.async) ban(node, "async");
  };
  return {
    Identifier(node) {
      if (IMPURE.has(node.name) && !isMereName(node)) ban(node, node.name);
      if (node.name === "localeCompare") ban(node, node.name);
    },
    MemberExpression(node) {
      const { object, property } = node;
      if (object.type !== "Identifier" || object.name !== "Math" || property.type !== "Identifier") return;
      if (INEXACT.has(property.name)) ban(node, `Math.${property.name}`);
    },
    FunctionDeclaration: banAsync,
    FunctionExpression: banAsync,
    ArrowFunctionExpression: banAsync,
    AwaitExpression: (node) => ban(node, "await"),
    ForOfStatement(node) {
      if (node.await) ban(node, "for await");
    },
    ImportExpression: (node) => ban(node, "import()"),
  };
});

const size = inZone(SOURCE, (context) => {
  const measure = (node: FunctionNode): void => {
    const [start, end] = node.range;
    const lines = context.sourceCode.text.slice(start, end).split("\n").length;
    if (lines > FUNCTION_LINES_MAX) {
      context.report({ node, message: `a function of ${lines} lines; at most ${FUNCTION_LINES_MAX}` });
    }
    if (node.params.length > PARAMETERS_MAX) {
      context.report({ node, message: `${node.params.length} parameters; at most ${PARAMETERS_MAX}` });
    }
  };
  return { FunctionDeclaration: measure, FunctionExpression: measure, ArrowFunctionExpression: measure };
});

/** Whether a statement calls `assertNever`. */
function callsAssertNever(node: Deno.lint.Statement | undefined): boolean {
  const call = node?.type === "ReturnStatement"
    ? node.argument
    : node?.type === "ExpressionStatement"
    ? node.expression
    : undefined;
  return call?.type === "CallExpression" && call.callee.type === "Identifier" && call.callee.name === "assertNever";
}

/** A `switch` is closed by `assertNever`, so that a new member of its union does not compile until it is handled. */
const closedSwitch = inZone(SOURCE, (context) => ({
  SwitchStatement(node) {
    const last = node.cases.at(-1);
    const text = last === undefined ? "" : context.sourceCode.getText(last);
    if (last?.test === null && (callsAssertNever(last.consequent.at(-1)) || text.includes("// Why not `assertNever`:"))) {
      return;
    }
    context.report({
      node,
      message: "a switch that does not end in assertNever",
      hint:
        "List every member and end in `default: return assertNever(x)`. For a value from outside, say `// Why not \`assertNever\`:` in the default.",
    });
  },
}));

/** The words that the project does not use, in identifiers and in comments and messages. */
const retiredWords: Deno.lint.Rule = {
  create: (context) => ({
    Program() {
      if (path(context).endsWith("/retired-words.ts")) return;
      let start = 0;
      for (const line of context.sourceCode.text.split("\n")) {
        const range: [number, number] = [start, start + line.length];
        for (const message of retiredIn(line)) context.report({ range, message });
        start += line.length + 1;
      }
    },
  }),
};

/** Identifiers are looked for outside comments and strings, phrases in the whole line. */
function retiredIn(line: string): readonly string[] {
  const code = line.replace(/\/\/.*|^\s*\/?\*.*|"(?:[^"\\]|\\.)*"|`(?:[^`\\]|\\.)*`/g, " ");
  const names = new Set(code.match(/[A-Za-z_$]\w*/g) ?? []);
  return [...[...names].flatMap(retiredPartsOf), ...retiredPhrasesOf(line)];
}

const plugin: Deno.lint.Plugin = {
  name: "project",
  rules: {
    pure,
    size,
    "closed-switch": closedSwitch,
    "retired-words": retiredWords,
    "named-exports": inZone(SOURCE_BUT_WORKERS, (context) => ({
      ExportDefaultDeclaration: (node) =>
        context.report({ node, message: "export default is banned", hint: "Give it a name that is the same everywhere." }),
    })),
    "no-enum": inZone(SOURCE, (context) => ({
      TSEnumDeclaration: (node) =>
        context.report({ node, message: "enum is banned", hint: "Use a union of string literals." }),
    })),
    "file-name": {
      create: (context) => ({
        Program(node) {
          const file = path(context);
          if (NAMELESS.test(file)) context.report({ node, message: "the file's name does not say what is in it" });
          if (!KEBAB.test(file.slice(file.lastIndexOf("/") + 1))) {
            context.report({ node, message: "file names are nouns in kebab-case" });
          }
        },
      }),
    },
  },
};

// Why: the one default export; `deno lint` loads a plugin by it.
export default plugin;
