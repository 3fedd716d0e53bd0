/** What the right side shows; on a phone, what the page shows. */
import { openPanel } from "../state/relay.ts";
import { type PanelName, useStore } from "../state/store.ts";
import { formatCount } from "../lib/format.ts";
import { Icon, type IconName } from "./icons.tsx";

interface Tab {
  readonly panel: PanelName;
  readonly label: string;
  readonly icon: IconName;
  readonly narrow?: boolean;
}

const TABS: readonly Tab[] = [
  { panel: "now", label: "Now", icon: "now", narrow: true },
  { panel: "integrations", label: "Games", icon: "people", narrow: true },
  { panel: "feed", label: "Feed", icon: "feed" },
  { panel: "queue", label: "Queue", icon: "queue" },
  { panel: "brain", label: "Brain", icon: "brain" },
  { panel: "nallely", label: "Nallely", icon: "wave" },
  { panel: "audit", label: "Audit", icon: "list" },
  { panel: "tools", label: "Tools", icon: "wrench" },
];

/** On a wide screen what is always there is not a panel of its own. */
export const sidePanel = (panel: PanelName): PanelName => (panel === "now" || panel === "integrations" ? "feed" : panel);

export function Tabs() {
  const panel = useStore((state) => state.panel);
  const dead = useStore((state) => numberAt(state.overview?.services["intermediary"], "dead"));
  const waiting = useStore(({ overview }) =>
    (overview?.services.neuro?.upstreams ?? []).reduce(
      (sum, { pending }) => sum + pending.filter(({ is }) => is === "approval").length,
      0,
    )
  );
  const badges: Partial<Record<PanelName, number>> = { queue: dead, now: waiting };
  return (
    <nav class="tabs" aria-label="Panels">
      {TABS.map(({ panel: own, label, icon, narrow = false }) => (
        <button
          key={own}
          type="button"
          class={`tab${narrow ? " narrow-only" : ""}${sidePanel(panel) === own ? " is-side" : ""}`}
          aria-current={panel === own ? "page" : undefined}
          data-name={`tab-${own}`}
          onClick={() => openPanel(own)}
        >
          <span class="tab-icon">
            <Icon name={icon} size={18} />
          </span>
          <span>{label}</span>
          <span class={(badges[own] ?? 0) > 0 ? "badge" : "badge none"}>{formatCount(badges[own] ?? 0)}</span>
        </button>
      ))}
    </nav>
  );
}

function numberAt(room: object | undefined, name: string): number {
  const queue = room !== undefined && "queue" in room ? room.queue : undefined;
  const value = typeof queue === "object" && queue !== null && name in queue ? (queue as Record<string, unknown>)[name] : 0;
  return typeof value === "number" ? value : 0;
}
