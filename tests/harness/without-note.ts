import type { GameMessage } from "../../src/core/neuro-messages.ts";

/** The message without the note that its text is plain: the reader of usual frames makes it, and the parser does not. */
export function withoutNote(message: GameMessage): GameMessage {
  if (message.command !== "context") return message;
  const { isPlain: _note, ...rest } = message;
  return rest;
}
