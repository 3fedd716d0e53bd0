/** The token of the web port: `web.token`, or a token that is generated once and stored in a file that only its owner can read. */
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { isHashed } from "../core/access.ts";
import type { Settings } from "../core/settings.ts";

const TOKEN = /^[0-9a-f]{64}$/;

/** Generates and stores a token if none is stored. The hash of the token, if the settings contain only that. With the `memory` queue nothing is stored. */
export async function webToken(settings: Settings): Promise<string> {
  if (isHashed(settings.web.token)) return settings.web.token;
  const known = await storedWebToken(settings);
  if (known !== undefined) return known;
  const token = generateToken();
  const { queue } = settings;
  if (queue.backend === "memory") return token;
  const file = fileOf(queue.path);
  try {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, `${token}\n`, { mode: 0o600 });
    await chmod(file, 0o600); // Why: `mode` applies only to a file that did not exist.
  } catch {
    return token; // Why: a folder that cannot be written to must not keep the relay from starting.
  }
  return token;
}

/** The token that a relay with these settings uses; undefined if only that relay knows it, or the settings contain its hash only. */
export async function storedWebToken({ web, queue }: Settings): Promise<string | undefined> {
  if (isHashed(web.token)) return undefined;
  if (web.token !== "") return web.token;
  if (queue.backend === "memory") return undefined;
  const stored = await readFile(fileOf(queue.path), "utf8").then((text) => text.trim(), () => "");
  return TOKEN.test(stored) ? stored : undefined;
}

const fileOf = (path: string): string => `${path.replace(/[/\\]+$/, "")}.web-token`;

const generateToken = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(32)), (byte) => byte.toString(16).padStart(2, "0")).join("");
