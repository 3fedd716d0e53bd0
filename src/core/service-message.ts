/**
 * The closed table of what rooms say to each other.
 *
 * | from | to | message |
 * | --- | --- | --- |
 * | intermediary | neuro | `joined` `left` `said` `direct` `chose` |
 * | neuro | intermediary | `upstream` `deliver` `offer` `context` `taken` |
 * | nallely | neuro | `joined` `left` `said` `chose` |
 * | neuro | nallely | `deliver`, to `NALLELY_PEER` |
 * | any | intermediary, nallely | `noted` |
 *
 * Tells run first in, first out, within the step in which they were put.
 */
import type { GameMessage, NeuroMessage } from "./neuro-messages.ts";
import type { ConnectionInfo } from "./event.ts";
import type { Key, PeerId } from "./ids.ts";
import type { Json } from "./json.ts";
import type { Observation } from "./observation.ts";

/** One thing that a room says to another. */
export type ServiceMessage =
  /** An integration greeted: from now on it takes part like a game. The relay as an integration calls from nowhere. */
  | { readonly is: "integrationJoined"; readonly peer: PeerId; readonly name: string; readonly connection?: ConnectionInfo }
  | { readonly is: "integrationLeft"; readonly peer: PeerId }
  /** An integration says something in the words of the Neuro API. */
  | { readonly is: "gameMessage"; readonly peer: PeerId; readonly message: GameMessage }
  /** A watcher, or an operator, puts a context or any command before Neuro. With an id, `taken` follows. */
  | { readonly is: "directMessage"; readonly from: string; readonly payload: Json; readonly id?: string }
  /** What a watcher had for Neuro was said to her, waits under a key that is being written, or had no room to wait. */
  | { readonly is: "directSettled"; readonly id: string; readonly key: Key | undefined; readonly isFull: boolean }
  /** Someone chose for a force that the relay decides itself. */
  | { readonly is: "actionChosen"; readonly from: string; readonly name: string; readonly data: string }
  /** The state of the connection to Neuro changed. `configured` is false when the relay plays her part. */
  | { readonly is: "upstreamChanged"; readonly configured: boolean; readonly open: boolean }
  /** Neuro says something to an integration of the Intermediary. */
  | { readonly is: "neuroMessage"; readonly peer: PeerId; readonly message: NeuroMessage }
  /** The relay plays Neuro and asks watchers and integrations to choose. */
  | { readonly is: "choiceRequested"; readonly choice: ChoiceRequest }
  /** A context that someone gave to Neuro, for the other integrations to know. */
  | { readonly is: "contextShared"; readonly from: string; readonly message: string; readonly silent: boolean }
  /** A fact, for those who watch. */
  | { readonly is: "observed"; readonly observation: Observation };

export interface ChoiceRequest {
  readonly id: string;
  readonly game: string;
  readonly state?: string;
  readonly query: string;
  readonly ephemeral: boolean;
  readonly actions: readonly { readonly name: string; readonly description: string }[];
}
