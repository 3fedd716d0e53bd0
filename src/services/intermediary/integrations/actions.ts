import type { Json } from "../../../core/json.ts";
import type { Integration } from "../connections/peer.ts";

/** All actions of connected integrations with their schemas, by `<integration>.<action>`. */
export function registeredActions(integrations: ReadonlyMap<string, Integration>): { readonly [name: string]: Json } {
  const all: [string, Json][] = [];
  for (const { name, actions } of integrations.values()) {
    for (const action of actions.values()) all.push([`${name}.${action.name}`, action.schema ?? {}]);
  }
  return Object.fromEntries(all); // Why a plain object: it is only written as JSON. Names from peers are never looked up in it.
}
