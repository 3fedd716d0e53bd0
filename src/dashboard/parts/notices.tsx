/** What came of what a person did, in passing. */
import { hush } from "../data/relay.ts";
import { useStore } from "../data/store.ts";
import { shown } from "../model/shown.ts";
import { Button } from "./pieces.tsx";

export function Notices() {
  const notices = useStore((state) => state.notices);
  return (
    <ul class="notices" aria-live="polite" aria-label="Notices">
      {notices.map(({ id, tone, text }) => (
        <li key={id} class={`notice ${tone}`}>
          <span class={`dot ${tone}`} aria-hidden="true" />
          <span class="notice-text">{shown(text, 300)}</span>
          <Button kind="quiet" icon="close" label="Dismiss" onPress={() => hush(id)} />
        </li>
      ))}
    </ul>
  );
}
