/** The whole page. */
import { useLayoutEffect } from "hono/jsx/dom";
import { Announcer } from "./components/announcer.tsx";
import { ConnectDialog } from "./dialogs/connect.tsx";
import { Header } from "./components/header.tsx";
import { Help } from "./dialogs/help.tsx";
import { Integrations } from "./components/integrations.tsx";
import { handleKey } from "./components/keyboard-shortcuts.ts";
import { Now } from "./components/now.tsx";
import { SignIn } from "./components/sign-in.tsx";
import { SkipLinks } from "./components/skip-links.tsx";
import { Stats } from "./components/stats.tsx";
import { Tabs } from "./components/tabs.tsx";
import { Toasts } from "./components/toasts.tsx";
import { TroubleStrip } from "./components/trouble-strip.tsx";
import { Watchers } from "./dialogs/watchers.tsx";
import { Panels } from "./panels/panels.tsx";
import { isDisconnected } from "./state/dashboard-state.ts";
import { useStore } from "./state/hooks.ts";
import { TEXTS } from "./texts.ts";

export function App() {
  const isSignedOut = useStore(({ session }) => session.is === "signed_out");
  const panel = useStore((state) => state.route.panel);
  const isLost = useStore(isDisconnected);
  useLayoutEffect(() => {
    document.addEventListener("keydown", handleKey);
    return () => document.removeEventListener("keydown", handleKey);
  }, []);
  if (isSignedOut) {
    return (
      <div key="signed-out" class="outside">
        <SignIn />
      </div>
    );
  }
  return (
    <div key="signed-in" class={isLost ? "inside is-disconnected" : "inside"} data-panel={panel}>
      <SkipLinks />
      <Header />
      <TroubleStrip />
      <Stats />
      <main class="main">
        <div class="left">
          <Now />
          <Integrations />
        </div>
        <aside id="panel" class="right" aria-label={TEXTS.tabs.details} tabindex={-1}>
          <Tabs />
          <Panels />
        </aside>
      </main>
      <Announcer />
      <Toasts />
      <Help />
      <ConnectDialog />
      <Watchers />
    </div>
  );
}
