/**
 * Commands about the integrations of the running relay: `shutdown` and `reregister` ask them to shut down, or to register their actions
 * again, `session` introduces Neuro again, `behaviour` selects how the relay plays Neuro for them, and `approve` and `reject` decide about
 * unknown ones.
 */
import { Argument, Command } from "commander";
import { ApiError, pathSegment } from "../clients/api-client.ts";
import { BEHAVIOUR_PRESET_NAMES } from "../core/defaults.ts";
import type { JsonObject } from "../core/json.ts";
import type { AskOutcome } from "../core/request.ts";
import type { IntegrationView } from "../core/view.ts";
import { CliError } from "./cli-error.ts";
import { type ConfigurationOptions, readConfiguration, withConfiguration } from "./configuration.ts";
import { requireRelayApi } from "./relay-api.ts";

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

export function sessionCommand(): Command {
  return withConfiguration(new Command("session"))
    .description("send integrations of the running relay Neuro's session again, which is her answer to their `startup`")
    .argument("[integration]", "the id of an integration")
    .option("--all", "all connected integrations")
    .action((id: string | undefined, options: Target) => ask(id, options, "session", {}));
}

/** What ends the choice of a preset. */
const CONFIGURED = "configured";

export function behaviourCommand(): Command {
  return withConfiguration(new Command("behaviour"))
    .description("select how the running relay plays Neuro, without an upstream")
    .addArgument(
      new Argument("<preset>", `a preset; ${CONFIGURED}: as configured`).choices([...BEHAVIOUR_PRESET_NAMES, CONFIGURED]),
    )
    .argument("[integration]", "the id of an integration")
    .option("--all", "all integrations without a preset of their own")
    .action(async (preset: string, id: string | undefined, { all, ...options }: Target) => {
      const path = pathOf(id, all, "controls");
      await send("PATCH", path, { behaviour: preset === CONFIGURED ? null : preset }, options);
      console.log(`Neuro is ${preset === CONFIGURED ? "played as configured" : preset} for ${id ?? "all"}`);
    });
}

export const approveCommand = (): Command =>
  decisionCommand("approve", "approve an integration whose policy has `admission: approval`: Neuro sees its actions");

export const rejectCommand = (): Command =>
  decisionCommand("reject", "reject an integration whose policy has `admission: approval`: Neuro sees nothing of it");

function decisionCommand(name: "approve" | "reject", description: string): Command {
  return withConfiguration(new Command(name))
    .description(description)
    .argument("<integration>", "the id of an integration")
    .action(async (id: string, options: ConfigurationOptions) => {
      const path = `integrations/${pathSegment(id)}/decision`;
      const { admission } = await send<IntegrationView>("POST", path, { approve: name === "approve" }, options);
      console.log(`${admission} ${id}`);
    });
}

async function ask(id: string | undefined, { all, ...options }: Target, what: string, body: JsonObject): Promise<void> {
  const path = pathOf(id, all, what, `/${what}`);
  const { count } = await send<AskOutcome>("POST", path, body, options);
  console.log(`asked ${count} integration${count === 1 ? "" : "s"}`);
}

/** The path of one integration, with its part `own`, or that of all of them. */
function pathOf(id: string | undefined, all: true | undefined, ofAll: string, own = ""): string {
  if ((id === undefined) === (all === undefined)) throw new CliError(["expected the id of an integration, or --all"]);
  return id === undefined ? ofAll : `integrations/${pathSegment(id)}${own}`;
}

async function send<Reply>(
  method: "POST" | "PATCH",
  path: string,
  body: JsonObject,
  options: ConfigurationOptions,
): Promise<Reply> {
  const { settings } = await readConfiguration(options);
  const api = await requireRelayApi(settings);
  return await api.request<Reply>(method, path, body).catch((error: unknown) => {
    if (!(error instanceof ApiError)) throw error;
    throw new CliError([error.status === 0 ? `no relay answers at ${api.url}` : error.message], NOT_ASKED);
  });
}
