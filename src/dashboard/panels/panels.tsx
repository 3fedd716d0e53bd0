/** The open panel. */
import { sidePanel, type SidePanelName } from "../components/tabs.tsx";
import { useStore } from "../state/hooks.ts";
import { Audit } from "./audit.tsx";
import { Brain } from "./brain.tsx";
import { FeedPanel } from "./feed.tsx";
import { Nallely } from "./nallely.tsx";
import { Queue } from "./queue.tsx";
import { Tools } from "./tools.tsx";

const PANELS = {
  feed: FeedPanel,
  queue: Queue,
  brain: Brain,
  nallely: Nallely,
  audit: Audit,
  tools: Tools,
} as const satisfies Record<SidePanelName, unknown>;

export function Panels() {
  const panel = useStore((state) => sidePanel(state.panel));
  const OpenPanel = PANELS[panel];
  return (
    <div class="panel" data-name={`panel-${panel}`}>
      <OpenPanel key={panel} />
    </div>
  );
}
