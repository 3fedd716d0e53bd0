/**
 * Requests of watchers that the Neuro service decides: messages for Neuro (`direct_to_neuro`) and choices.
 *
 * Invariant: the reply and the audit entry of such a request state its outcome, so both wait until the Neuro service reports it.
 */
import type { StepContext } from "../../../core/context.ts";
import type { Reply } from "../../../core/effect.ts";
import type { FaultName } from "../../../core/fault.ts";
import type { PeerId } from "../../../core/ids.ts";
import { failed, ok, type Result } from "../../../core/result.ts";
import type { ServiceMessage } from "../../../core/service-message.ts";
import type { WatcherActs } from "../audit/watcher-acts.ts";
import { replyText, type WatcherRequestId } from "../codec/frames.ts";
import type { WatcherRequest } from "../codec/watcher-requests.ts";
import type { Watcher } from "../connections/peer.ts";
import { replyWithError, unavailableText, type WatcherReply } from "./replies.ts";

/** The connection to Neuro. Without a configured upstream the relay may act as Neuro. */
export interface UpstreamStatus {
  readonly configured: boolean;
  readonly open: boolean;
}

type DirectRequest = Extract<WatcherRequest, { readonly is: "direct" }>;
type WatcherChoice = Extract<WatcherRequest, { readonly is: "choice" }>;

interface ForwardedRequest {
  readonly peer: PeerId;
  readonly by: string;
  readonly request: DirectRequest | WatcherChoice;
  readonly requestId: WatcherRequestId;
}

export class ForwardedRequests {
  readonly #pending = new Map<string, ForwardedRequest>();
  readonly #acts: WatcherActs;

  constructor(acts: WatcherActs) {
    this.#acts = acts;
  }

  /** Passes a message on. While Neuro is away, the reply waits until the Neuro service reports whether the message is stored. */
  sendDirect(
    from: Watcher,
    { request, requestId }: { readonly request: DirectRequest; readonly requestId: WatcherRequestId },
    { upstream: { configured, open }, isStandalone }: { readonly upstream: UpstreamStatus; readonly isStandalone: boolean },
    ctx: StepContext,
  ): Result<WatcherReply | "later"> {
    const { payload } = request;
    if (payload === undefined || payload === null) return failed("badMessage", "invalid payload");
    if (!configured && !isStandalone) return failed("notFound", "neuro backend not available");
    if (open || !configured) {
      ctx.post("neuro", { is: "directMessage", from: from.name, payload });
      return ok({ reply: { status: "forwarded_to_neuro" } });
    }
    const id = this.#add({ peer: from.peer, by: from.name, request, requestId }, ctx);
    ctx.post("neuro", { is: "directMessage", from: from.name, payload, id });
    return ok("later");
  }

  sendChoice(from: Watcher, request: WatcherChoice, requestId: WatcherRequestId, ctx: StepContext): Result<"later"> {
    const { name, data } = request;
    const id = this.#add({ peer: from.peer, by: from.name, request, requestId }, ctx);
    ctx.post("neuro", { is: "actionChosen", from: from.name, name, data, id });
    return ok("later");
  }

  /** A message for Neuro was sent, is being stored, or was refused. It is reported as `queued` only once it is stored. */
  directSettled({ id, key, refusal }: Extract<ServiceMessage, { readonly is: "directSettled" }>, ctx: StepContext): void {
    const forwarded = this.#take(id);
    if (forwarded === undefined) return;
    if (refusal !== undefined) return this.#refuse(forwarded, refusal, ctx);
    const { peer, requestId } = forwarded;
    this.#record(forwarded, "done", ctx);
    const frame = replyText({ status: key === undefined ? "forwarded_to_neuro" : "queued" }, requestId);
    const storage: Pick<Reply, "after" | "onFailure"> = key === undefined
      ? {}
      : { after: key, onFailure: unavailableText(requestId) };
    ctx.emit({ do: "reply", to: peer, frame, ...storage });
  }

  /** A chosen action was sent, or refused. */
  choiceSettled({ id, refusal }: Extract<ServiceMessage, { readonly is: "choiceSettled" }>, ctx: StepContext): void {
    const forwarded = this.#take(id);
    if (forwarded === undefined) return;
    if (refusal !== undefined) return this.#refuse(forwarded, refusal, ctx);
    this.#record(forwarded, "done", ctx);
    ctx.emit({ do: "reply", to: forwarded.peer, frame: replyText({ status: "chosen" }, forwarded.requestId) });
  }

  /** The Neuro service panicked and has lost the requests that it has not decided. */
  failAll(ctx: StepContext): void {
    for (const forwarded of this.#pending.values()) {
      this.#record(forwarded, "storageFailed", ctx);
      ctx.emit({ do: "reply", to: forwarded.peer, frame: unavailableText(forwarded.requestId) });
    }
    this.#pending.clear();
  }

  #add(forwarded: ForwardedRequest, ctx: StepContext): string {
    const id = ctx.id();
    this.#pending.set(id, forwarded);
    return id;
  }

  #take(id: string): ForwardedRequest | undefined {
    const forwarded = this.#pending.get(id);
    this.#pending.delete(id);
    return forwarded;
  }

  #refuse(
    forwarded: ForwardedRequest,
    { fault, reason }: { readonly fault: FaultName; readonly reason: string },
    ctx: StepContext,
  ): void {
    this.#record(forwarded, fault, ctx);
    replyWithError(forwarded.peer, { code: fault, error: reason, requestId: forwarded.requestId }, ctx);
  }

  #record({ by, request }: ForwardedRequest, outcome: "done" | FaultName, ctx: StepContext): void {
    this.#acts.record(by, request, outcome, ctx);
  }
}
