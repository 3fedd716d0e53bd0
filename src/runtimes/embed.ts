/** Starts a relay inside another program, from settings as they are in the configuration file. */
import { load } from "../config/load.ts";
import { type RelayHandle, type ServeOptions, StartError } from "./serve-options.ts";

/** Blocks of settings, with the names and the notation of `config/README.md`: `{ "nakurity-client": { url: "ws://..." } }`. */
export type SettingsTree = Readonly<Record<string, unknown>>;

/**
 * Starts a relay on Bun or Deno and resolves when its listeners are open.
 *
 * Rejects with a `StartError`, and leaves nothing open, if a setting is wrong or a port is taken. On Workers, export `RelayObject` instead.
 */
export async function serve(settings: SettingsTree = {}, options: ServeOptions = {}): Promise<RelayHandle> {
  const loaded = load({
    file: { name: "settings", text: JSON.stringify(settings) },
    platform: "Deno" in globalThis ? "deno" : "bun",
  });
  if (!loaded.ok) throw new StartError(loaded.errors.join("\n"));
  const runtime = await import("#serve");
  return await runtime.serve(loaded.settings, options);
}
