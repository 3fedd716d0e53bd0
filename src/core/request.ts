/** What HTTP, the command line and the dashboard may ask of the running relay. One path: `asked` in, `answer` out. */
import type { Json } from "./json.ts";
import type { ServiceName } from "./service.ts";
import type { Scope } from "./settings.ts";
import type { Controls, IntegrationControls, PageRequest } from "./view.ts";

/** One question; what its answer looks like stands with each. */
export type ServiceRequest = CommonRequest | IntermediaryRequest | NeuroRequest | BrainRequest;

/** On whose behalf something is asked. */
export interface Principal {
  /** The name of the token; it stands in the audit log. */
  readonly by: string;
  readonly scopes: readonly Scope[];
}

/** What every room answers. */
export type CommonRequest =
  /** `{ok, waits: string[]}`: is the room ready to do its work, and if not, why. */
  | { readonly of: ServiceName; readonly get: "ready" }
  /** The room's own overview, as plain JSON. */
  | { readonly of: ServiceName; readonly get: "status" };

/** Who is here, what waits for whom, and what a person may do about it. */
export type IntermediaryRequest =
  /** `Page<PeerView>` or `Page<UploadView>`, in one piece. */
  | { readonly of: "intermediary"; readonly get: "peers" | "uploads" }
  /** `Page<QueueView>`: how much waits for whom; with `to` a `Page<QueueEntryView>` of what waits for one of them. */
  | { readonly of: "intermediary"; readonly get: "queue"; readonly to?: string } & PageRequest
  /** `Page<DeadLetterView>`. */
  | { readonly of: "intermediary"; readonly get: "dead" } & PageRequest
  /** `MessageView`: one entry or dead letter, with its body. */
  | { readonly of: "intermediary"; readonly get: "message"; readonly id: string }
  /** A dead letter goes to its recipient once more; `Sent`. */
  | { readonly of: "intermediary"; readonly get: "retry"; readonly id: string }
  /** With `dead` only if it is a dead letter. */
  | { readonly of: "intermediary"; readonly get: "drop"; readonly id: string; readonly dead?: true }
  /** `Page<AuditView>`, the newest first. */
  | { readonly of: "intermediary"; readonly get: "audit" } & PageRequest
  /** `EventView[]`: the last events, the oldest first. Who asks watches for a while, unless this is the last time. */
  | { readonly of: "intermediary"; readonly get: "events"; readonly limit: number; readonly last?: true }
  /** What a watcher's command does; `Sent`. */
  | { readonly of: "intermediary"; readonly get: "send"; readonly from: string; readonly to: string; readonly cmd: Json };

/** The integrations of both doors, and what a person may do with what passes between them and Neuro. */
export type NeuroRequest =
  /** `Page<IntegrationView>`. */
  | { readonly of: "neuro"; readonly get: "integrations" } & PageRequest
  /** `IntegrationDetail`. */
  | { readonly of: "neuro"; readonly get: "integration"; readonly id: string }
  /** Changes what is given; answers `IntegrationView`. */
  | { readonly of: "neuro"; readonly get: "control"; readonly id: string; readonly to: Partial<IntegrationControls> }
  /** Changes what is given; answers `Controls`. */
  | { readonly of: "neuro"; readonly get: "controls"; readonly to: Partial<Controls> }
  /** Closes the connection of an integration; it may come back. */
  | { readonly of: "neuro"; readonly get: "disconnect"; readonly id: string }
  /** Sends an action to one integration, as Neuro would; `ActionOutcome`, once there is one. `data` is JSON text. */
  | { readonly of: "neuro"; readonly get: "act"; readonly id: string; readonly name: string; readonly data?: string }
  /** Answers a force in Neuro's place; `ActionOutcome`. */
  | { readonly of: "neuro"; readonly get: "answer"; readonly force: string; readonly name: string; readonly data?: string }
  /** Takes a force back; its integration hears nothing, for the protocol has no word for it. */
  | { readonly of: "neuro"; readonly get: "veto"; readonly force: string }
  /** Lets a pending action go, or fails it with the reason. */
  | {
    readonly of: "neuro";
    readonly get: "decide";
    readonly pending: string;
    readonly approve: boolean;
    readonly message?: string;
  }
  /** Puts a context before Neuro. */
  | {
    readonly of: "neuro";
    readonly get: "context";
    readonly upstream?: string;
    readonly message: string;
    readonly silent: boolean;
  }
  /** A raw message to an integration as from Neuro, or to Neuro as from the relay. */
  | {
    readonly of: "neuro";
    readonly get: "inject";
    readonly integration?: string;
    readonly upstream?: string;
    readonly message: Json;
  };

export type BrainRequest =
  /** The record of the last prediction that was made under a trace id. */
  { readonly of: "brain"; readonly get: "prediction"; readonly trace_id: Json };
