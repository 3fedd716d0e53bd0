/** The token of the web port: the one that is set, or one that was made once and is kept where only its owner can read it. */
import { chmod, readFile, writeFile } from "node:fs/promises";
import type { Settings } from "../core/settings.ts";

const TOKEN = /^[0-9a-f]{64}$/;

/** With a queue that keeps nothing, the token is not kept either. */
export async function webToken(settings: Settings): Promise<string> {
  const known = await keptWebToken(settings);
  if (known !== undefined) return known;
  const made = newToken();
  const { queue } = settings;
  if (queue.backend === "memory") return made;
  const file = fileOf(queue.path);
  try {
    await writeFile(file, `${made}\n`, { mode: 0o600 });
    await chmod(file, 0o600); // Why: `mode` counts only for a file that was not there.
  } catch {
    return made; // Why: a folder that cannot be written to must not keep the relay from starting.
  }
  return made;
}

/** The token of a relay with these settings, as far as it can be known without that relay. */
export async function keptWebToken({ web, queue }: Settings): Promise<string | undefined> {
  if (web.token !== "") return web.token;
  if (queue.backend === "memory") return undefined;
  const kept = await readFile(fileOf(queue.path), "utf8").then((text) => text.trim(), () => "");
  return TOKEN.test(kept) ? kept : undefined;
}

const fileOf = (path: string): string => `${path.replace(/[/\\]+$/, "")}.web-token`;

const newToken = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(32)), (byte) => byte.toString(16).padStart(2, "0")).join("");
