/** All relays of the process or the cluster, with links to their pages, and the nodes of the cluster. */
import { memo } from "hono/jsx/dom";
import type { NodeView, Page, RelayView } from "../../core/view.ts";
import { SortedList } from "../lists/sorted-list.tsx";
import { Chip, EmptyState, Prose } from "../components/primitives.tsx";
import { formatAge } from "../lib/format.ts";
import { relayNameOf, relayPath } from "../lib/page-view.ts";
import type { SortColumn } from "../lib/sort-list.ts";
import { sanitize } from "../lib/sanitize.ts";
import type { Tone } from "../lib/describe-event.ts";
import { useResource, useStore } from "../state/hooks.ts";
import { NODE_LEASES, TEXTS } from "../texts.ts";

const TEXT = TEXTS.relays;
const ITEMS_MAX = 500;

const { columns: TITLES } = TEXTS;
const RELAY_COLUMNS: readonly SortColumn<RelayView>[] = [
  { key: "name", title: TITLES.name, isText: true, valueOf: ({ name }) => name },
  { key: "state", title: TITLES.state, isText: true, valueOf: ({ state }) => state },
  { key: "node", title: TITLES.node, isText: true, valueOf: ({ node }) => node },
];
const NODE_COLUMNS: readonly SortColumn<NodeView>[] = [
  { key: "name", title: TITLES.name, isText: true, valueOf: ({ name }) => name },
  { key: "lease", title: TITLES.lease, isText: true, valueOf: ({ lease }) => lease },
  { key: "relays", title: TITLES.relays, valueOf: ({ relays }) => relays },
  { key: "beat", title: TITLES.beat, valueOf: ({ last_beat: lastBeat }) => lastBeat },
];

export function Relays() {
  const relays = useResource<Page<RelayView>>(`relays?limit=${ITEMS_MAX}`);
  const nodes = useResource<Page<NodeView>>(`nodes?limit=${ITEMS_MAX}`);
  return (
    <div class="scrolls">
      <section aria-labelledby="relays-title">
        <h2 id="relays-title" class="panel-title">{TEXT.title}</h2>
        <div>
          {relays === undefined || relays === null ? <p key="loading" class="faint pad">{TEXTS.loading}</p> : (
            <SortedList
              key="some"
              param="by_relay"
              columns={RELAY_COLUMNS}
              items={relays.items}
              keyOf={({ name }) => name}
              row={(relay) => <RelayRow relay={relay} />}
            />
          )}
          <p class={typeof relays?.next === "string" ? "faint pad" : "hidden"}>{TEXT.more(ITEMS_MAX)}</p>
        </div>
      </section>
      <section aria-labelledby="nodes-title">
        <h2 id="nodes-title" class="panel-title">{TEXT.nodes}</h2>
        <div>
          {nodes === undefined || nodes === null
            ? <p key="loading" class="faint pad">{TEXTS.loading}</p>
            : nodes.items.length === 0
            ? (
              <EmptyState key="none" title={TEXT.noNodes}>
                <Prose text={TEXT.noNodesMeans} />
              </EmptyState>
            )
            : (
              <SortedList
                key="some"
                param="by_node"
                columns={NODE_COLUMNS}
                items={nodes.items}
                keyOf={({ name }) => name}
                row={(node) => <NodeRow node={node} />}
              />
            )}
        </div>
      </section>
    </div>
  );
}

const RelayRow = memo(({ relay: { name, state, node, starts_at: startsAt } }: { readonly relay: RelayView }) => {
  const due = useStore(({ now }) => startsAt === null ? "" : TEXT.starts(formatAge(Math.max(0, startsAt - now))));
  const isThis = name === relayNameOf(location.pathname);
  const facts = [node === null ? "" : TEXT.at(sanitize(node, 60)), due].filter((fact) => fact !== "");
  return (
    <div class="entry" data-name="relay">
      <div class="entry-head">
        {isThis
          ? <strong key="this" class="name">{sanitize(name, 64)}</strong>
          : <a key="other" class="name" href={relayPath(location.pathname, name)}>{sanitize(name, 64)}</a>}
        <Chip tone={state === "running" ? "good" : "plain"}>{TEXT.states[state]}</Chip>
        {isThis ? <Chip key="this-chip" tone="accent">{TEXT.thisPage}</Chip> : null}
        <span class="faint small num">{facts.join(" · ")}</span>
      </div>
    </div>
  );
});

const LEASE_TONES: Readonly<Record<NodeView["lease"], Tone>> = {
  joining: "warn",
  holding: "good",
  suspended: "bad",
  stopping: "warn",
  silent: "bad",
};

function NodeRow({ node }: { readonly node: NodeView }) {
  const { name, address, lease, reachable, answers, relays, last_beat: lastBeat } = node;
  const beat = useStore(({ now }) => lastBeat === null ? TEXT.noBeat : TEXT.beat(formatAge(Math.max(0, now - lastBeat))));
  return (
    <div class="entry" data-name="node">
      <div class="entry-head">
        <bdi class="name">{sanitize(name, 64)}</bdi>
        <Chip tone={LEASE_TONES[lease]}>{NODE_LEASES[lease]}</Chip>
        {reachable ? null : <Chip key="lost" tone="bad">{TEXT.notReachable}</Chip>}
        {answers ? <Chip key="answers" tone="accent">{TEXT.answers}</Chip> : null}
        <span class="faint small num">{[TEXT.owns(relays), beat, sanitize(address, 80)].join(" · ")}</span>
      </div>
    </div>
  );
}
