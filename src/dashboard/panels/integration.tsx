/** The page of one integration: its switches, what it does wrong, its actions, and its history. */
import { useLayoutEffect, useRef } from "hono/jsx/dom";
import { Controls, Marks } from "../components/integration-controls.tsx";
import { IntegrationDetails } from "../components/integration-detail.tsx";
import { EmptyState } from "../components/primitives.tsx";
import type { AuditView, IntegrationDetail, Page } from "../../core/view.ts";
import { pathSegment } from "../../clients/api-client.ts";
import { formatTime } from "../lib/format.ts";
import { linkTo } from "../lib/route.ts";
import { sanitize } from "../lib/sanitize.ts";
import type { FeedRow } from "../state/event-feed.ts";
import { store, useFeed, useResource, useStore } from "../state/hooks.ts";
import { operatorActionText, outcomeText, TEXTS } from "../texts.ts";

const TEXT = TEXTS.integrationPage;
/** Entries of the history that are shown. */
const HISTORY_MAX = 100;

export function IntegrationPage() {
  const id = useStore(({ route }) => route.item);
  return <OfIntegration key={id} id={id} />;
}

function OfIntegration({ id }: { readonly id: string }) {
  const detail = useResource<IntegrationDetail>(`integrations/${pathSegment(id)}`);
  const title = useRef<HTMLHeadingElement | null>(null);
  useLayoutEffect(() => {
    // Why later: the element is not in the document yet.
    setTimeout(() => title.current?.focus(), 0);
  }, []);
  const name = sanitize(detail?.name ?? id, 80);
  return (
    <div class="scrolls page" data-name="integration-page">
      <p class="page-back">
        <a href={linkTo("integrations")}>{TEXT.back}</a>
      </p>
      <h2 ref={title} class="page-title" tabindex={-1}>
        <bdi>{name}</bdi>
      </h2>
      {detail === undefined
        ? <p key="loading" class="faint pad">{TEXTS.loading}</p>
        : detail === null
        ? <EmptyState key="gone" title={TEXT.gone}>{TEXT.goneMeans}</EmptyState>
        : (
          <div key="here" class="page-body">
            <Marks integration={detail} />
            <Controls integration={detail} isWordy />
            <p class={store.results.lastFailure(id) === "" ? "hidden" : "force-failure"} dir="auto">
              {TEXT.lastFailure(sanitize(store.results.lastFailure(id), 200))}
            </p>
            <IntegrationDetails id={id} />
            <History detail={detail} />
          </div>
        )}
    </div>
  );
}

interface HistoryEntry {
  readonly key: string;
  readonly at: number;
  readonly label: string;
  readonly tone: string;
  readonly text: string;
}

const ofEvent = ({ seq, at, summary }: FeedRow): HistoryEntry => ({
  key: `event ${seq}`,
  at,
  label: summary.label,
  tone: summary.tone,
  text: summary.text,
});

const ofAudit = ({ id, at, by, action, target, outcome }: AuditView): HistoryEntry => ({
  key: `audit ${id}`,
  at,
  label: TEXT.operator,
  tone: "accent",
  text: sanitize(
    `${by} ${operatorActionText(action, target)}${outcome === "done" ? "" : ` (${outcomeText(outcome)})`}`,
    300,
  ),
});

/** What the integration did, what Neuro read of it, and what operators did to it, newest first. */
function History({ detail: { id, name } }: { readonly detail: IntegrationDetail }) {
  useFeed();
  const audit = useResource<Page<AuditView>>("audit?limit=500");
  const isOwn = ({ target }: AuditView): boolean => target === id || target.split(/[ ,]/).includes(id);
  const entries = [
    ...store.feed.rowsOf(id, name, HISTORY_MAX).map(ofEvent),
    ...(audit?.items ?? []).filter(isOwn).map(ofAudit),
  ].sort((one, other) => other.at - one.at).slice(0, HISTORY_MAX);
  return (
    <section aria-labelledby="history-title">
      <h3 id="history-title" class="panel-subtitle">
        {TEXT.history} · <a href={linkTo("feed", "", { integration: name })}>{TEXT.inFeed}</a> ·{" "}
        <a href={linkTo("transcript")}>{TEXTS.tabs.panels.transcript}</a>
      </h3>
      {entries.length === 0
        ? <p key="none" class="faint small pad">{TEXT.noHistory}</p>
        : (
          <ol key="some" class="plain-list history" data-name="history">
            {entries.map(({ key, at, label, tone, text }) => (
              <li key={key} class="history-row">
                <span class="num faint small">{formatTime(at)}</span>
                <span class={`feed-label ${tone}`}>{label}</span>
                <span class="history-text" dir="auto">{text}</span>
              </li>
            ))}
          </ol>
        )}
    </section>
  );
}
