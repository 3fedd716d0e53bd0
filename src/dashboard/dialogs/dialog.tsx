/** A dialog over the page. */
import { type Child, useLayoutEffect, useRef } from "hono/jsx/dom";
import type { DialogName } from "../state/dashboard-state.ts";
import { store, useStore } from "../state/hooks.ts";
import { TEXTS } from "../texts.ts";
import { Button } from "../components/primitives.tsx";

interface DialogProps {
  readonly name: DialogName;
  readonly title: string;
  readonly children: Child;
}

export function Dialog({ name, title, children }: DialogProps) {
  const isOpen = useStore(({ dialog }) => dialog === name);
  const element = useRef<HTMLDialogElement | null>(null);
  const close = (): void => store.openDialog(undefined);
  useLayoutEffect(() => {
    // Why a real dialog: the browser keeps the focus inside, and restores it afterwards.
    if (isOpen && element.current?.open === false) element.current.showModal();
    else if (!isOpen && element.current?.open === true) element.current.close();
  }, [isOpen]);
  return (
    <dialog
      ref={element}
      class={`dialog dialog-${name}`}
      aria-labelledby={`${name}-title`}
      onClose={() => isOpen && close()}
    >
      <div class="dialog-head">
        <h2 id={`${name}-title`}>{title}</h2>
        <Button kind="quiet" icon="close" label={TEXTS.close} onPress={close} />
      </div>
      {/* Why only while it is open: what it shows is read only then. */}
      <div>{isOpen ? <div key="open">{children}</div> : null}</div>
    </dialog>
  );
}
