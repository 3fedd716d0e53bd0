/** The audit log: the actions of operators on this page, by the API, or by a watcher's command. */
import { memo } from "hono/jsx/dom";
import type { AuditView, Page } from "../../core/view.ts";
import { SortedList } from "../lists/sorted-list.tsx";
import { EmptyState } from "../components/primitives.tsx";
import { formatTime } from "../lib/format.ts";
import type { SortColumn } from "../lib/sort-list.ts";
import { sanitize } from "../lib/sanitize.ts";
import { useResource } from "../state/hooks.ts";
import { operatorAction, outcomeText, TEXTS } from "../texts.ts";

const TEXT = TEXTS.audit;
const ENTRIES_MAX = 200;

const { columns: TITLES } = TEXTS;
const COLUMNS: readonly SortColumn<AuditView>[] = [
  { key: "time", title: TITLES.time, valueOf: ({ at }) => at },
  { key: "by", title: TITLES.by, isText: true, valueOf: ({ by }) => by },
  { key: "action", title: TITLES.action, isText: true, valueOf: ({ action }) => action },
  { key: "target", title: TITLES.target, isText: true, valueOf: ({ target }) => target },
  { key: "result", title: TITLES.result, isText: true, valueOf: ({ outcome }) => outcome },
];

export function Audit() {
  const page = useResource<Page<AuditView>>(`audit?limit=${ENTRIES_MAX}`);
  const audit = page === null ? [] : page?.items;
  return (
    <div class="scrolls">
      <h2 class="visually-hidden">{TEXT.title}</h2>
      <div>
        {audit === undefined
          ? <p key="loading" class="faint pad">{TEXTS.loading}</p>
          : audit.length === 0
          ? <EmptyState key="none" title={TEXT.none}>{TEXT.noneMeans}</EmptyState>
          : (
            <SortedList
              key="some"
              className="audit"
              param="by_act"
              columns={COLUMNS}
              items={audit}
              keyOf={({ id }) => id}
              row={(entry) => <AuditRow entry={entry} />}
            />
          )}
      </div>
    </div>
  );
}

const AuditRow = memo(({ entry: { at, by, action, target: to, outcome } }: { readonly entry: AuditView }) => {
  const [before, target, after] = operatorAction(action, to);
  return (
    <div class="audit-row">
      <span class="num faint small" title={new Date(at).toISOString()}>{formatTime(at)}</span>
      <bdi class="audit-by">{sanitize(by, 40)}</bdi>
      <span class="audit-action">
        {sanitize(before, 60)}
        <bdi class="audit-target">{sanitize(target, 80)}</bdi>
        {sanitize(after, 60)}
      </span>
      <span class={outcome === "done" ? "good-text small end" : "bad-text small end"}>{outcomeText(outcome)}</span>
    </div>
  );
});
