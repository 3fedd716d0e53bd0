/** The sessions of the Brain. */
import { isObject, type Json, type JsonObject } from "../../core/json.ts";
import { useStore } from "../state/store.ts";
import { formatAge, formatCount } from "../lib/format.ts";
import { sanitize } from "../lib/sanitize.ts";
import { Chip, EmptyState } from "../components/primitives.tsx";

const number = (value: Json | undefined): number => (typeof value === "number" ? value : 0);
const text = (
  value: Json | undefined,
): string => (typeof value === "string" ? value : value === undefined ? "" : JSON.stringify(value));

export function Brain() {
  const brain = useStore(({ overview }) => overview?.services["brain"]) as JsonObject | undefined;
  if (brain === undefined) {
    return (
      <div class="scrolls">
        <EmptyState title="The Brain is off">
          <code>brain.enabled: true</code> in the configuration opens it.
        </EmptyState>
      </div>
    );
  }
  const { sessions, sessions_max, awake, peers, damaged, covenant, persist, artifact, latest } = brain;
  const rows: readonly Json[] = Array.isArray(latest) ? latest : [];
  const facts: readonly (readonly [string, string])[] = [
    ["sessions", `${formatCount(number(sessions))} of ${formatCount(number(sessions_max))}`],
    ["awake", formatCount(number(awake))],
    ["peers", formatCount(number(peers))],
    ["damaged", formatCount(number(damaged))],
    ["covenant", text(covenant)],
    ["stored", persist === true ? "yes" : "no"],
    ["artifact", artifactText(artifact)],
  ];
  return (
    <div class="scrolls">
      <h2 class="panel-title">Brain</h2>
      <dl class="facts pad">
        {facts.map(([term, value]) => (
          <div key={term}>
            <dt>{term}</dt>
            <dd>{sanitize(value, 120)}</dd>
          </div>
        ))}
      </dl>
      <div>
        {rows.length === 0
          ? (
            <EmptyState key="none" title="No session">
              A Brain client makes one by its first operator; the last used hundred are shown here.
            </EmptyState>
          )
          : (
            <ul key="some" class="plain-list">
              {rows.filter(isObject).map((row) => <SessionRow key={text(row["name"])} row={row} />)}
            </ul>
          )}
      </div>
    </div>
  );
}

function artifactText(artifact: Json | undefined): string {
  if (!isObject(artifact)) return artifact === undefined || artifact === null ? "none" : text(artifact);
  const { run_id, predicts } = artifact;
  return run_id === undefined || run_id === null
    ? "none"
    : `${text(run_id)}${predicts === false ? " (does not predict)" : ""}`;
}

function SessionRow({ row }: { readonly row: JsonObject }) {
  const { name, seq, touched, followers, owner, sealed, mode, keys } = row;
  const age = useStore(({ now }) => `${formatAge(now - Date.parse(text(touched)))} ago`);
  const facts = [
    `${formatCount(number(seq))} events`,
    ...(keys === undefined ? ["asleep"] : [`${formatCount(number(keys))} keys`]),
    age,
  ];
  return (
    <li class="entry">
      <div class="entry-head">
        <code class="name">{sanitize(text(name), 40)}</code>
        {mode === undefined ? null : <Chip key="mode">{sanitize(text(mode), 30)}</Chip>}
        {sealed === true ? <Chip key="sealed" tone="warn">sealed</Chip> : null}
        {number(followers) > 0 ? <Chip key="followers" tone="accent">{number(followers)} follow</Chip> : null}
        <span class="faint small num">
          {[...(owner === undefined || owner === null ? [] : [sanitize(text(owner), 40)]), ...facts].join(" · ")}
        </span>
      </div>
    </li>
  );
}
