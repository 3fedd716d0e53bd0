/** The actions that have no result yet, with the time that is left. */
import type { PendingView } from "../../core/view.ts";
import { linkTo } from "../lib/route.ts";
import { sanitize } from "../lib/sanitize.ts";
import { TEXTS } from "../texts.ts";
import { Chip, IntegrationLink, TimeLeft } from "./primitives.tsx";

const TEXT = TEXTS.now;
/** Names of integrations that are shown of a shared action. */
const NAMES_MAX = 4;

export function PendingList({ pending }: { readonly pending: readonly PendingView[] }) {
  const sorted = [...pending].sort((left, right) => left.deadline - right.deadline);
  return (
    <ul class={pending.length === 0 ? "pendings hidden" : "pendings"} aria-label={TEXT.pending}>
      {sorted.map((one) => <PendingRow key={one.id} pending={one} />)}
    </ul>
  );
}

function PendingRow({ pending }: { readonly pending: PendingView }) {
  const { id, action, names, to, forced, by, data, is, since, deadline } = pending;
  return (
    <li class="pending" data-name="pending">
      <div class="pending-head">
        <a class="name" href={linkTo("traces", id)} title={TEXTS.traces.follow}>
          <code dir="auto">{sanitize(action, 64)}</code>
        </a>
        <span class="faint" aria-hidden="true">→</span>
        {names.slice(0, NAMES_MAX).map((name, index) => <IntegrationLink key={`${index}`} id={to[index]} name={name} />)}
        {forced ? <Chip tone="accent">{TEXT.forced}</Chip> : null}
        {by === "operator" ? <Chip>{TEXT.byHand}</Chip> : null}
        {is === "held" ? <Chip tone="warn">{TEXT.pendingStates[is]}</Chip> : null}
      </div>
      <code class="pending-data faint" dir="auto">{sanitize(data ?? "", 200)}</code>
      <TimeLeft since={since} deadline={deadline} />
    </li>
  );
}
