/** The dialog with the keyboard shortcuts. */
import { useLayoutEffect, useRef } from "hono/jsx/dom";
import { relayAddress } from "../lib/address.ts";
import { store, useStore } from "../state/hooks.ts";
import { TEXTS } from "../texts.ts";
import { Button } from "./primitives.tsx";

const TEXT = TEXTS.help;

export function Help() {
  const isOpen = useStore((state) => state.isHelpOpen);
  const dialog = useRef<HTMLDialogElement | null>(null);
  const close = (): void => store.setHelpOpen(false);
  useLayoutEffect(() => {
    // Why a real dialog: the browser keeps the focus inside, and restores it afterwards.
    if (isOpen && dialog.current?.open === false) dialog.current.showModal();
    else if (!isOpen && dialog.current?.open === true) dialog.current.close();
  }, [isOpen]);
  return (
    <dialog ref={dialog} class="dialog" aria-labelledby="help-title" onClose={close}>
      <div class="dialog-head">
        <h2 id="help-title">{TEXT.title}</h2>
        <Button kind="quiet" icon="close" label={TEXTS.close} onPress={close} />
      </div>
      <dl class="shortcuts">
        {TEXT.shortcuts.map(([keys, what]) => (
          <div key={keys}>
            <dt>{keys.split("  ").map((key) => <kbd key={key}>{key}</kbd>)}</dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <p class="soft small help-more">
        {TEXT.api} <a href={relayAddress("api").href} target="_blank" rel="noreferrer">{TEXT.apiLink}</a>.
      </p>
    </dialog>
  );
}
