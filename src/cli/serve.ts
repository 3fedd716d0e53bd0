/** `serve`: runs the relay until it is told to stop. */
import { Command } from "commander";
import { resolve } from "node:path";
import process from "node:process";
import { type ConfigurationOptions, readConfiguration, withConfiguration } from "./configuration.ts";
import { Following } from "./follow.ts";
import { onHangup } from "./hangup.ts";
import { runtime } from "./runtime.ts";

/** The command with its options. */
export function serveCommand(): Command {
  return withConfiguration(new Command("serve").description("run the relay (the default command)"))
    .option("--record <file>", "record everything that is said, without tokens, for `neuro-relay replay`")
    .action(({ record, ...options }: ServeFlags) => run(record === undefined ? options : recording(options, record)));
}

interface ServeFlags extends ConfigurationOptions {
  readonly record?: string;
}

/** Why absolute: what is typed starts from where it is typed, not from where the configuration lies. */
const recording = (options: ConfigurationOptions, file: string): ConfigurationOptions => ({
  ...options,
  set: [...options.set ?? [], `record.file=${resolve(file)}`],
});

async function run(options: ConfigurationOptions): Promise<void> {
  const configuration = await readConfiguration(options);
  for (const warning of configuration.warnings) note(warning);
  const { serve, untilStopped } = await runtime();
  const { promise: begun, resolve: begin } = Promise.withResolvers<Following>();
  onHangup(() => void begun.then((following) => following.again()));
  const served = await serve(configuration.settings);
  const following = new Following(configuration, {
    read: () => readConfiguration(options),
    apply: (settings) => served.configure(settings),
    note,
  });
  begin(following);
  await untilStopped(served);
  following.stop();
  process.exit(0); // Why: what a runtime still keeps open, such as a half-closed socket, must not keep the process.
}

const note = (line: string): void => console.error(`note: ${line}`);
