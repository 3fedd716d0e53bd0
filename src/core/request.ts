/**
 * Requests that HTTP, the command line and the dashboard make to a service of the running relay.
 *
 * A query reads, a command changes. Both take one path: the event `requested` in, the effect `respond` out. The two tables below
 * are the only place that says what each takes and what its reply looks like; the unions and `ReplyTo` follow from them.
 */
import type { DiagnosticId, Severity } from "./diagnostics/catalogue.ts";
import type { FaultName } from "./fault.ts";
import type { Millis, RequestId } from "./ids.ts";
import type { Json, JsonObject } from "./json.ts";
import type { ServiceName } from "./service.ts";
import type { TraceFilter, TraceView, TranscriptFilter, TranscriptView } from "./traces/trace.ts";
import type { Scope } from "./settings.ts";
import type { StepContext } from "./context.ts";
import type {
  ActionOutcome,
  AuditFilter,
  AuditView,
  BrainSessionDetail,
  BrainSessionView,
  Controls,
  DeadLetterFilter,
  DeadLetterView,
  DiagnosticView,
  EventCriteria,
  EventPage,
  ForceView,
  IntegrationControlsChange,
  IntegrationDetail,
  IntegrationFilter,
  IntegrationView,
  MacroView,
  MessageView,
  NallelyView,
  NeuroView,
  Page,
  PageRequest,
  PeerView,
  PendingView,
  PredictionView,
  QueueEntryView,
  QueueView,
  Readiness,
  SendOutcome,
  UploadView,
  WatcherView,
} from "./view.ts";

/** The identity under which a request is made, and its scopes. */
export interface Principal {
  /** Name of the token; it is written to the audit log. */
  readonly by: string;
  readonly scopes: readonly Scope[];
}

/** One row of the tables: parameters in, reply out. */
interface RequestType<Params, Reply> {
  readonly params: Params;
  readonly reply: Reply;
}

type NoParams = Readonly<Record<never, never>>;

/** Queries that every service answers. */
interface CommonQueries<Status> {
  /** Whether the service can do its work, and if not, what it waits for. */
  readonly ready: RequestType<NoParams, Readiness>;
  /** The service's own overview. */
  readonly status: RequestType<NoParams, Status>;
}

/** Queries of each service, by name. */
export interface ServiceQueries {
  readonly intermediary: CommonQueries<JsonObject> & {
    readonly peers: RequestType<NoParams, Page<PeerView>>;
    readonly uploads: RequestType<NoParams, Page<UploadView>>;
    /** Number of waiting messages for each recipient. */
    readonly queues: RequestType<PageRequest, Page<QueueView>>;
    /** The messages that wait for one recipient. */
    readonly queueEntries: RequestType<PageRequest & { readonly to: string }, Page<QueueEntryView>>;
    readonly deadLetters: RequestType<PageRequest & DeadLetterFilter, Page<DeadLetterView>>;
    /** One queue entry or dead letter, with its body. */
    readonly message: RequestType<{ readonly id: string }, MessageView>;
    /** Traces of commands, newest first. `integration` is the name of the recipient. */
    readonly traces: RequestType<TraceFilter, Page<TraceView>>;
    readonly trace: RequestType<{ readonly id: string }, TraceView>;
    /** Newest first. */
    readonly audit: RequestType<PageRequest & AuditFilter, Page<AuditView>>;
    /** The watchers with a socket. */
    readonly watchers: RequestType<NoParams, Page<WatcherView>>;
    /** The last events, or those after a cursor. The caller counts as a watcher for a while, except with `last`. */
    readonly events: RequestType<EventRequest, EventPage>;
  };
  readonly neuro: CommonQueries<NeuroView> & {
    readonly integrations: RequestType<PageRequest & IntegrationFilter, Page<IntegrationView>>;
    readonly integration: RequestType<{ readonly id: string }, IntegrationDetail>;
    readonly controls: RequestType<NoParams, Controls>;
    /** Waiting and current forces, in the order of their ids. */
    readonly forces: RequestType<PageRequest & { readonly integration?: string }, Page<ForceView>>;
    /** Actions without a result, in the order of their ids. */
    readonly pending: RequestType<PageRequest & { readonly integration?: string }, Page<PendingView>>;
    /** Diagnostics in the order of integrations, at least as grave as `severity`. */
    readonly diagnostics: RequestType<
      PageRequest & { readonly integration?: string; readonly severity?: Severity; readonly what?: DiagnosticId },
      Page<DiagnosticView>
    >;
    /** In the order in which they were saved first. */
    readonly macros: RequestType<PageRequest, Page<MacroView>>;
    /** Traces of forces, actions, contexts and ignored results, newest first. */
    readonly traces: RequestType<TraceFilter, Page<TraceView>>;
    readonly trace: RequestType<{ readonly id: string }, TraceView>;
    /** Newest first. */
    readonly transcript: RequestType<TranscriptFilter, Page<TranscriptView>>;
  };
  readonly nallely: CommonQueries<JsonObject> & {
    /** The relay as a neuron. */
    readonly neuron: RequestType<NoParams, NallelyView>;
  };
  readonly brain: CommonQueries<JsonObject> & {
    /** In the order of their names. */
    readonly sessions: RequestType<PageRequest, Page<BrainSessionView>>;
    /** One session, by the beginning of its id, with its state and its last events. */
    readonly session: RequestType<{ readonly name: string }, BrainSessionDetail>;
    /** The last stored prediction under a trace id. */
    readonly prediction: RequestType<{ readonly trace_id: Json }, PredictionView>;
  };
  readonly proxy: CommonQueries<JsonObject>;
}

/** Commands of each service, by name. */
export interface ServiceCommands {
  readonly intermediary: {
    /** Sends a watcher's command to an integration. */
    readonly sendCommand: RequestType<{ readonly from: string; readonly to: string; readonly cmd: Json }, SendOutcome>;
    /** Sends a dead letter to its recipient once more. */
    readonly retryMessage: RequestType<{ readonly id: string }, SendOutcome>;
    /** Records an act of an operator that no service carried out. */
    readonly recordAct: RequestType<
      { readonly did: string; readonly to: string; readonly outcome: "done" | FaultName },
      Done
    >;
    /** Deletes a queue entry or dead letter; with `dead` only a dead letter. */
    readonly dropMessage: RequestType<{ readonly id: string; readonly dead?: true }, Done>;
  };
  readonly neuro: {
    /** Changes the controls that are given. `expects`: only if what operators have decided has one of these tags (`view.ts`). */
    readonly setControls: RequestType<
      { readonly id: string; readonly to: IntegrationControlsChange; readonly expects?: readonly string[] },
      IntegrationView
    >;
    readonly setGlobalControls: RequestType<
      { readonly to: Partial<Controls>; readonly expects?: readonly string[] },
      Controls
    >;
    /** Approves an integration whose policy asks for that, or rejects it. */
    readonly decideIntegration: RequestType<{ readonly id: string; readonly approve: boolean }, IntegrationView>;
    /** Closes the connection of an integration, which may reconnect. */
    readonly disconnect: RequestType<{ readonly id: string }, Done>;
    /** Asks one integration, or all, to shut down. One that does not answer is disconnected after `actions.shutdown_timeout`. */
    readonly shutDown: RequestType<{ readonly id?: string; readonly how: ShutdownKind }, AskOutcome>;
    /** Asks one integration, or all, to register their actions again. With `clear` they are unregistered first. */
    readonly reregister: RequestType<{ readonly id?: string; readonly clear?: boolean }, AskOutcome>;
    /** Sends Neuro's session (her character, display name and session id) to one integration, or to all, again. */
    readonly resendSession: RequestType<{ readonly id?: string }, AskOutcome>;
    /** Sends an action to one integration, as Neuro would. Replies with its result. `data` is JSON text. */
    readonly sendAction: RequestType<{ readonly id: string; readonly name: string; readonly data?: string }, ActionOutcome>;
    /** Saves an action under a label, in place of the one with the same label. `data` is JSON text. */
    readonly saveMacro: RequestType<
      { readonly label: string; readonly id: string; readonly name: string; readonly data?: string },
      MacroView
    >;
    readonly deleteMacro: RequestType<{ readonly macro: string }, Done>;
    /** Sends the action of a macro. Replies with its result. */
    readonly runMacro: RequestType<{ readonly macro: string }, ActionOutcome>;
    /** Answers a force instead of Neuro. Replies with the action's result. */
    readonly answerForce: RequestType<
      { readonly force: string; readonly name: string; readonly data?: string },
      ActionOutcome
    >;
    /** Cancels a force. Its integration is not notified, because the protocol has no message for it. */
    readonly cancelForce: RequestType<{ readonly force: string }, Done>;
    /** Approves a pending action, with `data` (JSON text) in place of Neuro's, or fails it with the message. */
    readonly decideAction: RequestType<
      { readonly pending: string; readonly approve: boolean; readonly message?: string; readonly data?: string },
      Done
    >;
    /** `message` and `silent` are read as those of a game's context. */
    readonly sendContext: RequestType<
      { readonly upstream?: string; readonly message: Json; readonly silent?: Json },
      SendOutcome
    >;
    /** Sends a raw message to an integration as Neuro, or to Neuro as the relay. */
    readonly injectMessage: RequestType<
      { readonly integration?: string; readonly upstream?: string; readonly message: Json },
      Done
    >;
  };
  readonly nallely: {
    /** Sends an output, or handles an input as if its value had arrived. */
    readonly setValue: RequestType<{ readonly parameter: string; readonly value: number }, Done>;
  };
}

/** The events that are requested, at most `limit`: the latest ones, or the first ones after the id `after`. */
export interface EventRequest extends EventCriteria {
  readonly limit: number;
  readonly after?: string;
  /** With no event so far, the reply comes with the first one, or after this time. */
  readonly wait?: Millis;
  /** Nobody watches after this request. */
  readonly last?: boolean;
}

/** `cancel` takes an earlier request back. */
export type ShutdownKind = "graceful" | "immediate" | "cancel";

/** How many integrations a command has reached. */
export interface AskOutcome {
  readonly status: "asked";
  readonly count: number;
}

/** Reply of a command that has nothing to show but that it was done. */
export interface Done {
  readonly status: string;
}

type QueryOf<S extends ServiceName> = {
  [Name in keyof ServiceQueries[S]]: ServiceQueries[S][Name] extends RequestType<infer Params, unknown>
    ? { readonly of: S; readonly get: Name } & Params
    : never;
}[keyof ServiceQueries[S]];

type CommandOf<S extends keyof ServiceCommands> = {
  [Name in keyof ServiceCommands[S]]: ServiceCommands[S][Name] extends RequestType<infer Params, unknown>
    ? { readonly of: S; readonly do: Name } & Params
    : never;
}[keyof ServiceCommands[S]];

/** A request that only reads. */
export type Query = { [S in ServiceName]: QueryOf<S> }[ServiceName];
/** A request that changes something. */
export type Command = { [S in keyof ServiceCommands]: CommandOf<S> }[keyof ServiceCommands];
/** A request to a service of the relay. */
export type ServiceRequest = Query | Command;

export type IntermediaryRequest = QueryOf<"intermediary"> | CommandOf<"intermediary">;
export type NeuroRequest = QueryOf<"neuro"> | CommandOf<"neuro">;
export type NallelyRequest = QueryOf<"nallely"> | CommandOf<"nallely">;
export type BrainRequest = QueryOf<"brain">;

type OperationOf<R> = R extends { readonly of: infer S extends ServiceName; readonly get: infer Name } //
  ? Name extends keyof ServiceQueries[S] ? ServiceQueries[S][Name] : never
  : R extends { readonly of: infer S extends keyof ServiceCommands; readonly do: infer Name }
    ? Name extends keyof ServiceCommands[S] ? ServiceCommands[S][Name] : never
  : never;

/** The type of the reply to a request. */
export type ReplyTo<R extends ServiceRequest> = OperationOf<R> extends RequestType<unknown, infer Reply> ? Reply : never;

/** A request as a service receives it. */
export interface Requested<R extends ServiceRequest> {
  readonly requestId: RequestId;
  readonly principal: Principal;
  readonly request: R;
}

/** Replies to a request, with a body of the type that its table names. */
export function respond<R extends ServiceRequest>(
  to: Pick<Requested<R>, "requestId" | "request">,
  reply: NoInfer<ReplyTo<R>>,
  ctx: StepContext,
): void {
  // Why the cast: an interface has no index signature, and the tables above name views made of JSON only.
  ctx.emit({ do: "respond", requestId: to.requestId, body: reply as Json });
}
