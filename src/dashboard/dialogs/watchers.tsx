/** Who else is watching: the other pages like this one, overlays, and programs. */
import type { Page, PeerView } from "../../core/view.ts";
import { formatAge } from "../lib/format.ts";
import { linkTo } from "../lib/route.ts";
import { sanitize } from "../lib/sanitize.ts";
import { store, useResource, useStore } from "../state/hooks.ts";
import { TEXTS } from "../texts.ts";
import { Dialog } from "./dialog.tsx";

const TEXT = TEXTS.watchers;

export function Watchers() {
  return (
    <Dialog name="watchers" title={TEXT.title}>
      <WatcherList />
    </Dialog>
  );
}

function WatcherList() {
  const peers = useResource<Page<PeerView>>("peers");
  const now = useStore((state) => state.now);
  const watchers = (peers?.items ?? []).filter(({ type, connected }) => type === "neuro-os" && connected);
  return (
    <div class="watchers">
      <p class={watchers.length === 0 ? "faint" : "hidden"}>{peers === undefined ? TEXTS.loading : TEXT.none}</p>
      <ul class="plain-list">
        {watchers.map(({ name, since }, index) => (
          <li key={`${name} ${index}`} class="watcher">
            <bdi class="name">{sanitize(name, 60)}</bdi>
            <span class="faint small num">{since === undefined ? "" : TEXT.connected(formatAge(now - since))}</span>
          </li>
        ))}
      </ul>
      <p class="soft small">
        {TEXT.changes} <a href={linkTo("audit")} onClick={() => store.openDialog(undefined)}>{TEXTS.tabs.panels.audit}</a>.
      </p>
    </div>
  );
}
