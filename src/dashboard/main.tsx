/** Starts the page: first the theme and the title, then the store, then the components. */
import { render } from "hono/jsx/dom";
import { App } from "./app.tsx";
import { onTokenInAddress, takeTokenFromAddress } from "./state/browser-ports.ts";
import { store } from "./state/hooks.ts";
import { pageTitle } from "./state/page-title.ts";

/** Applies what lies outside of the components. Why before they are drawn: they read the colours of the theme. */
function updateDocument(): void {
  const { theme } = store.state;
  document.documentElement.dataset["theme"] = theme;
  const title = pageTitle(store.state);
  if (document.title !== title) document.title = title;
}

const root = document.getElementById("page");
if (root !== null) {
  updateDocument();
  store.subscribe(updateDocument);
  store.start(takeTokenFromAddress());
  onTokenInAddress((token) => store.signIn(token));
  render(<App />, root);
}
