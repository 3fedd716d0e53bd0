/**
 * Every setting there is: the one source of defaults, environment names, messages and the reference.
 *
 * It reads what a YAML file says into `Settings`. What concerns more than one block is in `rules.ts`.
 */
import { z } from "zod";
import type { Settings } from "../core/settings.ts";
import { backend, brain, intermediary, proxy, web } from "./schema/doors.ts";
import { queue, uploads } from "./schema/keeping.ts";
import { actions, nallely, policies, upstream } from "./schema/neuro.ts";
import { cluster, limits, log, record, security, shutdown } from "./schema/running.ts";
import { block, list, optionalText } from "./setting.ts";

const neuroOs = block("Neuro-OS.", {
  auth_token: optionalText("The token of Neuro-OS: a watcher that may also speak to Neuro directly.", { secret: true }),
});

const blocks = z.strictObject({
  intermediary,
  "nakurity-backend": backend,
  "nakurity-client": upstream.optional().meta({
    says: "Where the real Neuro is. Without this block the relay plays her part itself.",
  }),
  "nakurity-clients": list("Several upstreams, each with the settings of `nakurity-client`.", {
    of: upstream,
    type: "upstreams",
  }),
  "dependency-authentication": block("Tokens of other programs.", { "neuro-os": neuroOs }),
  "intercept-proxy": proxy,
  integrations: policies,
  actions,
  queue,
  uploads,
  brain,
  nallely,
  web,
  security,
  limits,
  cluster,
  log,
  record,
  shutdown,
});

/** The blocks, for whoever walks them: names of settings and what is known of each. */
export const shape: z.ZodObject = blocks;

/** One upstream or several become a list; everything else is as it is written. */
export const schema: z.ZodType<Settings> = blocks.transform((given, context): Settings => {
  const { "nakurity-client": single, "nakurity-clients": several, ...rest } = given;
  if (single === undefined) return { ...rest, "nakurity-clients": several };
  if (several.length > 0) {
    context.addIssue({
      code: "custom",
      path: ["nakurity-clients"],
      message: "expected nakurity-client or nakurity-clients, not both",
    });
  }
  return { ...rest, "nakurity-clients": [single] };
});
