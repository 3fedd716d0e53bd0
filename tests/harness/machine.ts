/** Programs of this machine that some tests need, and the paths of the tools in `tests/node_modules`. */
import { spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { arch, env, execPath, platform } from "node:process";
import { delimiter, join } from "node:path";
import type { Need } from "./suites.ts";

const NAMES: Readonly<Record<Need, readonly string[]>> = {
  "redis-server": ["redis-server", "valkey-server"],
  nginx: ["nginx"],
  caddy: ["caddy"],
  promtool: ["promtool"],
  "systemd-analyze": ["systemd-analyze"],
  openssl: ["openssl"],
  python3: ["python3"],
  dotnet: ["dotnet"],
  chromium: ["chromium", "chromium-browser", "google-chrome", "chrome"],
};

/** The root of the repository. */
export const ROOT: string = join(import.meta.dirname, "../../");

/** The path of a program that some tests need, or undefined if this machine does not have it. */
export function find(need: Need): string | undefined {
  const folders = [...(env.PATH ?? "").split(delimiter), "/usr/sbin"]; // Why the last one: nginx is there, and only root has it in its path.
  const candidates = NAMES[need].flatMap((name) => folders.map((folder) => join(folder, name)));
  return candidates.find(isRunnable);
}

/** The Deno binary in the development dependencies: it needs neither Node nor an install script. */
export function denoPath(): string {
  const name = platform === "win32" ? "win32" : platform === "darwin" ? "darwin" : "linux";
  const target = `${name}-${arch}${platform === "linux" ? "-glibc" : ""}`;
  return join(ROOT, "tests/node_modules/@deno", target, platform === "win32" ? "deno.exe" : "deno");
}

/** The versions of Node on which the package and the clients are tested. */
export const NODE_VERSIONS: readonly string[] = ["20.20.2", "22.23.3"];

/** The path of a version of Node, from npm. Undefined: npm cannot provide it, for example without a network. */
export function nodePath(version: string): string | undefined {
  const words = ["--yes", `--package=node@${version}`, "--", "node", "--print", "process.execPath"];
  // Why a shell: on Windows `npx` is a script.
  const { status, stdout } = spawnSync("npx", words, { encoding: "utf8", shell: platform === "win32" });
  return status === 0 ? stdout.trim() : undefined;
}

/** The path of a tool in the development dependencies. */
export const toolPath = (name: string): string => join(ROOT, "tests/node_modules/.bin", name);

function isRunnable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The words before a script that run it on a runtime. */
export const RUNNERS: Readonly<Record<string, readonly string[]>> = {
  Bun: [execPath],
  Deno: [
    denoPath(),
    "run",
    "--v8-flags=--max-semi-space-size=2,--heap-growing-percent=20",
    "--allow-all",
    "--no-check",
    "--node-modules-dir=manual",
  ],
};
