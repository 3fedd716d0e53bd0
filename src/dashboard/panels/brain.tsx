/** The Brain's sessions. */
import { Chip, EmptyState, Facts, Prose } from "../components/primitives.tsx";
import { isObject, type Json, type JsonObject } from "../../core/json.ts";
import { formatAge, formatCount } from "../lib/format.ts";
import { sanitize } from "../lib/sanitize.ts";
import { useStore } from "../state/hooks.ts";
import { humanize, TEXTS } from "../texts.ts";

const TEXT = TEXTS.brain;

const numberOf = (value: Json | undefined): number => (typeof value === "number" ? value : 0);
const textOf = (value: Json | undefined): string =>
  typeof value === "string" ? value : value === undefined ? "" : JSON.stringify(value);

export function Brain() {
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
            <ul key="some" class="plain-list">
              {rows.filter(isObject).map((row) => <SessionRow key={textOf(row["name"])} row={row} />)}
            </ul>
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
    <li class="entry">
      <div class="entry-head">
        <code class="name">{sanitize(textOf(name), 40)}</code>
        {mode === undefined ? null : <Chip key="mode">{sanitize(humanize(textOf(mode)), 30)}</Chip>}
        {sealed === true ? <Chip key="sealed" tone="warn">{TEXT.sealed}</Chip> : null}
        {numberOf(followers) > 0 ? <Chip key="followers" tone="accent">{TEXT.followers(numberOf(followers))}</Chip> : null}
        <span class="faint small num">{facts.join(" · ")}</span>
      </div>
    </li>
  );
}
