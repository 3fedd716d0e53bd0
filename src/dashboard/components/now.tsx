/** What needs attention now: the open forces, the actions without a result, and the queued forces. */
import type { ForceView, PendingView } from "../../core/view.ts";
import { upstreamsOf } from "../state/dashboard-state.ts";
import { useStore } from "../state/hooks.ts";
import { TEXTS } from "../texts.ts";
import { ForceCard } from "./force-card.tsx";
import { PendingList } from "./pending-list.tsx";
import { EmptyState } from "./primitives.tsx";

const TEXT = TEXTS.now;

export function Now() {
  const upstreams = useStore(upstreamsOf);
  const now = useStore((state) => state.now);
  const pending = upstreams.flatMap((upstream) => upstream.pending).filter((one) => isWorthShowing(one, now));
  const open = upstreams.flatMap(({ force }) => (force === null ? [] : [force]));
  const waiting = upstreams.flatMap((upstream) => upstream.waiting);
  const isQuiet = pending.length + open.length + waiting.length === 0;
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
    <section class="card now" aria-labelledby="now-title">
      <h2 id="now-title" class="card-title">{TEXT.title}</h2>
      {isQuiet
        ? <EmptyState key="quiet" title={TEXT.quiet}>{TEXT.quietMeans}</EmptyState>
        : (
          <div key="busy" class="now-body">
            <ul class={open.length === 0 ? "hidden" : "forces"} aria-label={TEXT.openForces}>{open.map(item)}</ul>
            <PendingList pending={pending} />
            <ol class={waiting.length === 0 ? "hidden" : "forces"} aria-label={TEXT.waitingForces}>{waiting.map(item)}</ol>
          </div>
        )}
    </section>
  );
}

const FLICKER_MS = 2_000;

/** An action that gets its result at once would only flicker. */
const isWorthShowing = ({ is, since }: PendingView, now: number): boolean => is !== "sent" || now - since > FLICKER_MS;
