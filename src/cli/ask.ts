/** `shutdown` and `reregister`: ask integrations of the running relay to shut down, or to register their actions again. */
import { Command } from "commander";
import { ApiError, pathSegment } from "../clients/api-client.ts";
import type { JsonObject } from "../core/json.ts";
import type { AskOutcome } from "../core/request.ts";
import { CliError } from "./cli-error.ts";
import { type ConfigurationOptions, readConfiguration, withConfiguration } from "./configuration.ts";
import { relayApi } from "./relay-api.ts";

/** The exit status when nothing was asked. */
const NOT_ASKED = 1;

interface Target extends ConfigurationOptions {
  readonly all?: true;
}

export function shutdownCommand(): Command {
  return withConfiguration(new Command("shutdown"))
    .description("ask integrations of the running relay to shut down; the relay continues")
    .argument("[integration]", "the id of an integration")
    .option("--all", "all connected integrations")
    .option("--immediate", "at once, with a few seconds to save")
    .option("--cancel", "take an earlier request back")
    .action((id: string | undefined, options: Target & { readonly immediate?: true; readonly cancel?: true }) => {
      if (options.immediate && options.cancel) throw new CliError(["expected --immediate or --cancel, not both"]);
      return ask(id, options, "shutdown", {
        how: options.cancel ? "cancel" : options.immediate ? "immediate" : "graceful",
      });
    });
}

export function reregisterCommand(): Command {
  return withConfiguration(new Command("reregister"))
    .description("ask integrations of the running relay to register all their actions again")
    .argument("[integration]", "the id of an integration")
    .option("--all", "all connected integrations")
    .option("--clear", "unregister their actions first")
    .action((id: string | undefined, options: Target & { readonly clear?: true }) =>
      ask(id, options, "reregistration", { clear: options.clear === true })
    );
}

async function ask(id: string | undefined, { all, ...options }: Target, what: string, body: JsonObject): Promise<void> {
  if ((id === undefined) === (all === undefined)) throw new CliError(["expected the id of an integration, or --all"]);
  const { settings } = await readConfiguration(options);
  const api = await relayApi(settings);
  if (api === undefined) throw new CliError(["the relay has no web port: web.enabled is false, or web.port is 0"]);
  const path = id === undefined ? what : `integrations/${pathSegment(id)}/${what}`;
  const { count } = await api.request<AskOutcome>("POST", path, body).catch((error: unknown) => {
    if (!(error instanceof ApiError)) throw error;
    throw new CliError([error.status === 0 ? `no relay answers at ${api.url}` : error.message], NOT_ASKED);
  });
  console.log(`asked ${count} integration${count === 1 ? "" : "s"}`);
}
