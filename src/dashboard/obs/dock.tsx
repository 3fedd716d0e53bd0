/** `/dock`: a narrow page for a browser dock of OBS. Stop, approvals and the current question, and nothing else. */
import { StopButton } from "../components/header.tsx";
import { Now } from "../components/now.tsx";
import { SignIn } from "../components/sign-in.tsx";
import { Toasts } from "../components/toasts.tsx";
import { TroubleStrip } from "../components/trouble-strip.tsx";
import { useStore } from "../state/hooks.ts";
import { TEXTS } from "../texts.ts";

export function Dock() {
  const isSignedOut = useStore(({ session }) => session.is === "signed_out");
  if (isSignedOut) {
    return (
      <div key="signed-out" class="outside">
        <SignIn />
      </div>
    );
  }
  return (
    <main key="signed-in" class="dock" aria-label={TEXTS.dock.label}>
      <h1 class="visually-hidden">{TEXTS.title.name}</h1>
      <StopButton />
      <TroubleStrip />
      <Now />
      <Toasts />
    </main>
  );
}
