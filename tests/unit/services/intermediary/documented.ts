/** The protocol reference as a check: which of its messages a frame of the Intermediary is. */
import { canonicalJson, isObject, type Json } from "../../../../src/core/json.ts";
import { INTEGRATION_CHANNEL } from "../../../../src/http/api/protocols/integration-channel.ts";
import type { ProtocolChannel, ProtocolMessage } from "../../../../src/http/api/protocols/protocol.ts";
import { WATCHER_CHANNEL } from "../../../../src/http/api/protocols/watcher-channel.ts";

/** True if a value is this message and has no field that the reference does not have. */
export function isMessage({ schema }: ProtocolMessage, value: Json): boolean {
  const read = schema.safeParse(value);
  return read.success && canonicalJson(read.data as Json) === canonicalJson(value); // Why the cast: JSON stays JSON.
}

/** The name of the message from the relay. */
export const messageFrom = (channels: readonly ProtocolChannel[], frame: Json): string | undefined =>
  channels.flatMap(({ fromRelay }) => fromRelay).find((message) => isMessage(message, frame))?.name;

const CHECKED_MAX = 5;
const checked = new Map<string, number>();

/** Throws for a frame that is not in the reference. Of frames with the same event and fields, the first ones are checked. */
export function requireDocumented(frame: Json): void {
  const shape = isObject(frame) ? `${String(frame.event)} ${Object.keys(frame).join()}` : "";
  const count = checked.get(shape) ?? 0;
  if (count >= CHECKED_MAX) return;
  checked.set(shape, count + 1);
  if (messageFrom([INTEGRATION_CHANNEL, WATCHER_CHANNEL], frame) === undefined) {
    throw new Error(`not in the protocol reference: ${JSON.stringify(frame).slice(0, 500)}`);
  }
}
