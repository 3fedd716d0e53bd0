/** The Neuro API as games use it on the game port. */
import { z } from "zod";
import type { GameMessage, NeuroMessage } from "../../../core/neuro-messages.ts";
import { trace, traceExample } from "../trace-schemas.ts";
import { CLOSES_OF_ALL, jsonObject, type ProtocolChannel, type ProtocolMessage } from "./protocol.ts";

const text = z.string();
const flag = z.boolean();
const names = z.array(text);

const game = text.describe("The name of the game; the same in each message.").optional();
const mainThread = flag.describe("A hidden key of the Neuro API; it is passed on.").optional();
const message = <Command extends string>(command: Command, data: z.ZodType) =>
  z.object({ command: z.literal(command), game, data });
const withoutData = <Command extends string>(command: Command) => z.object({ command: z.literal(command), game });

type ByCommand<Message extends { readonly command: string }> = {
  readonly [Command in Exclude<Message["command"], "other">]: ProtocolMessage;
};

const FROM_GAME: ByCommand<GameMessage> = {
  startup: {
    name: "GameStartup",
    summary: "The first message. It clears the actions of this game.",
    schema: withoutData("startup"),
    examples: [{ command: "startup", game: "Chess" }],
  },
  context: {
    name: "GameContext",
    summary: "Tells Neuro what happens.",
    schema: message("context", z.object({ message: text, silent: flag.describe("False: Neuro may react to it.") })),
    examples: [{ command: "context", game: "Chess", data: { message: "Check.", silent: true } }],
    refused: [{
      given: { command: "context", game: "Chess", data: { silent: true } },
      error: { reason: "`context` needs a `message`" },
    }],
  },
  "actions/register": {
    name: "GameRegister",
    summary: "Offers actions to Neuro.",
    schema: message(
      "actions/register",
      z.object({
        actions: z.array(z.object({
          name: text,
          description: text,
          schema: jsonObject.describe("JSON Schema of the data, with `type: object`.").optional(),
        })),
        main_thread: mainThread,
      }),
    ),
    examples: [{
      command: "actions/register",
      game: "Chess",
      data: {
        actions: [{
          name: "move",
          description: "Moves a piece.",
          schema: { type: "object", properties: { to: { type: "string" } }, required: ["to"] },
        }],
      },
    }],
    refused: [{
      given: { command: "actions/register", game: "Chess", data: { actions: [{ description: "Moves a piece." }] } },
      error: { reason: "not registered: action 1 needs a `name`" },
    }],
  },
  "actions/unregister": {
    name: "GameUnregister",
    summary: "Withdraws actions.",
    schema: message("actions/unregister", z.object({ action_names: names, main_thread: mainThread })),
    examples: [{ command: "actions/unregister", game: "Chess", data: { action_names: ["move"] } }],
  },
  "actions/force": {
    name: "GameForce",
    summary: "Asks Neuro to choose one of some actions now.",
    schema: message(
      "actions/force",
      z.object({
        state: text.optional(),
        query: text,
        ephemeral_context: flag.optional(),
        priority: z.enum(["low", "medium", "high", "critical"]).optional(),
        action_names: names,
        main_thread: mainThread,
      }),
    ),
    examples: [{
      command: "actions/force",
      game: "Chess",
      data: { state: "e4 e5", query: "Your move.", priority: "low", action_names: ["move"] },
    }],
    refused: [{
      given: { command: "actions/force", game: "Chess", data: { query: "Your move." } },
      error: { reason: "`actions/force` needs `action_names`" },
    }],
  },
  "action/result": {
    name: "GameResult",
    summary: "The result of an action. Send it as soon as the data is validated.",
    schema: message("action/result", z.object({ id: text, success: flag, message: text.optional() })),
    examples: [{ command: "action/result", game: "Chess", data: { id: "17~a1", success: true, message: "Moved." } }],
    refused: [{
      given: { command: "action/result", game: "Chess", data: { success: true } },
      error: { reason: "`action/result` needs the `id` of its action" },
    }],
  },
  "shutdown/ready": {
    name: "GameShutdownReady",
    summary: "The game may be closed now.",
    schema: withoutData("shutdown/ready"),
    examples: [{ command: "shutdown/ready", game: "Chess" }],
  },
};

/** Commands of the relay's own and of the Go relay, for games that know of a relay. */
const extension = z.string().regex(/^(neuro-relay|nrc-endpoints)\//);

const EXTENSION: ProtocolMessage = {
  name: "GameExtension",
  summary:
    "Asks the relay itself: `neuro-relay/health`, `neuro-relay/trace` for the paths of the game's own messages, from now on until `enabled: false` or the end of the connection, and `nrc-endpoints/startup` and `nrc-endpoints/health` as the Go relay had them.",
  schema: z.object({ command: extension, game, data: jsonObject.optional() }),
  examples: [
    { command: "neuro-relay/health", game: "Chess" },
    { command: "neuro-relay/trace", game: "Chess", data: { enabled: true } },
    { command: "nrc-endpoints/startup", game: "Chess", data: { "nr-version": "1.0.0" } },
  ],
};

const EXTENSION_REPLY: ProtocolMessage = {
  name: "GameExtensionReply",
  summary: "The reply of the relay itself. Only a game that asked gets one.",
  schema: z.object({ command: extension, data: jsonObject }),
  examples: [{ command: "nrc-endpoints/error", data: { error: "Missing required field: nr-version" } }],
};

const TRACE: ProtocolMessage = {
  name: "GameTrace",
  summary:
    "The whole path of a force, action or context of the game that has ended, or of a result that was ignored. Only a game that asked gets it. `texts` is empty in one that would be too large.",
  schema: z.object({ command: z.literal("neuro-relay/trace"), data: z.object({ trace }) }),
  examples: [{
    command: "neuro-relay/trace",
    data: { trace: traceExample("Chess", "chess", "move") },
  }],
};

const toGame = <Command extends string>(command: Command, data: z.ZodType) =>
  z.object({ command: z.literal(command), data });

const FROM_NEURO: ByCommand<NeuroMessage> = {
  action: {
    name: "GameAction",
    summary: "Neuro wants an action executed. Answer with `action/result` and its id.",
    schema: toGame("action", z.object({ id: text, name: text, data: text.describe("JSON.").optional() })),
    examples: [{ command: "action", data: { id: "17~a1", name: "move", data: '{"to":"e4"}' } }],
  },
  startup: {
    name: "GameSession",
    summary: "Neuro's session, as the answer to `startup`.",
    schema: toGame(
      "startup",
      z.object({ session: z.object({ sessionId: text, characterId: text, displayName: text }) }),
    ),
    examples: [{
      command: "startup",
      data: { session: { sessionId: "s", characterId: "neuro", displayName: "Neuro" } },
    }],
  },
  "actions/reregister_all": {
    name: "GameReregister",
    summary: "Register all actions again.",
    schema: z.object({ command: z.literal("actions/reregister_all") }),
    examples: [{ command: "actions/reregister_all" }],
  },
  speech_finished: {
    name: "GameSpeechFinished",
    summary: "Neuro has finished speaking.",
    schema: toGame("speech_finished", jsonObject),
    examples: [{ command: "speech_finished", data: {} }],
  },
  "shutdown/graceful": {
    name: "GameShutdownGraceful",
    summary: "Stop when it suits, or do not stop after all.",
    schema: toGame("shutdown/graceful", z.object({ wants_shutdown: flag })),
    examples: [{ command: "shutdown/graceful", data: { wants_shutdown: true } }],
  },
  "shutdown/immediate": {
    name: "GameShutdownImmediate",
    summary: "Stop now.",
    schema: z.object({ command: z.literal("shutdown/immediate") }),
    examples: [{ command: "shutdown/immediate" }],
  },
};

export const GAME_CHANNEL: ProtocolChannel = {
  name: "game",
  title: "Game port",
  description:
    "The Neuro API for games, unchanged. A token belongs into the URL: `?token=`, or `/t/<token>` in the path. A message that is wrong but can be understood is repaired, and each kind of repair is reported once (`input_repaired`). The Neuro API has no errors: other messages are ignored, logged, and reported to watchers (`input_refused`) with the reason given here.",
  server: { is: "listener", name: "neuro" },
  toRelay: [...Object.values(FROM_GAME), EXTENSION],
  fromRelay: [...Object.values(FROM_NEURO), EXTENSION_REPLY, TRACE],
  closes: [...CLOSES_OF_ALL, "notAllowed", "nameTaken", "slowGame"],
};
