/** The keyboard shortcuts. */
import { useLayoutEffect, useRef } from "hono/jsx/dom";
import { relayAddress } from "../lib/address.ts";
import { store, useStore } from "../state/store.ts";
import { SHORTCUTS } from "./keyboard-shortcuts.ts";
import { Button } from "./primitives.tsx";

export function Help() {
  const isOpen = useStore((state) => state.isHelpOpen);
  const dialog = useRef<HTMLDialogElement | null>(null);
  useLayoutEffect(() => {
    // Why a real dialog: the browser keeps the focus in it, and gives it back.
    if (isOpen && dialog.current?.open === false) dialog.current.showModal();
    else if (!isOpen && dialog.current?.open === true) dialog.current.close();
  }, [isOpen]);
  return (
    <dialog ref={dialog} class="dialog" aria-labelledby="help-title" onClose={() => store.set({ isHelpOpen: false })}>
      <div class="dialog-head">
        <h2 id="help-title">Keyboard</h2>
        <Button kind="quiet" icon="close" label="Close" onPress={() => store.set({ isHelpOpen: false })} />
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
        <a href={relayAddress("api").href} target="_blank" rel="noreferrer">the HTTP API</a>.
      </p>
    </dialog>
  );
}
