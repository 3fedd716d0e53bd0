import type { Json } from "../../../core/json.ts";
import { failed, ok, type Result } from "../../../core/result.ts";
import type { IntermediaryState } from "../state.ts";

/** All actions of connected integrations with their schemas, by `<integration>.<action>`; a failure if they do not fit one message. */
export function registeredActions(
  { connections: { integrations }, settings: { limits } }: IntermediaryState,
): Result<{ readonly [name: string]: Json }> {
  const all: [string, Json][] = [];
  let length = 0;
  for (const { name, actions } of integrations.values()) {
    for (const action of actions.values()) {
      const key = `${name}.${action.name}`;
      length += key.length + (action.schema === undefined ? 2 : JSON.stringify(action.schema).length) + 4;
      all.push([key, action.schema ?? {}]);
    }
  }
  if (length > limits.message_bytes) {
    return failed(
      "tooBig",
      `the actions have ${length} characters; \`limits.message_bytes\` allows ${limits.message_bytes}`,
    );
  }
  return ok(Object.fromEntries(all)); // Why a plain object: it is only written as JSON. Names from peers are never looked up in it.
}
