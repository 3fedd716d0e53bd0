/** Lists traces: those that are open, made of the objects themselves, and those that have ended, from the rings. */
import type { Millis } from "../../../core/ids.ts";
import { newestOf, type TraceFilter, type TraceView } from "../../../core/traces/trace.ts";
import type { Page } from "../../../core/view.ts";
import { allPending } from "../pending/pending-actions.ts";
import type { NeuroState, Upstream } from "../state.ts";
import { actionRecord, forceRecord, openContextRecord } from "./make-record.ts";
import type { TraceRecord } from "./records.ts";
import { traceView } from "./views.ts";

/** The newest traces first. */
export function tracePage(state: NeuroState, filter: TraceFilter, now: Millis): Page<TraceView> {
  const { items, next } = newestOf(lists(state, filter), filter, (record) => matches(record, filter));
  return { items: items.map((record) => traceView(record, state.secrets, now)), next };
}

/** The trace with this id, if it is still kept. */
export function traceById(state: NeuroState, id: string, now: Millis): TraceView | undefined {
  for (const list of lists(state, {})) {
    for (const record of list) if (record.id === id) return traceView(record, state.secrets, now);
  }
  return undefined;
}

/** Each list in descending order of ids. */
function* lists(state: NeuroState, { integration, state: wanted }: TraceFilter): Generator<Iterable<TraceRecord>> {
  if (wanted !== "ended") { for (const upstream of state.upstreams.values()) yield* openRecords(upstream); }
  if (wanted === "open") return;
  for (const { slug, name, traces } of state.games.values()) {
    if (integration === undefined || integration === slug || integration === name) yield byId(traces.items());
  }
  yield byId(state.otherTraces.items());
}

/** Why sorted: a ring is in the order of the ends, and ids are in the order of the beginnings. */
const byId = (records: TraceRecord[]): TraceRecord[] => records.sort((one, other) => (one.id < other.id ? 1 : -1));

function* openRecords(upstream: Upstream): Generator<Iterable<TraceRecord>> {
  const { forces: { current, waiting }, pendingActions, contexts } = upstream;
  yield allPending(pendingActions).toReversed().map((pending) => actionRecord(pending, undefined, undefined));
  for (const force of [...waiting.values(), ...(current === undefined ? [] : [current])]) {
    yield [forceRecord(force, undefined, undefined)];
  }
  for (const queue of contexts.queued.values()) {
    yield queue.toReversed().map(({ record }) => openContextRecord(upstream, record));
  }
}

function matches(record: TraceRecord, { integration, kind, action }: TraceFilter): boolean {
  return (kind ?? record.kind) === record.kind && (action === undefined || namesOf(record).includes(action)) &&
    (integration === undefined || ownersOf(record).some(({ slug, name }) => slug === integration || name === integration));
}

function namesOf(record: TraceRecord): readonly string[] {
  if (record.kind === "action") return [record.name];
  return record.kind === "force" ? record.names : [];
}

const ownersOf = (record: TraceRecord): readonly { readonly slug: string | undefined; readonly name: string }[] =>
  record.kind === "action"
    ? [
      { slug: record.slug, name: record.game ?? "" },
      ...(record.others ?? []).map(({ slug, game }) => ({ slug, name: game })),
    ]
    : [record];
