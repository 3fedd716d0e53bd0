/** The variables and bindings of a Worker, and the settings in them. */
import { LISTENER_BLOCKS } from "../../core/service.ts";
import type { Settings } from "../../core/settings.ts";
import { load } from "../../config/load.ts";

export interface WorkerBindings {
  readonly RELAY: DurableObjectNamespace;
  /** Names of the relays, separated by commas; `*` matches any characters. Without it there is only `default`. */
  readonly RELAY_NAMES?: string;
  /** `true` where the platform does not select the Worker by its host name, as on a developer's machine. */
  readonly RELAY_CHECKS_HOST?: string;
  /** The key for a language model. */
  readonly OPENAI_API_KEY?: string;
  /** `NEURO_RELAY_...` are settings; `NEURO_RELAY_CONFIG` is the text of a configuration file. */
  readonly [name: string]: unknown;
}

export type LoadedSettings =
  | { readonly ok: true; readonly settings: Settings; readonly warnings: readonly string[] }
  | { readonly ok: false; readonly errors: readonly string[] };

/**
 * A Worker is reachable from everywhere. With these hosts the configuration must meet the rules for listeners beyond loopback: each
 * needs a token. The ports have no meaning here, but must differ.
 */
const PUBLIC_LISTENERS = LISTENER_BLOCKS
  .flatMap((block, at) => [`${block}.host=0.0.0.0`, `${block}.port=${at + 1}`]);

/** Why cached: loading takes time, and every object of one deployment loads the same settings. */
const cache = new WeakMap<WorkerBindings, LoadedSettings>();

/** The settings, or all errors in them. */
export function loadSettings(environment: WorkerBindings): LoadedSettings {
  const cached = cache.get(environment);
  if (cached !== undefined) return cached;
  const loaded = readSettings(environment);
  cache.set(environment, loaded);
  return loaded;
}

function readSettings(environment: WorkerBindings): LoadedSettings {
  const texts = Object.entries(environment).filter((entry): entry is [string, string] => typeof entry[1] === "string");
  const variables = Object.fromEntries(texts);
  const text = variables.NEURO_RELAY_CONFIG;
  const loaded = load({
    ...(text !== undefined && { file: { name: "NEURO_RELAY_CONFIG", text } }),
    environment: variables,
    sets: PUBLIC_LISTENERS,
    platform: "workers",
  });
  if (!loaded.ok) return loaded;
  const { settings, warnings } = loaded;
  if (settings.cluster.enabled) {
    return {
      ok: false,
      errors: ["cluster.enabled: each relay on Workers is a Durable Object, which moves by itself; leave it false"],
    };
  }
  if (settings.record.file !== "") {
    return { ok: false, errors: ["record.file: a Worker has no files; record on Bun or Deno"] };
  }
  const backend = settings.queue.backend === "memory" ? "memory" : "durable-object";
  return { ok: true, settings: { ...settings, queue: { ...settings.queue, backend } }, warnings };
}
