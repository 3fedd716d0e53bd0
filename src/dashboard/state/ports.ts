/**
 * The ports of the dashboard's store. The browser's versions are in `browser-ports.ts`; tests pass their own, with
 * virtual time.
 */
import type { ApiClient } from "../../clients/api-client.ts";
import type { Millis } from "../../core/ids.ts";
import type { ClientClock, OpenSocket } from "../../websocket-client/socket-driver.ts";

/** Undoes a subscription or cancels a timer. */
export type Undo = () => void;

export interface PageClock extends ClientClock {
  /** Milliseconds since 1970. `now` instead never goes back, whatever happens to the wall clock. */
  wallTime(): Millis;
}

/** The relay's HTTP API, with one token. */
export type DashboardApi = Pick<ApiClient, "request" | "read">;

/** Keeps the token of this tab. */
export interface TokenStorage {
  read(): string | undefined;
  write(token: string): void;
  clear(): void;
}

/** The visibility of the page and the state of the network. */
export interface Visibility {
  isVisible(): boolean;
  /** Calls `run` whenever the page becomes visible, or the network comes back. */
  onReturn(run: () => void): Undo;
}

/** The fragment of the page's address, and the history of the browser. */
export interface AddressBar {
  read(): string;
  /** `push`: the browser's button goes back to the address before. */
  write(fragment: string, how: "push" | "replace"): void;
  /** Calls `run` when the browser goes back or forward, or a link is opened. */
  onChange(run: () => void): Undo;
}

/** Small values that are kept for this browser. */
export interface Preferences {
  read(name: string): string | undefined;
  write(name: string, value: string): void;
}

export interface DashboardPorts {
  readonly clock: PageClock;
  openApi(token: string): DashboardApi;
  /** Address of the Intermediary, from which live events come. */
  readonly eventsUrl: string;
  readonly openSocket: OpenSocket;
  readonly tokens: TokenStorage;
  readonly preferences: Preferences;
  readonly address: AddressBar;
  readonly visibility: Visibility;
}
