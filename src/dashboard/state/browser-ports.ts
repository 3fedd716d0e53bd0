/** The store's surroundings in a browser: its timers, its storage, and the relay at the address of this page. */
import { ApiClient } from "../../clients/api-client.ts";
import { systemClock } from "../../websocket-client/socket-driver.ts";
import { relayAddress, relaySocketAddress } from "../lib/address.ts";
import type { AddressBar, DashboardPorts, PageClock, Preferences, TokenStorage, Undo, Visibility } from "./ports.ts";

const PREFERENCE_PREFIX = "neuro-relay.";
const TOKEN_KEY = "neuro-relay.token";

const clock: PageClock = { ...systemClock, wallTime: () => Date.now() };

/** Why the state of the document as well as the network: a connection that failed offline is retried at once when either returns. */
const visibility: Visibility = {
  isVisible: () => !document.hidden,
  onReturn: (run) => {
    const onChange = (): void => {
      if (!document.hidden) run();
    };
    document.addEventListener("visibilitychange", onChange);
    addEventListener("online", onChange);
    return () => {
      document.removeEventListener("visibilitychange", onChange);
      removeEventListener("online", onChange);
    };
  },
};

/**
 * Keeps the token in `sessionStorage`: for this tab only. A cookie would be sent by other pages, too. Where storage is forbidden, the
 * token lasts until the page is loaded again.
 */
class TabTokens implements TokenStorage {
  #token: string | undefined;

  read(): string | undefined {
    return this.#token ?? attempt(() => sessionStorage.getItem(TOKEN_KEY)) ?? undefined;
  }

  write(token: string): void {
    this.#token = token;
    attempt(() => sessionStorage.setItem(TOKEN_KEY, token));
  }

  clear(): void {
    this.#token = undefined;
    attempt(() => sessionStorage.removeItem(TOKEN_KEY));
  }
}

const preferences: Preferences = {
  read: (name) => attempt(() => localStorage.getItem(PREFERENCE_PREFIX + name)) ?? undefined,
  write: (name, value) => void attempt(() => localStorage.setItem(PREFERENCE_PREFIX + name, value)),
};

const address: AddressBar = {
  read: () => location.hash,
  write: (fragment, how) => {
    const url = location.pathname + location.search + fragment;
    if (how === "push") history.pushState(null, "", url);
    else history.replaceState(null, "", url);
  },
  onChange: (run) => {
    addEventListener("popstate", run);
    return () => removeEventListener("popstate", run);
  },
};

/** Why: a browser that forbids storage throws. */
function attempt<Value>(use: () => Value): Value | undefined {
  try {
    return use();
  } catch {
    return undefined;
  }
}

export const browserPorts = (): DashboardPorts => ({
  clock,
  openApi: (token) => new ApiClient({ url: relayAddress("").href, token }),
  eventsUrl: relaySocketAddress("intermediary").href,
  openSocket: (url) => new WebSocket(url),
  tokens: new TabTokens(),
  preferences,
  address,
  visibility,
});

/**
 * Moves the token from the fragment of the address, where the relay prints it, into the storage. The address is cleaned at once, so that
 * the token is in no bookmark, history or screenshot. Returns the token, if there was one.
 */
export function takeTokenFromAddress(): string | undefined {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (token === null) return undefined;
  history.replaceState(null, "", location.pathname + location.search);
  return token === "" ? undefined : token;
}

/** Runs when the address of the open page gets another token: that does not load the page again. */
export function onTokenInAddress(run: (token: string) => void): Undo {
  const onHashChange = (): void => {
    const token = takeTokenFromAddress();
    if (token !== undefined) run(token);
  };
  addEventListener("hashchange", onHashChange);
  return () => removeEventListener("hashchange", onHashChange);
}
