/** Who are you: the form that is there whenever no token is, or a wrong one. */
import { useLayoutEffect, useRef } from "hono/jsx/dom";
import { signIn } from "../state/relay.ts";
import { useStore } from "../state/store.ts";
import { Logo } from "./logo.tsx";

export function SignIn() {
  const refusal = useStore((state) => state.refusal);
  const input = useRef<HTMLInputElement | null>(null);
  useLayoutEffect(() => input.current?.focus(), []);
  const submit = (event: Event): void => {
    event.preventDefault();
    const token = input.current?.value.trim() ?? "";
    if (token !== "") signIn(token);
  };
  return (
    <main class="sign-in">
      <form class="card sign-in-card" onSubmit={submit}>
        <Logo size={44} />
        <h1>Neuro Relay</h1>
        <p class="soft">
          When the relay starts on this machine it prints the address of this page with a token in it. Open that address, or
          enter a token here.
        </p>
        <p class={refusal === undefined ? "sign-in-refusal none" : "sign-in-refusal"} role="alert">{refusal ?? ""}</p>
        <label class="field">
          <span class="field-label">Token</span>
          <input ref={input} type="password" name="token" autocomplete="current-password" spellcheck={false} required />
        </label>
        <button class="button main big" type="submit">
          <span class="button-text">Sign in</span>
        </button>
        <p class="faint small">
          <code>web.token</code> sets one of your own; any token of the Intermediary with the scope <code>watch</code>{" "}
          opens this page, too, and may do what its scopes say. The token stays in this tab.
        </p>
      </form>
    </main>
  );
}
