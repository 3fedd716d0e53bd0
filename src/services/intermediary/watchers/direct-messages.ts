/** Messages of watchers for Neuro herself (`direct_to_neuro`), and those whose outcome the Neuro service has not reported yet. */
import type { StepContext } from "../../../core/context.ts";
import type { Reply } from "../../../core/effect.ts";
import type { PeerId } from "../../../core/ids.ts";
import type { Json } from "../../../core/json.ts";
import { failed, ok, type Result } from "../../../core/result.ts";
import type { ServiceMessage } from "../../../core/service-message.ts";
import { replyText, type WatcherRequestId } from "../codec/frames.ts";
import type { Watcher } from "../connections/peer.ts";
import { type PendingReply, replyWithError, unavailableText } from "./replies.ts";

/** The connection to Neuro. Without a configured upstream the relay may act as Neuro. */
export interface UpstreamStatus {
  readonly configured: boolean;
  readonly open: boolean;
}

interface PendingDirectMessage {
  readonly peer: PeerId;
  readonly requestId: WatcherRequestId;
}

export class DirectMessages {
  readonly #pending = new Map<string, PendingDirectMessage>();

  /** Passes a message on. While Neuro is away, the reply waits until the Neuro service says whether it is stored. */
  send(
    from: Watcher,
    { payload, requestId }: { readonly payload: Json | undefined; readonly requestId: WatcherRequestId },
    { upstream: { configured, open }, isStandalone }: { readonly upstream: UpstreamStatus; readonly isStandalone: boolean },
    ctx: StepContext,
  ): Result<PendingReply | "later"> {
    if (payload === undefined || payload === null) return failed("badMessage", "invalid payload");
    if (!configured && !isStandalone) return failed("notFound", "neuro backend not available");
    if (open || !configured) {
      ctx.post("neuro", { is: "directMessage", from: from.name, payload });
      return ok({ reply: { status: "forwarded_to_neuro" } });
    }
    const id = ctx.id();
    this.#pending.set(id, { peer: from.peer, requestId });
    ctx.post("neuro", { is: "directMessage", from: from.name, payload, id });
    return ok("later");
  }

  /** The Neuro service reports the outcome. A message that waits for Neuro is reported as `queued` only once it is stored. */
  settle({ id, key, isFull }: Extract<ServiceMessage, { readonly is: "directSettled" }>, ctx: StepContext): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    this.#pending.delete(id);
    const { peer, requestId } = pending;
    if (isFull) return replyWithError(peer, { code: "queueFull", error: "queue full", requestId }, ctx);
    const frame = replyText({ status: key === undefined ? "forwarded_to_neuro" : "queued" }, requestId);
    const storage: Pick<Reply, "after" | "onFailure"> = key === undefined
      ? {}
      : { after: key, onFailure: unavailableText(requestId) };
    ctx.emit({ do: "reply", to: peer, frame, ...storage });
  }

  /** The Neuro service panicked and has lost the messages whose outcome it has not reported. */
  failAll(ctx: StepContext): void {
    for (const { peer, requestId } of this.#pending.values()) {
      ctx.emit({ do: "reply", to: peer, frame: unavailableText(requestId) });
    }
    this.#pending.clear();
  }
}
