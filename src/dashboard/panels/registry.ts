/** The panels, in the order of their tabs. A new panel is one row here, and its title in `texts.ts`. */
import type { IconName } from "../components/icons.tsx";
import { TEXTS } from "../texts.ts";
import { Audit } from "./audit.tsx";
import { Brain } from "./brain.tsx";
import { FeedPanel } from "./feed.tsx";
import { IntegrationPage } from "./integration.tsx";
import { Nallely } from "./nallely.tsx";
import { Queue } from "./queue.tsx";
import { Relays } from "./relays.tsx";
import { Tokens } from "./tokens.tsx";
import { Tools } from "./tools.tsx";
import { Traces } from "./traces.tsx";
import { Transcript } from "./transcript.tsx";

/** A panel that is selected by its tab. It reads what it shows with `useResource`, only while it is open. */
export interface Panel {
  /** Its name in addresses and for tests. */
  readonly name: string;
  readonly title: string;
  readonly icon: IconName;
  readonly content: typeof FeedPanel;
}

const { panels: TITLES } = TEXTS.tabs;

export const PANELS: readonly Panel[] = [
  { name: "feed", title: TITLES.feed, icon: "feed", content: FeedPanel },
  { name: "queue", title: TITLES.queue, icon: "queue", content: Queue },
  { name: "brain", title: TITLES.brain, icon: "brain", content: Brain },
  { name: "nallely", title: TITLES.nallely, icon: "wave", content: Nallely },
  { name: "relays", title: TITLES.relays, icon: "nodes", content: Relays },
  { name: "traces", title: TITLES.traces, icon: "list", content: Traces },
  { name: "transcript", title: TITLES.transcript, icon: "feed", content: Transcript },
  { name: "audit", title: TITLES.audit, icon: "list", content: Audit },
  { name: "tokens", title: TITLES.tokens, icon: "key", content: Tokens },
  { name: "tools", title: TITLES.tools, icon: "wrench", content: Tools },
];

/** Panels without a tab: links open them. */
const PAGES: readonly Panel[] = [
  { name: "integration", title: TITLES.integration, icon: "people", content: IntegrationPage },
];

/** The panel on the right side of a wide screen: the open one, or the first while a part of the left side is open. */
export const sidePanel = (open: string): Panel =>
  [...PANELS, ...PAGES].find(({ name }) => name === open) ?? PANELS[0] as Panel;
