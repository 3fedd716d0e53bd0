/** The actions that operators have saved: one button each, the same for everyone. */
import { useState } from "hono/jsx/dom";
import { pathSegment } from "../../clients/api-client.ts";
import type { ActionOutcome, MacroView, Page } from "../../core/view.ts";
import { describeOutcome } from "../lib/describe-outcome.ts";
import { sanitize } from "../lib/sanitize.ts";
import { store, useMissingScope, useResource, useStore } from "../state/hooks.ts";
import { TEXTS } from "../texts.ts";
import { Button, ConfirmButton } from "./primitives.tsx";

const TEXT = TEXTS.macros;

export function Macros() {
  const macros = useResource<Page<MacroView>>("macros?limit=1000")?.items ?? [];
  const [isEditing, setEditing] = useState(false);
  const lacksAdmin = useMissingScope("admin");
  return (
    <section class={macros.length === 0 ? "hidden" : "macros"} aria-labelledby="macros-title">
      <div class="card-head">
        <h3 id="macros-title" class="card-title">{TEXT.title}</h3>
        <Button
          kind="quiet"
          name="edit-macros"
          pressed={isEditing}
          disabledReason={lacksAdmin}
          onPress={() => setEditing(!isEditing)}
        >
          {isEditing ? TEXT.endEdit : TEXT.edit}
        </Button>
      </div>
      <ul class="macro-list">
        {macros.map((macro) => <MacroButton key={macro.id} macro={macro} isEditing={isEditing} />)}
      </ul>
    </section>
  );
}

function MacroButton({ macro, isEditing }: { readonly macro: MacroView; readonly isEditing: boolean }) {
  const { id, label, integration, action, data } = macro;
  const path = `macros/${pathSegment(id)}`;
  const missingScope = useMissingScope("command");
  const target = useStore(({ integrations }) => integrations?.find((one) => one.id === integration));
  const name = sanitize(target?.name ?? integration, 40);
  const run = async (): Promise<void> => {
    const outcome = await store.send<ActionOutcome>("POST", `${path}/run`);
    // Why not of a failed request: that is a toast already.
    if (outcome.ok) store.showToast(...describeOutcome(outcome.body, sanitize(label, 60)));
  };
  return (
    <li data-name="macro">
      {isEditing
        ? (
          <ConfirmButton
            key="remove"
            icon="close"
            name="delete-macro"
            label={TEXT.remove(sanitize(label, 60))}
            confirmText={TEXT.confirmRemove}
            onPress={() => store.send("DELETE", path)}
          >
            {sanitize(label, 60)}
          </ConfirmButton>
        )
        : (
          <Button
            key="run"
            name="run-macro"
            label={`${sanitize(label, 60)}, ${name}. ${TEXT.sends(sanitize(action, 64), sanitize(data ?? "", 200))}`}
            disabledReason={missingScope ?? (target?.connected === true ? undefined : TEXT.offline(name))}
            onPress={run}
          >
            <bdi>{sanitize(label, 60)}</bdi> <span class="faint small">{name}</span>
          </Button>
        )}
    </li>
  );
}
