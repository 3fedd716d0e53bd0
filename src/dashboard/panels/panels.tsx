/** The panel that is open. */
import { useStore } from "../state/store.ts";
import { sidePanel } from "../components/tabs.tsx";
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
} as const;

export function Panels() {
  const panel = sidePanel(useStore((state) => state.panel));
  const Shown = PANELS[panel as keyof typeof PANELS];
  return (
    <div class="panel" data-name={`panel-${panel}`}>
      <Shown key={panel} />
    </div>
  );
}
