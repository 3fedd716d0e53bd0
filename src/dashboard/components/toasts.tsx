/** What came of what a person did, in passing. */
import { dismissToast } from "../state/relay.ts";
import { useStore } from "../state/store.ts";
import { sanitize } from "../lib/sanitize.ts";
import { Button } from "./primitives.tsx";

export function Toasts() {
  const notices = useStore((state) => state.toasts);
  return (
    <ul class="notices" aria-live="polite" aria-label="Notices">
      {notices.map(({ id, tone, text }) => (
        <li key={id} class={`notice ${tone}`}>
          <span class={`dot ${tone}`} aria-hidden="true" />
          <span class="notice-text">{sanitize(text, 300)}</span>
          <Button kind="quiet" icon="close" label="Dismiss" onPress={() => dismissToast(id)} />
        </li>
      ))}
    </ul>
  );
}
