/** A way of running the relay, as the conformance suite uses it. */

/** Settings by path, for example `intermediary.auth_token`. They are passed as a user would set them. */
export type Setup = Readonly<Record<string, string | number | boolean>>;

export type ListenerName = "intermediary" | "neuro" | "brain";

/** A running relay. */
export interface Relay {
  /** The URL of each listener, without a token. */
  readonly urls: Readonly<Record<ListenerName, string>>;
  /** The origin of the web port. */
  readonly web: string;
  /** The relay of that name at the same origin. */
  named(name: string): Pick<Relay, "urls" | "web">;
  /** Its log so far. */
  log(): string;
  /** Kills it, and starts it again on its stored state. */
  restart(): Promise<void>;
  /** Stops it in order; resolves with its exit status. */
  drain(): Promise<number>;
  stop(): Promise<void>;
}

export interface Platform {
  readonly name: string;
  start(setup: Setup): Promise<Relay>;
  /** Cases with another result on this platform, by id, with the reason. */
  readonly differences: Readonly<Record<string, string>>;
}

/** The tokens of every relay under test. */
export const TOKENS = { intermediary: "intermediary-token", neuro: "game-token", brain: "brain-token", web: "web-token" };

const BASE: Setup = {
  "intermediary.auth_token": TOKENS.intermediary,
  "nakurity-backend.token": TOKENS.neuro,
  "brain.token": TOKENS.brain,
  "web.token": TOKENS.web,
  "queue.retry": "200ms",
  "queue.ack_timeout": "1s",
  "actions.grace": "500ms",
  "limits.greeting": "600ms",
  "log.level": "debug",
};

/** The setup of a case, as variables of the environment. */
export function variablesOf(setup: Setup): Record<string, string> {
  const all = Object.entries({ ...BASE, ...setup });
  return Object.fromEntries(all.map(([path, value]) => [variableOf(path), String(value)]));
}

const variableOf = (path: string): string => `NEURO_RELAY_${path.replaceAll(".", "__").replaceAll("-", "_").toUpperCase()}`;
