/** Loads the part of the relay for the runtime that executes this program. */
import type { Settings } from "../core/settings.ts";
import type { LinkProcessOptions, RelayHandle, ServeOptions, Stoppable } from "../runtimes/serve-options.ts";
import { CliError } from "./cli-error.ts";

/** The exports of `#serve`: `runtimes/bun/serve.ts` or `runtimes/deno/serve.ts`. */
export interface Runtime {
  /** Starts a relay; rejects if it cannot. */
  serve(settings: Settings, options?: ServeOptions): Promise<RelayHandle>;
  /** Starts `neuro-relay link`; rejects if it cannot. */
  link(options: LinkProcessOptions): Promise<Stoppable>;
  untilStopped(served: Stoppable): Promise<void>;
}

/** The runtime's functions; `serve` rejects with a `CliError` if the relay cannot start. */
export async function runtime(): Promise<Runtime> {
  const { serve, link, untilStopped } = await import("#serve");
  return {
    serve: (settings, options) => serve(settings, options).catch(startFailure),
    link: (options) => link(options).catch(startFailure),
    untilStopped,
  };
}

function startFailure(error: unknown): never {
  // Why by name: the class belongs to the runtime's part, which is imported lazily.
  throw error instanceof Error && error.name === "StartError" ? new CliError([error.message]) : error;
}
