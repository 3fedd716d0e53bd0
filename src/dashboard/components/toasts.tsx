/** Short messages about what a person just did. */
import { sanitize } from "../lib/sanitize.ts";
import { store, useStore } from "../state/hooks.ts";
import { TEXTS } from "../texts.ts";
import { Icon } from "./icons.tsx";
import { Button } from "./primitives.tsx";

export function Toasts() {
  const toasts = useStore((state) => state.toasts);
  return (
    <ul class="toasts" aria-live="polite" aria-label={TEXTS.toasts}>
      {toasts.map(({ id, tone, text }) => (
        <li key={id} class={`toast ${tone}`}>
          <span class={`toast-icon ${tone}`}>
            <Icon name={tone === "good" ? "check" : "cross"} />
          </span>
          <span class="toast-text">{sanitize(text, 300)}</span>
          <Button kind="quiet" icon="close" label={TEXTS.dismiss} onPress={() => store.dismissToast(id)} />
        </li>
      ))}
    </ul>
  );
}
