/** What a runtime has: the backends of the queue. */
import type { QueueBackend, Settings } from "../core/settings.ts";
import type { SettingIssue } from "./rules.ts";

/** Where the relay runs. */
export type Platform = "bun" | "deno" | "workers";

const PLATFORMS: Readonly<Partial<Record<QueueBackend, Platform>>> = { "deno-kv": "deno", "durable-object": "workers" };
const NAMES: Readonly<Record<Platform, string>> = { bun: "Bun", deno: "Deno", workers: "Cloudflare Workers" };

/** The backend that `kv` means: the platform's own key-value store. On Bun there is none, and the setting is refused. */
export function keyValueBackend(platform: Platform | undefined): QueueBackend | "kv" {
  if (platform === "workers") return "durable-object";
  return platform === "bun" ? "kv" : "deno-kv";
}

/** A backend that this runtime lacks. Workers have only one, so there another one is a warning. */
export function platformIssues({ queue: { backend } }: Settings, platform: Platform | undefined): readonly SettingIssue[] {
  const needed = PLATFORMS[backend];
  if (platform === undefined || platform === "workers" || needed === undefined || needed === platform) return [];
  const message = `${backend} exists on ${NAMES[needed]} only, and this is ${NAMES[platform]}; use fs, sqlite or redis`;
  return [{ path: ["queue", "backend"], message }];
}

/** On Workers the queue is always in the object's storage, or in memory. */
export function platformWarnings(given: unknown, platform: Platform | undefined): readonly string[] {
  if (platform !== "workers" || given === undefined) return [];
  if (given === "durable-object" || given === "kv" || given === "memory") return [];
  return [`queue.backend is ${String(given)}, but on Workers the queue is in the storage of the Durable Object`];
}
