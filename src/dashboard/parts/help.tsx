/** The keyboard shortcuts. */
import { useLayoutEffect, useRef } from "hono/jsx/dom";
import { placeOf } from "../data/place.ts";
import { store, useStore } from "../data/store.ts";
import { SHORTCUTS } from "./keys.ts";
import { Button } from "./pieces.tsx";

export function Help() {
  const isOpen = useStore((state) => state.help);
  const dialog = useRef<HTMLDialogElement | null>(null);
  useLayoutEffect(() => {
    // Why a real dialog: the browser keeps the focus in it, and gives it back.
    if (isOpen && dialog.current?.open === false) dialog.current.showModal();
    else if (!isOpen && dialog.current?.open === true) dialog.current.close();
  }, [isOpen]);
  return (
    <dialog ref={dialog} class="dialog" aria-labelledby="help-title" onClose={() => store.set({ help: false })}>
      <div class="dialog-head">
        <h2 id="help-title">Keyboard</h2>
        <Button kind="quiet" icon="close" label="Close" onPress={() => store.set({ help: false })} />
      </div>
      <dl class="shortcuts">
        {SHORTCUTS.map(([keys, what]) => (
          <div key={keys}>
            <dt>{keys.split("  ").map((key) => <kbd key={key}>{key}</kbd>)}</dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <p class="soft small help-more">
        What this page does, programs can do:{" "}
        <a href={placeOf("api").href} target="_blank" rel="noreferrer">the HTTP API</a>.
      </p>
    </dialog>
  );
}
