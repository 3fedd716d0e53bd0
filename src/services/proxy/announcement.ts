/** What watchers are told of a game behind the proxy: an integration's message whose payload is the event. */
import type { Frame, JsonObject } from "../../core/json.ts";
import { isObject, parseJson } from "../../core/json.ts";
import { PROXY_SNIPPET_MAX } from "../../core/limits.ts";
import { lenientText } from "../../core/text.ts";

const VIA = "intercept-proxy";

/** A command of a game, and the beginning of the frame that it came in. */
export interface Command {
  readonly name: string;
  readonly snippet: string;
}

/** The command in a frame; undefined when there is none. Some games send text as bytes. */
export function commandIn(frame: Frame, depthMax: number): Command | undefined {
  const text = lenientText(frame);
  const message = parseJson(text, depthMax);
  if (!isObject(message) || typeof message.command !== "string") return undefined;
  return { name: message.command, snippet: text.slice(0, PROXY_SNIPPET_MAX) };
}

export const arrival = (client: string, { name, snippet }: Command): JsonObject => ({
  event: "integration_connected",
  via: VIA,
  details: { client, first_command: name, snippet },
});

export const departure = (client: string): JsonObject => ({
  event: "integration_disconnected",
  via: VIA,
  details: { client },
});
