/**
 * The closed union of messages between services.
 *
 * | from | to | message |
 * | --- | --- | --- |
 * | intermediary | neuro | `integrationJoined` `integrationLeft` `gameMessage` `problemFound` `directMessage` `actionChosen` `tracesWatched` |
 * | neuro | intermediary | `upstreamChanged` `neuroMessage` `choiceRequested` `contextShared` `directSettled` `choiceSettled` |
 * | nallely | neuro | `integrationJoined` `integrationLeft` `gameMessage` `actionChosen` |
 * | neuro | nallely | `neuroMessage`, to `NALLELY_PEER` |
 * | neuro | neuro | `neuroMessage`, to `RELAY_PEER` |
 * | any | services that observe | `observed` |
 * | the relay | intermediary | `serviceChanged` `observationsCounted` |
 *
 * Messages are delivered first in, first out, within the step in which they were posted.
 */
import type { DiagnosticId, RepairKind } from "./diagnostics/catalogue.ts";
import type { GameMessage, NeuroMessage } from "./neuro-messages.ts";
import type { ConnectionInfo } from "./event.ts";
import type { Key, PeerId } from "./ids.ts";
import type { Json } from "./json.ts";
import type { Observation } from "./observation.ts";
import type { Failure } from "./result.ts";
import type { ServiceName } from "./service.ts";

/** One message from a service to another. */
export type ServiceMessage =
  /** An integration registered: from now on it takes part like a game. The relay's own neuron has no connection. */
  | {
    readonly is: "integrationJoined";
    readonly peer: PeerId;
    readonly name: string;
    readonly connection?: ConnectionInfo;
    /** It wants the traces of its own messages. */
    readonly traces?: boolean;
  }
  | { readonly is: "integrationLeft"; readonly peer: PeerId }
  /** A message of an integration in terms of the Neuro API, with the repairs of the reader for its developer. */
  | {
    readonly is: "gameMessage";
    readonly peer: PeerId;
    readonly message: GameMessage;
    readonly repairs?: readonly { readonly what: RepairKind; readonly hint: string }[];
  }
  /** A diagnostic of an integration. Its event and its log line are observed already. */
  | {
    readonly is: "problemFound";
    readonly peer: PeerId;
    readonly what: DiagnosticId;
    readonly detail: string;
    readonly message?: Json;
  }
  /** A watcher or operator sends Neuro a context or any command. With an id, `directSettled` follows. */
  | { readonly is: "directMessage"; readonly from: string; readonly payload: Json; readonly id?: string }
  /** A watcher's message for Neuro was sent, waits under a key that is being written, or was refused. */
  | {
    readonly is: "directSettled";
    readonly id: string;
    readonly key: Key | undefined;
    readonly refusal: Failure | undefined;
  }
  /** A peer chose an action for a force that the relay decides itself. With an id, `choiceSettled` follows. */
  | {
    readonly is: "actionChosen";
    readonly from: string;
    readonly name: string;
    readonly data: string;
    readonly id?: string;
  }
  /** The chosen action was sent, or refused. */
  | { readonly is: "choiceSettled"; readonly id: string; readonly refusal: Failure | undefined }
  /** The connection to Neuro changed. `configured` is false in standalone mode. */
  | { readonly is: "upstreamChanged"; readonly configured: boolean; readonly open: boolean }
  /** Whether a watcher wants the event of each trace. */
  | { readonly is: "tracesWatched"; readonly wanted: boolean }
  /** A message of Neuro to an integration of the Intermediary. */
  | { readonly is: "neuroMessage"; readonly peer: PeerId; readonly message: NeuroMessage }
  /** Standalone mode: asks watchers and integrations to choose an action. */
  | { readonly is: "choiceRequested"; readonly choice: ChoiceRequest }
  /** A context that was sent to Neuro, for the other integrations. */
  | {
    readonly is: "contextShared";
    readonly from: string;
    /** The integration that sent it. None where a watcher or operator did. */
    readonly peer: PeerId | undefined;
    readonly message: string;
    readonly silent: boolean;
  }
  /** What a service shows may have changed. Only while the Intermediary wants to know. */
  | { readonly is: "serviceChanged"; readonly service: ServiceName }
  /** An observation, for services that observe. */
  | { readonly is: "observed"; readonly observation: Observation }
  /** The number of observations in whose place the service gets only this number (`countsUntil`). */
  | { readonly is: "observationsCounted"; readonly count: number };

export interface ChoiceRequest {
  readonly id: string;
  readonly game: string;
  readonly state?: string;
  readonly query: string;
  readonly ephemeral: boolean;
  readonly actions: readonly { readonly name: string; readonly description: string }[];
}
