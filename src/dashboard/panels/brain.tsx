/** The Brain's sessions, and one of them. */
import { pathSegment } from "../../clients/api-client.ts";
import { Chip, EmptyState, Facts, Prose } from "../components/primitives.tsx";
import { isObject, type Json, type JsonObject } from "../../core/json.ts";
import type { BrainSessionDetail } from "../../core/view.ts";
import { formatAge, formatBytes, formatCount, formatTime } from "../lib/format.ts";
import { linkTo } from "../lib/route.ts";
import type { SortColumn } from "../lib/sort-list.ts";
import { SortedList } from "../lists/sorted-list.tsx";
import { sanitize, sanitizeJson } from "../lib/sanitize.ts";
import { useResource, useStore } from "../state/hooks.ts";
import { humanize, TEXTS } from "../texts.ts";

const TEXT = TEXTS.brain;

const numberOf = (value: Json | undefined): number => (typeof value === "number" ? value : 0);
const textOf = (value: Json | undefined): string =>
  typeof value === "string" ? value : value === undefined ? "" : JSON.stringify(value);

export function Brain() {
  const name = useStore(({ route }) => (route.panel === "brain" ? route.item : ""));
  return name === "" ? <Sessions key="all" /> : <Session key={name} name={name} />;
}

/** Characters of an event's payload that are shown before it is opened. */
const EVENT_LENGTH_MAX = 120;

/** One session: its state and its last events, kept up to date. */
function Session({ name }: { readonly name: string }) {
  const session = useResource<BrainSessionDetail>(`brain/sessions/${pathSegment(name)}`);
  return (
    <div class="scrolls page" data-name="brain-session">
      <p class="page-back">
        <a href={linkTo("brain")}>{TEXT.back}</a>
      </p>
      <h2 class="page-title">
        <code>{sanitize(name, 40)}</code>
      </h2>
      {session === undefined
        ? <p key="loading" class="faint pad">{TEXTS.loading}</p>
        : session === null
        ? <EmptyState key="gone" title={TEXT.gone}>{TEXT.goneMeans}</EmptyState>
        : <SessionBody key="here" session={session} />}
    </div>
  );
}

function SessionBody({ session }: { readonly session: BrainSessionDetail }) {
  const { seq, used_at, followers, is, owner, mode, sealed, state, state_length, events, damage } = session;
  const age = useStore(({ now }) => TEXT.ago(formatAge(now - used_at)));
  return (
    <div class="page-body">
      <Facts
        facts={[
          [TEXT.facts.is, TEXT.kinds[is]],
          [TEXT.facts.owner, textOf(owner ?? undefined)],
          [TEXT.facts.mode, mode === null ? TEXT.none : humanize(mode)],
          [TEXT.facts.sealed, sealed === true ? TEXT.yes : TEXT.no],
          [TEXT.facts.events, formatCount(seq + 1)],
          [TEXT.facts.followers, formatCount(followers)],
          [TEXT.facts.used, age],
          [TEXT.facts.size, state_length === null ? TEXT.none : formatBytes(state_length)],
        ]}
      />
      <p class={damage === null ? "hidden" : "force-failure"}>{sanitize(damage ?? "", 300)}</p>
      <section aria-labelledby="brain-state">
        <h3 id="brain-state" class="panel-subtitle">{TEXT.state}</h3>
        {state === null
          ? <p key="none" class="faint small pad">{is === "loaded" ? TEXT.tooLarge : TEXT.notLoaded}</p>
          : <pre key="state" class="brain-state" data-name="brain-state" dir="auto">{sanitizeJson(state)}</pre>}
      </section>
      <section aria-labelledby="brain-events">
        <h3 id="brain-events" class="panel-subtitle">{TEXT.lastEvents}</h3>
        <ol class="plain-list history">
          {[...events].reverse().map((event) => (
            <li key={`${event.seq}`} class="history-row" data-name="brain-event">
              <span class="num faint small" title={sanitize(event.timestamp, 40)}>
                {formatTime(Date.parse(event.timestamp))}
              </span>
              <span class="feed-label">{sanitize(humanize(event.type).toLowerCase(), 40)}</span>
              <details class="state">
                <summary>
                  {TEXT.event(event.seq)}{" "}
                  <bdi class="faint">{sanitize(JSON.stringify(event.payload), EVENT_LENGTH_MAX)}</bdi>
                </summary>
                <pre dir="auto">{sanitizeJson(event.payload)}</pre>
              </details>
            </li>
          ))}
        </ol>
      </section>
    </div>
  );
}

const { columns: TITLES } = TEXTS;
const COLUMNS: readonly SortColumn<JsonObject>[] = [
  { key: "name", title: TITLES.name, isText: true, valueOf: ({ name }) => textOf(name) },
  { key: "seq", title: TITLES.seq, valueOf: ({ seq }) => numberOf(seq) },
  { key: "used", title: TITLES.used, valueOf: ({ touched }) => Date.parse(textOf(touched)) },
];

function Sessions() {
  // Why the cast: the status of a service other than Neuro has no declared shape, so each field is checked where it is read.
  const brain = useStore(({ overview }) => overview?.services["brain"]) as JsonObject | undefined;
  if (brain === undefined) {
    return (
      <div class="scrolls">
        <EmptyState title={TEXT.off}>
          <Prose text={TEXT.offMeans} />
        </EmptyState>
      </div>
    );
  }
  const { sessions, sessions_max, awake, peers, damaged, covenant, persist, artifact, latest } = brain;
  const rows: readonly Json[] = Array.isArray(latest) ? latest : [];
  return (
    <div class="scrolls">
      <h2 class="visually-hidden">{TEXT.title}</h2>
      <div class="panel-facts">
        <Facts
          facts={[
            [TEXT.facts.sessions, TEXT.of(numberOf(sessions), numberOf(sessions_max))],
            [TEXT.facts.active, formatCount(numberOf(awake))],
            [TEXT.facts.peers, formatCount(numberOf(peers))],
            [TEXT.facts.damaged, formatCount(numberOf(damaged))],
            [TEXT.facts.covenant, humanize(textOf(covenant))],
            [TEXT.facts.stored, persist === true ? TEXT.yes : TEXT.no],
            [TEXT.facts.artifact, artifactText(artifact)],
          ]}
        />
      </div>
      <div>
        {rows.length === 0
          ? (
            <EmptyState key="none" title={TEXT.noSessions}>
              <Prose text={TEXT.noSessionsMeans} />
            </EmptyState>
          )
          : (
            <SortedList
              key="some"
              param="by_session"
              columns={COLUMNS}
              items={rows.filter(isObject)}
              keyOf={(row) => textOf(row["name"])}
              row={(row) => <SessionRow row={row} />}
            />
          )}
      </div>
    </div>
  );
}

function artifactText(artifact: Json | undefined): string {
  if (!isObject(artifact)) return artifact === undefined || artifact === null ? TEXT.none : textOf(artifact);
  const { run_id, predicts } = artifact;
  if (run_id === undefined || run_id === null) return TEXT.none;
  return predicts === false ? TEXT.noPrediction(textOf(run_id)) : textOf(run_id);
}

function SessionRow({ row }: { readonly row: JsonObject }) {
  const { name, seq, touched, followers, owner, sealed, mode, keys } = row;
  const age = useStore(({ now }) => TEXT.ago(formatAge(now - Date.parse(textOf(touched)))));
  const facts = [
    ...(owner === undefined || owner === null ? [] : [sanitize(textOf(owner), 40)]),
    TEXT.events(numberOf(seq)),
    keys === undefined ? TEXT.evicted : TEXT.keys(numberOf(keys)),
    age,
  ];
  return (
    <div class="entry">
      <div class="entry-head">
        <a class="name" href={linkTo("brain", textOf(name))}>
          <code>{sanitize(textOf(name), 40)}</code>
        </a>
        {mode === undefined ? null : <Chip key="mode">{sanitize(humanize(textOf(mode)), 30)}</Chip>}
        {sealed === true ? <Chip key="sealed" tone="warn">{TEXT.sealed}</Chip> : null}
        {numberOf(followers) > 0 ? <Chip key="followers" tone="accent">{TEXT.followers(numberOf(followers))}</Chip> : null}
        <span class="faint small num">{facts.join(" · ")}</span>
      </div>
    </div>
  );
}
