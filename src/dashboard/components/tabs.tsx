/** Chooses the panel on the right side; on a narrow screen, the only visible panel. */
import { formatCount } from "../lib/format.ts";
import { countApprovals, countDeadLetters, type PanelName } from "../state/dashboard-state.ts";
import { store, useStore } from "../state/hooks.ts";
import { TEXTS } from "../texts.ts";
import { Icon, type IconName } from "./icons.tsx";

interface Tab {
  readonly panel: PanelName;
  readonly icon: IconName;
  /** Only on a narrow screen; on a wide one the panel is always visible. */
  readonly isNarrowOnly?: true;
}

const TABS: readonly Tab[] = [
  { panel: "now", icon: "now", isNarrowOnly: true },
  { panel: "integrations", icon: "people", isNarrowOnly: true },
  { panel: "feed", icon: "feed" },
  { panel: "queue", icon: "queue" },
  { panel: "brain", icon: "brain" },
  { panel: "nallely", icon: "wave" },
  { panel: "audit", icon: "list" },
  { panel: "tools", icon: "wrench" },
];

export type SidePanelName = Exclude<PanelName, "now" | "integrations">;

/** The panels of the right side of a wide screen. */
export const sidePanel = (panel: PanelName): SidePanelName => panel === "now" || panel === "integrations" ? "feed" : panel;

export function Tabs() {
  const panel = useStore((state) => state.panel);
  const badges: Partial<Record<PanelName, number>> = {
    queue: useStore(countDeadLetters),
    now: useStore(countApprovals),
  };
  return (
    <nav class="tabs" aria-label={TEXTS.tabs.title}>
      {TABS.map(({ panel: own, icon, isNarrowOnly }) => (
        <button
          key={own}
          type="button"
          class={`tab${isNarrowOnly === true ? " narrow-only" : ""}${sidePanel(panel) === own ? " is-side" : ""}`}
          aria-current={panel === own ? "page" : undefined}
          data-name={`tab-${own}`}
          onClick={() => store.openPanel(own)}
        >
          <span class="tab-icon">
            <Icon name={icon} size={18} />
          </span>
          <span>{TEXTS.tabs.panels[own]}</span>
          <span class={(badges[own] ?? 0) > 0 ? "badge" : "badge hidden"}>{formatCount(badges[own] ?? 0)}</span>
        </button>
      ))}
    </nav>
  );
}
