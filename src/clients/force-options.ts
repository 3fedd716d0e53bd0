/** A force, as the clients of games and of integrations send it. */
import type { Priority } from "../core/neuro-messages.ts";

/** A question to Neuro. She has to choose one of the actions. */
export interface ForceOptions {
  readonly query: string;
  readonly state?: string;
  /** Names of registered actions. */
  readonly actions: readonly string[];
  /** Neuro forgets `state` and `query` afterwards. Default: false. */
  readonly ephemeralContext?: boolean;
  /** Default: `low`. */
  readonly priority?: Priority;
}
