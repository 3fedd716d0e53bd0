/** `serve`: runs the relay until it is stopped. */
import { Command } from "commander";
import { resolve } from "node:path";
import process from "node:process";
import { ConfigWatcher } from "./config-watcher.ts";
import { type ConfigurationOptions, readConfiguration, withConfiguration } from "./configuration.ts";
import { leftBehind } from "./queue/left-behind.ts";
import { runtime } from "./runtime.ts";
import { endStart } from "../runtimes/jit.ts";
import { onSighup } from "./sighup.ts";

interface ServeFlags extends ConfigurationOptions {
  readonly record?: string;
  readonly port?: string;
}

export function serveCommand(): Command {
  return withConfiguration(new Command("serve").description("run the relay (the default command)"))
    .option("-p, --port <port>", "the port for games; short for --set nakurity-backend.port=<port>")
    .option("--record <file>", "record all messages, without tokens, for `neuro-relay replay`")
    .action(({ record, port, set = [], ...options }: ServeFlags) =>
      run({
        ...options,
        set: [
          ...set,
          ...(port === undefined ? [] : [`nakurity-backend.port=${port}`]),
          // Why absolute: a path on the command line starts from the working directory, not from the folder of the configuration.
          ...(record === undefined ? [] : [`record.file=${resolve(record)}`]),
        ],
      })
    );
}

async function run(options: ConfigurationOptions): Promise<void> {
  const configuration = await readConfiguration(options);
  for (const warning of configuration.warnings) note(warning);
  for (const warning of await leftBehind(configuration.settings.queue)) note(warning);
  const { serve, untilStopped } = await runtime();
  const { promise: watching, resolve: startWatching } = Promise.withResolvers<ConfigWatcher>();
  onSighup(() => void watching.then((watcher) => watcher.reload()));
  const served = await serve(configuration.settings);
  endStart();
  const watcher = new ConfigWatcher(configuration, {
    read: () => readConfiguration(options),
    apply: (settings) => served.configure(settings),
    note,
  });
  startWatching(watcher);
  await untilStopped(served);
  watcher.stop();
  process.exit(0); // Why: whatever a runtime keeps open, such as a half-closed socket, must not keep the process alive.
}

const note = (line: string): void => console.error(`note: ${line}`);
