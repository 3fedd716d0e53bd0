/**
 * What the dashboard's store needs from its surroundings. The browser's versions are in `browser-ports.ts`; tests pass their own, with
 * virtual time.
 */
import type { ApiClient } from "../../clients/api-client.ts";
import type { Millis } from "../../core/ids.ts";
import type { Theme } from "./theme.ts";

/** Undoes a subscription or cancels a timer. */
export type Undo = () => void;

export interface PageClock {
  /** Milliseconds since 1970. */
  now(): Millis;
  /** Milliseconds that never go back, whatever happens to the wall clock. */
  monotonic(): Millis;
  /** Calls `run` once after `ms`. */
  after(ms: Millis, run: () => void): Undo;
}

/** The relay's HTTP API, with one token. */
export type DashboardApi = Pick<ApiClient, "request" | "list">;

export interface EventSocketHandlers {
  opened(): void;
  received(text: string): void;
  /** Called once, also when the connection could not be opened. */
  closed(): void;
}

/** One connection to the Intermediary's WebSocket. */
export interface EventSocket {
  send(text: string): void;
  close(): void;
}

/** Keeps the token of this tab. */
export interface TokenStorage {
  read(): string | undefined;
  write(token: string): void;
  clear(): void;
}

/** Keeps the chosen theme of this browser. */
export interface ThemeStorage {
  read(): Theme;
  write(theme: Theme): void;
}

/** Whether somebody looks at the page. */
export interface Visibility {
  isVisible(): boolean;
  /** Calls `run` whenever the page becomes visible, or the network comes back. */
  onReturn(run: () => void): Undo;
}

export interface DashboardPorts {
  readonly clock: PageClock;
  /** Between 0 and 1. */
  random(): number;
  openApi(token: string): DashboardApi;
  openEventSocket(handlers: EventSocketHandlers): EventSocket;
  readonly tokens: TokenStorage;
  readonly themes: ThemeStorage;
  readonly visibility: Visibility;
}
