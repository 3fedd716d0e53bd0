/** The fuzzing targets: the listener, the greeting, and valid messages for it. */
import { DEFAULTS, PUBLISHED_TOKEN } from "../../src/core/defaults.ts";
import type { ListenerName } from "../../src/core/event.ts";
import type { JsonObject } from "../../src/core/json.ts";
import type { BackendSettings } from "../../src/core/settings.ts";
import { BRAIN, GAME, GREETINGS, INTEGRATION, UPSTREAM, WATCHER } from "./valid-messages.ts";

export interface FuzzTarget {
  readonly name: string;
  /** Undefined where the relay dials, and the dialled side sends the inputs. */
  readonly listener: ListenerName | undefined;
  /** Sent first, where a peer must greet. */
  readonly greeting?: JsonObject;
  readonly phrases: readonly JsonObject[];
  /** Keys in messages of the relay whose strings are sent back to it. */
  readonly hears?: readonly string[];
  /** An upstream is configured; without one the relay acts as Neuro. */
  readonly hasNeuro?: boolean;
  /** The settings of the game port. */
  readonly backend?: BackendSettings;
}

const { faults, ...backend } = DEFAULTS["nakurity-backend"];
/** It makes many mistakes, and messages take their time and come twice. Why none is lost: the healthy game expects that. */
const HOSTILE: BackendSettings = {
  ...backend,
  choice_timeout: 100,
  behaviour: { ...backend.behaviour, preset: "hostile", interval: 100, answer_jitter: 300 },
  faults: { ...faults, enabled: true, delay: 10, jitter: 50, percent: { ...faults.percent, duplicate: 20 } },
};

/** A context that is not silent. */
const LOUD: JsonObject = { command: "context", data: { message: "It thunders.", silent: false } };

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
  { name: "game, with a hostile Neuro", listener: "neuro", phrases: [...GAME, LOUD], backend: HOSTILE },
  { name: "game, with Neuro", listener: "neuro", phrases: GAME, hasNeuro: true },
  { name: "upstream", listener: undefined, phrases: UPSTREAM, hasNeuro: true },
  { name: "brain", listener: "brain", phrases: BRAIN, hears: ["session_id"] },
];
