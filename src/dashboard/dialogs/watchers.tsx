/** Who else is watching: the other pages like this one, overlays, and programs. */
import type { Page, WatcherView } from "../../core/view.ts";
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
  const page = useResource<Page<WatcherView>>("watchers");
  const now = useStore((state) => state.now);
  const watchers = page?.items ?? [];
  return (
    <div class="watchers">
      <p class={watchers.length === 0 ? "faint" : "hidden"}>{page === undefined ? TEXTS.loading : TEXT.none}</p>
      <ul class="plain-list">
        {watchers.map(({ name, token, address, since }, index) => (
          <li key={`${name} ${index}`} class="watcher">
            <bdi class="name">{sanitize(name, 60)}</bdi>
            <span class="faint small num">
              {TEXT.connected(sanitize(token, 40), sanitize(address, 60), formatAge(now - since))}
            </span>
          </li>
        ))}
      </ul>
      <p class="soft small">
        {TEXT.changes} <a href={linkTo("audit")} onClick={() => store.openDialog(undefined)}>{TEXTS.tabs.panels.audit}</a>.
      </p>
    </div>
  );
}
