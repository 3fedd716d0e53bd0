/** The doors that take frames: who speaks there, what comes first, and what is well said there. */
import { PUBLISHED_TOKEN } from "../../src/core/defaults.ts";
import type { ListenerName } from "../../src/core/event.ts";
import type { JsonObject } from "../../src/core/json.ts";
import { BRAIN, GAME, GREETINGS, INTEGRATION, UPSTREAM, WATCHER } from "./valid-messages.ts";

export interface FuzzTarget {
  readonly name: string;
  /** Undefined: the relay dials, and what it dialled speaks. */
  readonly listener: ListenerName | undefined;
  /** Said first, where somebody has to be known before it is listened to. */
  readonly greeting?: JsonObject;
  readonly phrases: readonly JsonObject[];
  /** The keys whose texts, in what the relay says, are said back to it. */
  readonly hears?: readonly string[];
  /** A Neuro is configured; without one the relay plays her. */
  readonly hasNeuro?: boolean;
}

export const WATCHING = "direct-token";

export const TARGETS: readonly FuzzTarget[] = [
  { name: "greeting", listener: "intermediary", phrases: GREETINGS },
  {
    name: "integration",
    listener: "intermediary",
    greeting: { type: "integration", name: "fuzz", auth_token: PUBLISHED_TOKEN, ack: true },
    phrases: INTEGRATION,
  },
  {
    name: "watcher",
    listener: "intermediary",
    greeting: { type: "neuro-os", name: "fuzz-eye", auth_token: WATCHING },
    phrases: WATCHER,
  },
  { name: "game", listener: "neuro", phrases: GAME },
  { name: "game, with Neuro", listener: "neuro", phrases: GAME, hasNeuro: true },
  { name: "upstream", listener: undefined, phrases: UPSTREAM, hasNeuro: true },
  { name: "brain", listener: "brain", phrases: BRAIN, hears: ["session_id"] },
];
