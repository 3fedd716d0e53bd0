/** Everything on the screen, from the top down. */
import { useLayoutEffect } from "hono/jsx/dom";
import { isDisconnected, useStore } from "./state/store.ts";
import { Banners } from "./components/banners.tsx";
import { Header } from "./components/header.tsx";
import { Help } from "./components/help.tsx";
import { Integrations } from "./components/integrations.tsx";
import { Toasts } from "./components/toasts.tsx";
import { Now } from "./components/now.tsx";
import { Panels } from "./panels/panels.tsx";
import { Stats } from "./components/stats.tsx";
import { handleKey } from "./components/keyboard-shortcuts.ts";
import { SignIn } from "./components/sign-in.tsx";
import { Tabs } from "./components/tabs.tsx";

export function App() {
  const session = useStore((state) => state.session);
  const panel = useStore((state) => state.panel);
  const isLost = useStore(isDisconnected);
  useLayoutEffect(() => {
    document.addEventListener("keydown", handleKey);
    return () => document.removeEventListener("keydown", handleKey);
  }, []);
  if (session === "out") {
    return (
      <div key="out" class="outside">
        <SignIn />
      </div>
    );
  }
  return (
    <div key="in" class={isLost ? "inside is-lost" : "inside"} data-panel={panel}>
      <Header />
      <Banners />
      <main class="main">
        <div class="left">
          <Stats />
          <Now />
          <Integrations />
        </div>
        <aside class="right" aria-label="Details">
          <Tabs />
          <Panels />
        </aside>
      </main>
      <Toasts />
      <Help />
    </div>
  );
}
