/** What people did: by the API, by this page, by a watcher's command. */
import type { AuditView } from "../../core/view.ts";
import { useStore } from "../data/store.ts";
import { clockTime } from "../model/figures.ts";
import { shown } from "../model/shown.ts";
import { Empty } from "../parts/pieces.tsx";

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
            <Empty key="none" title="Nobody has done anything">
              Whatever a person does here, by the API or as a watcher is written down, with the name of the token.
            </Empty>
          )
          : <ul key="some" class="plain-list audit">{audit.map((one) => <Deed key={one.id} deed={one} />)}</ul>}
      </div>
    </div>
  );
}

function Deed({ deed: { at, by, did, to, outcome } }: { readonly deed: AuditView }) {
  return (
    <li class="deed">
      <span class="num faint small" title={new Date(at).toISOString()}>{clockTime(at)}</span>
      <span class="deed-did">{shown(did.replaceAll("_", " "), 40)}</span>
      <bdi class="deed-to">{shown(to, 80)}</bdi>
      <bdi class="faint small">{shown(by, 40)}</bdi>
      <span class={outcome === "done" ? "good-text small end" : "bad-text small end"}>{shown(outcome, 40)}</span>
    </li>
  );
}
