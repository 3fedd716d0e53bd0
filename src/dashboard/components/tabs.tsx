/** Chooses the panel on the right side; on a narrow screen, the only visible panel. */
import { useLayoutEffect, useRef } from "hono/jsx/dom";
import { formatCount } from "../lib/format.ts";
import { PANELS, sidePanel } from "../panels/registry.ts";
import { countApprovals, countDeadLetters } from "../state/dashboard-state.ts";
import { store, useStore } from "../state/hooks.ts";
import { TEXTS } from "../texts.ts";
import { Icon, type IconName } from "./icons.tsx";
import { SavedViews } from "./saved-views.tsx";

interface Tab {
  readonly name: string;
  readonly title: string;
  readonly icon: IconName;
}

/** The parts of the left side. On a wide screen they are always visible. */
const LEFT_TABS: readonly Tab[] = [
  { name: "now", title: TEXTS.tabs.panels.now, icon: "now" },
  { name: "integrations", title: TEXTS.tabs.panels.integrations, icon: "people" },
];

export function Tabs() {
  const panel = useStore((state) => state.route.panel);
  const side = sidePanel(panel);
  const badges: ReadonlyMap<string, number> = new Map([
    ["queue", useStore(countDeadLetters)],
    ["now", useStore(countApprovals)],
  ]);
  const tab = ({ name, title, icon }: Tab, className: string) => {
    const count = badges.get(name) ?? 0;
    return (
      <button
        key={name}
        type="button"
        class={`tab${className}`}
        aria-current={panel === name ? "page" : undefined}
        data-name={`tab-${name}`}
        onClick={() => store.openPanel(name)}
      >
        <span class="tab-icon">
          <Icon name={icon} size={18} />
        </span>
        <span>{title}</span>
        <span class={count > 0 ? "badge" : "badge hidden"}>{formatCount(count)}</span>
      </button>
    );
  };
  const nav = useRef<HTMLElement | null>(null);
  // Why later: the tab is marked by the drawing that this belongs to.
  useLayoutEffect(() => {
    setTimeout(
      () => nav.current?.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" }),
      0,
    );
  }, [panel]);
  return (
    <nav ref={nav} class="tabs" aria-label={TEXTS.tabs.title}>
      {LEFT_TABS.map((one) => tab(one, " narrow-only"))}
      {PANELS.map((one) => tab(one, one === side ? " is-side" : ""))}
      <SavedViews />
    </nav>
  );
}
