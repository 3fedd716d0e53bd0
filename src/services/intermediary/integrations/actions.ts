import type { Json } from "../../../core/json.ts";
import { utf8Length } from "../../../core/text.ts";
import { failed, ok, type Result } from "../../../core/result.ts";
import type { IntermediaryState } from "../state.ts";

/** All actions of connected integrations with their schemas, by `<integration>.<action>`; a failure if they do not fit one message. */
export function registeredActions(
  { connections: { integrations }, settings: { limits } }: IntermediaryState,
): Result<{ readonly [name: string]: Json }> {
  const all: [string, Json][] = [];
  let bytes = 0;
  for (const { name, actions } of integrations.values()) {
    for (const action of actions.values()) {
      const key = `${name}.${action.name}`;
      bytes += utf8Length(JSON.stringify(key)) +
        (action.schema === undefined ? 2 : utf8Length(JSON.stringify(action.schema))) + 2;
      if (bytes > limits.message_bytes) {
        const reason =
          `the actions have more than ${limits.message_bytes} bytes, which is all that \`limits.message_bytes\` allows`;
        return failed("tooBig", reason);
      }
      all.push([key, action.schema ?? {}]);
    }
  }
  return ok(Object.fromEntries(all)); // Why a plain object: it is only written as JSON. Names from peers are never looked up in it.
}
