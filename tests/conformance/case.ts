/** One case of the suite, the same for every platform. */
import type { Relay, Setup } from "./platform.ts";
import type { Neuro } from "./clients.ts";

export interface Case {
  /** Begins with the id of its rule. */
  readonly name: string;
  readonly setup?: Setup;
  /** The relay dials a Neuro; otherwise it acts as Neuro itself. */
  readonly hasUpstream?: boolean;
  run(relay: Relay, neuro: Neuro): Promise<void>;
}
