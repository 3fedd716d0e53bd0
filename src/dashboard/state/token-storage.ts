/**
 * The token that the page was given: by the fragment of its address, as the relay prints it, or by hand.
 *
 * It is kept for this tab only and goes with it; a cookie would be sent by other pages, too. The address is cleaned at once, so that
 * the token is in no bookmark, no history and no screenshot.
 */

const PLACE = "neuro-relay.token";

/** Takes the token out of the address, or out of what this tab remembers. */
export function takeToken(): string | undefined {
  const fragment = new URLSearchParams(location.hash.slice(1));
  const given = fragment.get("token");
  if (given !== null) {
    history.replaceState(null, "", location.pathname + location.search);
    if (given !== "") storeToken(given);
  }
  return read();
}

export function storeToken(token: string): void {
  memory = token;
  try {
    sessionStorage.setItem(PLACE, token);
  } catch {
    // Why: where nothing may be kept, it lasts until the page is loaded again.
  }
}

export function forgetToken(): void {
  memory = undefined;
  try {
    sessionStorage.removeItem(PLACE);
  } catch {
    // Nothing was kept.
  }
}

let memory: string | undefined;

function read(): string | undefined {
  try {
    return memory ?? sessionStorage.getItem(PLACE) ?? undefined;
  } catch {
    return memory;
  }
}
