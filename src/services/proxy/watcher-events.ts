/** Events for watchers about games behind the proxy: messages of an integration whose payload is the event. */
import { type Frame, isObject, type JsonObject, parseJson } from "../../core/json.ts";
import { PROXY_SNIPPET_MAX } from "../../core/limits.ts";
import { Secrets, secretsOf } from "../../core/secrets.ts";
import type { Settings } from "../../core/settings.ts";
import { lenientText, shorten } from "../../core/text.ts";

const VIA = "intercept-proxy";

/** A command of a game, and the beginning of its frame. */
export interface GameCommand {
  readonly name: string;
  readonly snippet: string;
}

/** The command in a frame, or undefined. The snippet has no credentials. Some games send their text in binary frames. */
export function readCommand(frame: Frame, settings: Settings): GameCommand | undefined {
  const text = lenientText(frame);
  const message = parseJson(text, settings.limits.json_depth);
  if (!isObject(message) || typeof message.command !== "string") return undefined;
  const shown = new Secrets(secretsOf(settings)).redact(text); // Why a new one: this is read once for each game.
  return { name: message.command, snippet: shorten(shown, PROXY_SNIPPET_MAX) };
}

export const connectedEvent = (client: string, { name, snippet }: GameCommand): JsonObject => ({
  event: "integration_connected",
  via: VIA,
  details: { client, first_command: name, snippet },
});

export const disconnectedEvent = (client: string): JsonObject => ({
  event: "integration_disconnected",
  via: VIA,
  details: { client },
});
