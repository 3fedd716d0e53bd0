/**
 * The messages of the Neuro API as services exchange them: decoded, repaired and checked.
 *
 * Source: the published API specification of the Neuro game SDK, commands and field names unchanged.
 */
import type { JsonObject } from "./json.ts";

/** An action as its owner defined it, after repair: no nulls, `schema` absent if the action takes no data. */
export interface Action {
  readonly name: string;
  readonly description: string;
  readonly schema?: JsonObject;
}

export type Priority = "low" | "medium" | "high" | "critical";

/** What the relay notes with a message. It is never on the wire. */
interface MessageNotes {
  /** The kinds of repair with which it was read. */
  readonly repairs?: readonly string[];
  /** The id of its trace. */
  readonly trace?: string;
}

/** A message to Neuro from a game, or from an integration on its behalf. */
export type GameMessage =
  | { readonly command: "startup" }
  | ContextMessage
  | { readonly command: "actions/register"; readonly actions: readonly Action[]; readonly mainThread?: boolean }
  | { readonly command: "actions/unregister"; readonly names: readonly string[]; readonly mainThread?: boolean }
  | ForceMessage
  | ResultMessage
  | { readonly command: "shutdown/ready" }
  /** Anything else: `neuro-relay/...`, `nrc-endpoints/...`, or unknown. */
  | { readonly command: "other"; readonly name: string; readonly data?: JsonObject };

export interface ContextMessage extends MessageNotes {
  readonly command: "context";
  /** Set if its text is known to be plain (`isPlain`), because each of its parts is. */
  readonly isPlain?: true;
  readonly message: string;
  readonly silent: boolean;
}

export interface ForceMessage extends MessageNotes {
  readonly command: "actions/force";
  readonly state?: string;
  readonly query: string;
  readonly ephemeral: boolean;
  readonly priority: Priority;
  readonly names: readonly string[];
  readonly mainThread?: boolean;
  /** Whose force it is, for whom the relay asks when it plays Neuro itself. Never on the wire. */
  readonly from?: string;
}

export interface ResultMessage extends MessageNotes {
  readonly command: "action/result";
  /** Absent only from an integration that answers its single pending action. */
  readonly id?: string;
  readonly success: boolean;
  readonly message?: string;
}

/** A message to a game from Neuro, or from the relay acting as Neuro. */
export type NeuroMessage =
  | {
    readonly command: "action";
    readonly id: string;
    readonly name: string;
    readonly data?: string;
    /** The integration that gets it although it has not registered it; from the built-in Neuro only, never on the wire. */
    readonly to?: string;
  }
  | { readonly command: "startup"; readonly session: NeuroSession }
  | { readonly command: "actions/reregister_all" }
  | { readonly command: "speech_finished"; readonly data: JsonObject }
  | { readonly command: "shutdown/graceful"; readonly wanted: boolean }
  | { readonly command: "shutdown/immediate" }
  | { readonly command: "other"; readonly name: string; readonly data?: JsonObject };

/** Who Neuro is on a connection: her answer to `startup`. */
export interface NeuroSession {
  readonly sessionId: string;
  readonly characterId: string;
  readonly displayName: string;
}
