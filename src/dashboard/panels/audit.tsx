/** What people did: by the API, by this page, by a watcher's command. */
import type { AuditView } from "../../core/view.ts";
import { useStore } from "../state/store.ts";
import { formatTime } from "../lib/format.ts";
import { sanitize } from "../lib/sanitize.ts";
import { EmptyState } from "../components/primitives.tsx";

export function Audit() {
  const audit = useStore((state) => state.audit);
  return (
    <div class="scrolls">
      <h2 class="panel-title">Audit</h2>
      <div>
        {audit === undefined
          ? <p key="wait" class="faint pad">asking the relay…</p>
          : audit.length === 0
          ? (
            <EmptyState key="none" title="Nobody has done anything">
              Whatever a person does here, by the API or as a watcher is written down, with the name of the token.
            </EmptyState>
          )
          : <ul key="some" class="plain-list audit">{audit.map((one) => <AuditRow key={one.id} deed={one} />)}</ul>}
      </div>
    </div>
  );
}

function AuditRow({ deed: { at, by, did, to, outcome } }: { readonly deed: AuditView }) {
  return (
    <li class="deed">
      <span class="num faint small" title={new Date(at).toISOString()}>{formatTime(at)}</span>
      <span class="deed-did">{sanitize(did.replaceAll("_", " "), 40)}</span>
      <bdi class="deed-to">{sanitize(to, 80)}</bdi>
      <bdi class="faint small">{sanitize(by, 40)}</bdi>
      <span class={outcome === "done" ? "good-text small end" : "bad-text small end"}>{sanitize(outcome, 40)}</span>
    </li>
  );
}
