/** Where the page begins: the token, the theme, the clock, and then everything on the screen. */
import { render } from "hono/jsx/dom";
import { App } from "./app.tsx";
import { signIn, start } from "./state/relay.ts";
import { updatePageTitle } from "./state/page-title.ts";
import { takeToken } from "./state/token-storage.ts";
import { applyTheme } from "./state/theme.ts";

const root = document.getElementById("page");
if (root !== null) {
  applyTheme();
  const token = takeToken();
  if (token !== undefined) signIn(token);
  // Why: the same address with another token, opened in this tab, does not load the page again.
  addEventListener("hashchange", () => {
    const other = takeToken();
    if (other !== undefined && location.hash === "") signIn(other);
  });
  updatePageTitle();
  start();
  render(<App />, root);
}
