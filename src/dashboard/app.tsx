/** Everything on the screen, from the top down. */
import { useLayoutEffect } from "hono/jsx/dom";
import { isAway, useStore } from "./data/store.ts";
import { Banner } from "./parts/banner.tsx";
import { Header } from "./parts/header.tsx";
import { Help } from "./parts/help.tsx";
import { Integrations } from "./parts/integrations.tsx";
import { Notices } from "./parts/notices.tsx";
import { Now } from "./parts/now.tsx";
import { Panels } from "./panels/panels.tsx";
import { Pulse } from "./parts/pulse.tsx";
import { handleKey } from "./parts/keys.ts";
import { SignIn } from "./parts/sign-in.tsx";
import { Tabs } from "./parts/tabs.tsx";

export function App() {
  const session = useStore((state) => state.session);
  const panel = useStore((state) => state.panel);
  const isLost = useStore(isAway);
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
      <Banner />
      <main class="main">
        <div class="left">
          <Pulse />
          <Now />
          <Integrations />
        </div>
        <aside class="right" aria-label="Details">
          <Tabs />
          <Panels />
        </aside>
      </main>
      <Notices />
      <Help />
    </div>
  );
}
