/**
 * `bun run build:page`: bundles the dashboard with its script and style into one file, `src/dashboard/dashboard.html`.
 *
 * The file is committed, so that running the relay needs no build. A test builds it again and compares.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { exit } from "node:process";
import { ROOT } from "./machine.ts";

const FOLDER = join(ROOT, "src/dashboard");
const STYLES = ["base", "controls", "layout", "components", "panels", "obs"];

/** Returns the text of the page. */
export async function buildPage(): Promise<string> {
  const shell = readFileSync(join(FOLDER, "page.html"), "utf8").replace(/>\s+</g, "><").replace(/\s+/g, " ");
  const style = await bundle(...STYLES.map((name) => `style/${name}.css`));
  const script = await bundle("main.tsx");
  // Why functions: in a replacement string a `$` is special.
  return `${
    shell
      .replace("<style></style>", () => `<style>${style}</style>`)
      .replace(`<script type="module"></script>`, () => `<script type="module">${script}</script>`)
  }\n`;
}

async function bundle(...files: readonly string[]): Promise<string> {
  const { success, outputs, logs } = await Bun.build({
    entrypoints: files.map((file) => join(FOLDER, file)),
    target: "browser",
    format: "esm",
    minify: true,
    define: { "process.env.NODE_ENV": '"production"' },
  });
  if (!success) throw new Error(`could not build the page: ${logs.join("\n")}`);
  const texts = await Promise.all(outputs.map((output) => output.text()));
  const text = texts.map((part) => part.trim()).join("");
  // Why: the parser ends a script or a style at its end tag, even within a string.
  return text.replace(/<\/(?=script|style)/gi, "<\\/").replaceAll("<!--", "<\\!--");
}

if (import.meta.main) {
  try {
    const page = await buildPage();
    writeFileSync(join(FOLDER, "dashboard.html"), page);
    const gzipped = Bun.gzipSync(new TextEncoder().encode(page)).length;
    console.log(
      `src/dashboard/dashboard.html  ${(page.length / 1_024).toFixed(0)} KiB, ${(gzipped / 1_024).toFixed(0)} KiB gzipped`,
    );
  } catch (error) {
    console.error(error);
    exit(1);
  }
}
