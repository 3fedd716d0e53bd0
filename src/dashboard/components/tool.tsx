/** A form with a title and an explanation, for something that an operator does now and then. */
import { type Child, useRef, useState } from "hono/jsx/dom";
import { sanitize } from "../lib/sanitize.ts";
import { Prose } from "./primitives.tsx";

interface ToolProps {
  readonly name: string;
  readonly texts: { readonly title: string; readonly about: string; readonly submit: string };
  readonly disabledReason: string | undefined;
  readonly children: Child;
  /** Returns the error, if there is one. */
  send(values: FormData): Promise<string | undefined>;
}

export function Tool({ name, texts, disabledReason, children, send }: ToolProps) {
  const [error, setError] = useState("");
  const form = useRef<HTMLFormElement | null>(null);
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (form.current === null) return;
    setError(disabledReason ?? await send(new FormData(form.current)) ?? "");
  };
  return (
    <section class="tool" aria-labelledby={`${name}-title`}>
      <h2 id={`${name}-title`} class="panel-title">{texts.title}</h2>
      <form ref={form} class="tool-form" data-name={name} noValidate onSubmit={(event: Event) => void submit(event)}>
        <p class="soft small">
          <Prose text={texts.about} />
        </p>
        {children}
        <p class={error === "" ? "field-error hidden" : "field-error"} role="alert">{sanitize(error, 300)}</p>
        <button
          type="submit"
          class="button main"
          title={disabledReason}
          aria-disabled={disabledReason === undefined ? undefined : "true"}
        >
          <span class="button-text">{texts.submit}</span>
        </button>
      </form>
    </section>
  );
}

/** The text of a field. */
export const valueOf = (values: FormData, name: string): string => String(values.get(name) ?? "");
