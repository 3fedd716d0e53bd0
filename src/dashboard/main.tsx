/** Starts the page: first the theme and the title, then the store, then the components of its view. */
import { render } from "hono/jsx/dom";
import { App } from "./app.tsx";
import { type PageView, viewAt } from "./lib/page-view.ts";
import { Dock } from "./obs/dock.tsx";
import { overlayVariables } from "./obs/overlay-style.ts";
import { Overlay } from "./obs/overlay.tsx";
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

const VIEWS: Readonly<Record<PageView, () => ReturnType<typeof App>>> = { dashboard: App, overlay: Overlay, dock: Dock };

/** Why before the token is taken: that clears the fragment. */
function applyView(view: PageView): void {
  const { dataset, style } = document.documentElement;
  dataset["view"] = view;
  if (view !== "overlay") return;
  for (const [variable, value] of overlayVariables(location.hash)) style.setProperty(variable, value);
}

const root = document.getElementById("page");
if (root !== null) {
  const view = viewAt(location.pathname);
  const View = VIEWS[view];
  applyView(view);
  updateDocument();
  store.subscribe(updateDocument);
  store.start(takeTokenFromAddress());
  onTokenInAddress((token) => store.signIn(token));
  render(<View />, root);
}
