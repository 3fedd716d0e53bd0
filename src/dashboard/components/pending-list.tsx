/** The actions that have no result yet, with the time that is left, and the buttons to approve or reject them. */
import { pathSegment } from "../../clients/api-client.ts";
import type { PendingView } from "../../core/view.ts";
import { formatDuration } from "../lib/format.ts";
import { sanitize } from "../lib/sanitize.ts";
import { store, useMissingScope, useStore } from "../state/hooks.ts";
import { TEXTS } from "../texts.ts";
import { Button, Chip, Name } from "./primitives.tsx";

const TEXT = TEXTS.now;
/** Names of integrations that are shown of a shared action. */
const NAMES_MAX = 4;

export function PendingList({ pending }: { readonly pending: readonly PendingView[] }) {
  const sorted = [...pending].sort((left, right) => rank(left) - rank(right) || left.deadline - right.deadline);
  return (
    <ul class={pending.length === 0 ? "pendings hidden" : "pendings"} aria-label={TEXT.pending}>
      {sorted.map((one) => <PendingRow key={one.id} pending={one} />)}
    </ul>
  );
}

/** Those that need a decision come first. */
const rank = ({ is }: PendingView): number => (is === "approval" ? 0 : 1);

function PendingRow({ pending }: { readonly pending: PendingView }) {
  const { id, action, names, forced, by, data, is, since, deadline } = pending;
  const now = useStore((state) => state.now);
  const missingScope = useMissingScope("command");
  const elapsed = Math.min(1, Math.max(0, (now - since) / Math.max(1, deadline - since)));
  const decide = (approve: boolean) => store.send("POST", `pending/${pathSegment(id)}/decision`, { approve });
  const tone = elapsed > 0.8 ? "bad" : elapsed > 0.5 ? "warn" : "good";
  return (
    <li class={`pending ${is}`} data-name="pending">
      <div class="pending-head">
        <code dir="auto">{sanitize(action, 64)}</code>
        <span class="faint">→</span>
        <span class="pending-names">
          {names.slice(0, NAMES_MAX).map((name, index) => <Name key={`${index}`} text={name} max={40} />)}
        </span>
        {forced ? <Chip tone="accent">{TEXT.forced}</Chip> : null}
        {by === "operator" ? <Chip>{TEXT.byHand}</Chip> : null}
        {is === "sent" ? null : <Chip tone="warn">{TEXT.pendingStates[is]}</Chip>}
      </div>
      <code class="pending-data faint" dir="auto" title={sanitize(data ?? "", 600)}>{sanitize(data ?? "", 200)}</code>
      <div class="pending-time">
        <span class="bar" role="img" aria-label={TEXT.elapsed(Math.round(elapsed * 100))}>
          <span class={`bar-fill ${tone}`} style={{ width: `${(elapsed * 100).toFixed(1)}%` }} />
        </span>
        <span class="num small">{TEXT.left(formatDuration(deadline - now))}</span>
      </div>
      <div class={is === "approval" ? "pending-buttons" : "pending-buttons hidden"}>
        <Button kind="main" name="approve-pending" disabledReason={missingScope} onPress={() => decide(true)}>
          {TEXT.approve}
        </Button>
        <Button name="reject-pending" disabledReason={missingScope} onPress={() => decide(false)}>{TEXT.reject}</Button>
      </div>
    </li>
  );
}
