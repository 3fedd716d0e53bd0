/** The form for a token, shown while the page has no accepted token. */
import { useLayoutEffect, useRef } from "hono/jsx/dom";
import { store, useStore } from "../state/hooks.ts";
import { TEXTS } from "../texts.ts";
import { Logo } from "./logo.tsx";
import { Prose } from "./primitives.tsx";

const TEXT = TEXTS.signIn;

export function SignIn() {
  const refusal = useStore(({ session }) => (session.is === "signed_out" ? session.refusal : undefined));
  const input = useRef<HTMLInputElement | null>(null);
  useLayoutEffect(() => input.current?.focus(), []);
  const submit = (event: Event): void => {
    event.preventDefault();
    const token = input.current?.value.trim() ?? "";
    if (token !== "") store.signIn(token);
  };
  return (
    <main class="sign-in">
      <form class="card sign-in-card" onSubmit={submit}>
        <Logo size={44} />
        <h1>{TEXTS.title.name}</h1>
        <p class="soft">{TEXT.intro}</p>
        <p class={refusal === undefined ? "sign-in-refusal hidden" : "sign-in-refusal"} role="alert">
          {refusal === undefined ? "" : TEXT.refusals[refusal]}
        </p>
        <label class="field">
          <span class="field-label">{TEXT.token}</span>
          <input ref={input} type="password" name="token" autocomplete="current-password" spellcheck={false} required />
        </label>
        <button class="button main big" type="submit">
          <span class="button-text">{TEXT.submit}</span>
        </button>
        <p class="faint small">
          <Prose text={TEXT.hint} />
        </p>
      </form>
    </main>
  );
}
