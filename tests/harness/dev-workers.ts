/** `bun run dev:workers`: the relay in a local workerd, with a token that only this run has. */
import { spawn } from "node:child_process";
import { exit, platform } from "node:process";

const WRANGLER = "wrangler@4.86.0";
const TOKENS = ["INTERMEDIARY__AUTH_TOKEN", "NAKURITY_BACKEND__TOKEN", "BRAIN__TOKEN", "WEB__TOKEN"];

const token = crypto.randomUUID();
const variables = [...TOKENS.map((name) => `NEURO_RELAY_${name}:${token}`), "RELAY_CHECKS_HOST:true"];
console.log(`every token of this run: ${token}`);
const words = ["--yes", WRANGLER, "dev", ...variables.flatMap((variable) => ["--var", variable])];
// Why a shell: on Windows `npx` is a script.
spawn("npx", words, { stdio: "inherit", shell: platform === "win32" }).on("exit", (code) => exit(code ?? 1));
