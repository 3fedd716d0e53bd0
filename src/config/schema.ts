/**
 * The schema of the configuration: the single source of defaults, environment variables, error messages and the reference.
 *
 * It turns the content of a YAML file into `Settings`. Rules about more than one block are in `rules.ts`.
 */
import { z } from "zod/mini";
import { DEFAULTS } from "../core/defaults.ts";
import type { Settings } from "../core/settings.ts";
import { backend, brain, intermediary, proxy, web } from "./schema/listeners.ts";
import { actions, nallely, policies, upstream } from "./schema/neuro.ts";
import { diagnostics, limits, log, record, relays, security, shutdown, traces } from "./schema/process.ts";
import { cluster } from "./schema/cluster.ts";
import { queue, uploads } from "./schema/storage.ts";
import { block, list, optionalBlock, optionalText } from "./setting.ts";

const d = DEFAULTS["dependency-authentication"];
const dependencies = block("Tokens of other programs.", d, () => ({
  "neuro-os": block("Neuro-OS.", d["neuro-os"], () => ({
    auth_token: optionalText("The token of Neuro-OS: a watcher that can also send messages to Neuro directly.", {
      secret: true,
    }),
  })),
}));

const blocks = z.strictObject({
  intermediary,
  "nakurity-backend": backend,
  "nakurity-client": optionalBlock(
    "The Neuro API backend to connect to. Without this block the relay runs standalone and plays Neuro itself.",
    upstream,
  ),
  "nakurity-clients": list("Several upstreams, each with the settings of `nakurity-client`.", {
    item: upstream,
    type: "upstreams",
  }),
  "dependency-authentication": dependencies,
  "intercept-proxy": proxy,
  relays,
  cluster,
  integrations: policies,
  actions,
  queue,
  uploads,
  brain,
  nallely,
  web,
  security,
  diagnostics,
  traces,
  limits,
  log,
  record,
  shutdown,
});

/** The blocks, for code that enumerates the settings. */
export const settingsSchema: z.ZodMiniType = blocks;

/** Turns `nakurity-client` into a list of one. Everything else keeps the structure of the file. */
export const schema: z.ZodMiniType<Settings> = z.pipe(
  blocks,
  z.transform((given, { issues }): Settings => {
    const { "nakurity-client": single, "nakurity-clients": several, ...rest } = given;
    if (single === undefined) return { ...rest, "nakurity-clients": several };
    if (several.length > 0) {
      issues.push({
        code: "custom",
        path: ["nakurity-clients"],
        message: "expected nakurity-client or nakurity-clients, not both",
        input: given,
      });
    }
    return { ...rest, "nakurity-clients": [single] };
  }),
);
