/** `#serve` on a runtime that cannot run the relay as a process. */
import type { Settings } from "../core/settings.ts";
import {
  type LinkProcessOptions,
  type RelayHandle,
  type ServeOptions,
  StartError,
  type Stoppable,
} from "./serve-options.ts";

export { type RelayHandle, type ServeOptions, StartError } from "./serve-options.ts";

/** Rejects: a relay listens on Bun and Deno. On Workers it is a Durable Object. */
export function serve(_settings: Settings, _options: ServeOptions = {}): Promise<RelayHandle> {
  return Promise.reject(new StartError("the relay runs on Bun, Deno and Cloudflare Workers, not on this runtime"));
}

/** Rejects: a link listens and dials on Bun and Deno. */
export function link(_options: LinkProcessOptions): Promise<Stoppable> {
  return Promise.reject(new StartError("neuro-relay link runs on Bun and Deno, not on this runtime"));
}

/** Never called, because nothing is served. */
export const untilStopped = (_relay: Stoppable): Promise<void> => Promise.resolve();
