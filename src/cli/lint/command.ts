/** `lint`: runs a relay until its time is over or the integration has left, and reports what the integration does wrong. */
import { Command, InvalidArgumentError, Option } from "commander";
import { writeFile } from "node:fs/promises";
import process from "node:process";
import { SEVERITIES, type Severity } from "../../core/diagnostics/catalogue.ts";
import { BEHAVIOUR_PRESET_NAMES } from "../../core/defaults.ts";
import type { BehaviourPreset, Settings } from "../../core/settings.ts";
import { errorText } from "../../core/text.ts";
import { parseDuration } from "../../config/quantities.ts";
import { CliError } from "../cli-error.ts";
import { type ConfigurationOptions, readConfiguration, withConfiguration } from "../configuration.ts";
import { runtime } from "../runtime.ts";
import { describeVersion } from "../version.ts";
import { FORMATS, FORMATTERS, type LintFormat } from "./formats.ts";
import { hasPassed, inOrder, type LintReport } from "./report.ts";

interface LintOptions extends ConfigurationOptions {
  readonly for: number;
  readonly format: LintFormat;
  readonly failOn: Severity;
  readonly output?: string;
  readonly port?: string;
  readonly intermediary?: boolean;
  readonly behaviour: BehaviourPreset;
}

/** The exit status of an integration that has not passed. */
const FAILED = 1;

export function lintCommand(): Command {
  return withConfiguration(new Command("lint"))
    .description("check an integration: run a relay, play Neuro, and report what breaks the rules of the Neuro API")
    .option("--for <duration>", "how long the relay runs, unless the integration leaves before", durationOf, 60_000)
    .addOption(new Option("--format <format>", "the format of the report").choices(FORMATS).default("text"))
    .addOption(new Option("--fail-on <severity>", "the least severity that fails").choices(SEVERITIES).default("error"))
    .option("-o, --output <file>", "write the report to a file instead of standard output")
    .option("-p, --port <port>", "the port for games; short for --set nakurity-backend.port=<port>")
    .option("--intermediary", "also open the Intermediary")
    .addOption(
      new Option("--behaviour <preset>", "how Neuro is played").choices(BEHAVIOUR_PRESET_NAMES).default("lively"),
    )
    .action(lint);
}

async function lint({ port, set = [], ...options }: LintOptions): Promise<void> {
  const sets = [...set, ...(port === undefined ? [] : [`nakurity-backend.port=${port}`])];
  const { settings } = await readConfiguration({ ...options, set: sets });
  if (options.output !== undefined) await save(options.output, ""); // Why here: a wrong path is reported before the integration runs.
  const report = await check(settingsFor(settings, options), options);
  const text = FORMATTERS[options.format](report);
  if (options.output === undefined) await print(`${text}\n`);
  else await save(options.output, `${text}\n`);
  process.exit(hasPassed(report) ? 0 : FAILED); // Why: as in `serve`, a half-closed socket must not keep the process alive.
}

/** Runs the relay and collects what it has noticed. */
async function check(settings: Settings, options: LintOptions): Promise<LintReport> {
  const { lintServices } = await import("../../runtimes/lint-services.ts");
  const { serve } = await runtime();
  const { services, left, integrations, diagnostics } = lintServices(settings);
  const { promise: stopped, resolve: stop } = Promise.withResolvers<void>();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop());
  const served = await serve(settings, { services, print: () => {} });
  for (const url of [served.urls.neuro, served.urls.intermediary]) {
    if (url !== undefined) console.error(`connect the integration to ${url}`);
  }
  const timer = setTimeout(stop, options.for);
  await Promise.race([left, stopped]);
  clearTimeout(timer);
  const report: LintReport = {
    version: describeVersion(),
    integrations: integrations(),
    diagnostics: inOrder(diagnostics()),
    failOn: options.failOn,
  };
  await served.drain();
  return report;
}

/** The listeners of integrations and nothing else. The relay plays Neuro, and stores nothing. */
function settingsFor(
  settings: Settings,
  { intermediary = false, behaviour: preset }: Pick<LintOptions, "intermediary" | "behaviour">,
): Settings {
  const off = { enabled: false };
  const backend = settings["nakurity-backend"];
  const { behaviour } = backend;
  return {
    ...settings,
    intermediary: { ...settings.intermediary, enabled: intermediary },
    "nakurity-backend": {
      ...backend,
      enabled: true,
      choice_timeout: CHOICE_MS,
      // Why: what the network does would look like the integration's fault.
      faults: { ...backend.faults, enabled: false },
      behaviour: { ...behaviour, preset, interval: behaviour.interval ?? INTERVAL_MS },
    },
    "nakurity-clients": [],
    brain: { ...settings.brain, ...off },
    "intercept-proxy": { ...settings["intercept-proxy"], ...off },
    nallely: { ...settings.nallely, ...off },
    web: { ...settings.web, ...off },
    queue: { ...settings.queue, backend: "memory" },
    uploads: { ...settings.uploads, ...off },
    log: { ...settings.log, level: "error", levels: {}, file: "" },
    record: { ...settings.record, file: "" },
  };
}

/** Nobody else chooses, so the relay does so at once, after the messages that a game sends with its force. */
const CHOICE_MS = 100;
/** Shorter than that of each preset: a check takes a minute. */
const INTERVAL_MS = 2_000;

const print = (text: string): Promise<void> => new Promise((resolve) => void process.stdout.write(text, () => resolve()));

async function save(file: string, text: string): Promise<void> {
  await writeFile(file, text).catch((error: unknown) => {
    throw new CliError([`${file}: cannot be written: ${errorText(error)}`]);
  });
}

function durationOf(text: string): number {
  const ms = parseDuration(text);
  if (ms !== undefined && ms >= 1 && ms <= DAY_MS) return ms;
  throw new InvalidArgumentError("expected a duration such as 60s or 5m, at most 24h");
}

const DAY_MS = 86_400_000;
