/** What needs attention now: approvals, the open forces, the actions without a result, and the queued forces. */
import type { ForceView, PendingView } from "../../core/view.ts";
import { upstreamsOf } from "../state/dashboard-state.ts";
import { useStore } from "../state/hooks.ts";
import { TEXTS } from "../texts.ts";
import { Approvals } from "./approvals.tsx";
import { ForceCard } from "./force-card.tsx";
import { Macros } from "./macros.tsx";
import { PendingList } from "./pending-list.tsx";
import { EmptyState } from "./primitives.tsx";

const TEXT = TEXTS.now;

export function Now() {
  const upstreams = useStore(upstreamsOf);
  const now = useStore((state) => state.now);
  const all = upstreams.flatMap((upstream) => upstream.pending);
  const approvals = all.filter(({ is }) => is === "approval").sort((one, other) => one.deadline - other.deadline);
  const running = all.filter((one) => one.is !== "approval" && isWorthShowing(one, now));
  const open = upstreams.flatMap(({ force }) => (force === null ? [] : [force]));
  const waiting = upstreams.flatMap((upstream) => upstream.waiting);
  const isQuiet = approvals.length + running.length + open.length + waiting.length === 0;
  const upstreamOf = (force: ForceView) =>
    upstreams.find((upstream) => upstream.force === force || upstream.waiting.includes(force));
  const item = (force: ForceView) => {
    const upstream = upstreamOf(force);
    const neuro = upstreams.length < 2 ? undefined : upstream?.character ?? upstream?.id;
    return (
      <li key={force.id}>
        <ForceCard force={force} neuro={neuro} place={(upstream?.waiting.indexOf(force) ?? 0) + 1} />
      </li>
    );
  };
  return (
    <section id="now" class="card now" aria-labelledby="now-title" tabindex={-1}>
      <h2 id="now-title" class="card-title">{TEXT.title}</h2>
      {isQuiet
        ? <EmptyState key="quiet" title={TEXT.quiet}>{TEXT.quietMeans}</EmptyState>
        : (
          <div key="busy" class="now-body">
            <Approvals pending={approvals} />
            <ul class={open.length === 0 ? "hidden" : "forces"} aria-label={TEXT.openForces}>{open.map(item)}</ul>
            <PendingList pending={running} />
            <ol class={waiting.length === 0 ? "hidden" : "forces waiting"} aria-label={TEXT.waitingForces}>
              {waiting.map(item)}
            </ol>
          </div>
        )}
      <Macros />
    </section>
  );
}

const FLICKER_MS = 2_000;

/** An action that gets its result at once would only flicker. */
const isWorthShowing = ({ is, since }: PendingView, now: number): boolean => is !== "sent" || now - since > FLICKER_MS;
