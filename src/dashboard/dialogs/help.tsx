/** The dialog with the keyboard shortcuts. */
import { relayAddress } from "../lib/address.ts";
import { TEXTS } from "../texts.ts";
import { Dialog } from "./dialog.tsx";

const TEXT = TEXTS.help;

export function Help() {
  return (
    <Dialog name="help" title={TEXT.title}>
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
    </Dialog>
  );
}
