/** Replies to watchers. Each request gets one reply, in order, with its `request_id`. */
import type { StepContext } from "../../../core/context.ts";
import type { FaultName } from "../../../core/fault.ts";
import type { Key, PeerId } from "../../../core/ids.ts";
import type { JsonObject } from "../../../core/json.ts";
import { errorReplyText, type WatcherRequestId } from "../codec/frames.ts";

/** The reply to a request. With `after` it is sent only once this key is stored. */
export interface WatcherReply<Reply = JsonObject> {
  readonly reply: Reply;
  readonly after?: Key;
}

interface ErrorReply {
  readonly code: FaultName;
  readonly error: string;
  readonly fields?: JsonObject;
  readonly requestId?: WatcherRequestId;
}

export function replyWithError(to: PeerId, { code, error, fields = {}, requestId }: ErrorReply, ctx: StepContext): void {
  ctx.emit({ do: "reply", to, frame: errorReplyText(error, code, withRequestId(fields, requestId)) });
}

/** The reply when a message could not be stored. */
export const unavailableText = (requestId: WatcherRequestId): string =>
  errorReplyText("queue unavailable", "storageFailed", withRequestId({}, requestId));

const withRequestId = (fields: JsonObject, requestId: WatcherRequestId): JsonObject =>
  requestId === undefined ? fields : { ...fields, request_id: requestId };
