/** What a Worker is given by its deployment, and the settings in it. */
import type { Settings } from "../../core/settings.ts";
import { load } from "../../config/load.ts";

export interface Environment {
  readonly RELAY: DurableObjectNamespace;
  /** The relays there are, separated by commas; a `*` stands for any run of characters. Only `default` when it is not set. */
  readonly RELAY_NAMES?: string;
  /** The key for a language model. */
  readonly OPENAI_API_KEY?: string;
  /** `NEURO_RELAY_...`: the settings; `NEURO_RELAY_CONFIG` is the text of a configuration file. */
  readonly [name: string]: unknown;
}

export type Configured =
  | { readonly ok: true; readonly settings: Settings }
  | { readonly ok: false; readonly errors: readonly string[] };

/**
 * A Worker is reached from everywhere: with these the configuration is held to the rules for what is not on one's own machine, so
 * every door needs a token. The ports mean nothing here, they only have to differ.
 */
const EVERYWHERE = ["intermediary", "nakurity-backend", "brain", "web", "intercept-proxy"]
  .flatMap((listener, at) => [`${listener}.host=0.0.0.0`, `${listener}.port=${at + 1}`]);

/** Why kept: reading takes a while, and every object of one deployment reads the same. */
const known = new WeakMap<Environment, Configured>();

/** The settings, or all that is wrong with them. */
export function configured(environment: Environment): Configured {
  const earlier = known.get(environment);
  if (earlier !== undefined) return earlier;
  const read = readSettings(environment);
  known.set(environment, read);
  return read;
}

function readSettings(environment: Environment): Configured {
  const texts = Object.entries(environment).filter((entry): entry is [string, string] => typeof entry[1] === "string");
  const variables = Object.fromEntries(texts);
  const text = variables.NEURO_RELAY_CONFIG;
  const loaded = load({
    ...(text !== undefined && { file: { name: "NEURO_RELAY_CONFIG", text } }),
    environment: variables,
    sets: EVERYWHERE,
  });
  if (!loaded.ok) return loaded;
  const { settings } = loaded;
  if (settings.record.file !== "") {
    return { ok: false, errors: ["record.file: a Worker has no files; record with Bun or Deno"] };
  }
  const backend = settings.queue.backend === "memory" ? "memory" : "durable-object";
  return { ok: true, settings: { ...settings, queue: { ...settings.queue, backend } } };
}
