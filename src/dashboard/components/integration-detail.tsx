/** The details of one integration, with all its actions. */
import { useState } from "hono/jsx/dom";
import { pathSegment } from "../../clients/api-client.ts";
import type { Json } from "../../core/json.ts";
import type { ActionOutcome, ActionView, IntegrationDetail, IntegrationView } from "../../core/view.ts";
import { formatDuration, formatLatency } from "../lib/format.ts";
import { linkTo } from "../lib/route.ts";
import { sanitize, sanitizeJson, sanitizeLines } from "../lib/sanitize.ts";
import { store, useDetail, useMissingScope, useStore } from "../state/hooks.ts";
import { TEXTS } from "../texts.ts";
import { ActionForm } from "./action-form.tsx";
import { BehaviourControl } from "./behaviour-control.tsx";
import { DiagnosticList } from "./diagnostic-list.tsx";
import { Button, Chip, ConfirmButton, Facts } from "./primitives.tsx";

const TEXT = TEXTS.integrations.details;

export function IntegrationDetails({ id }: { readonly id: string }) {
  const detail = useDetail(id);
  const missingScope = useMissingScope("admin");
  const age = useStore(({ now }) => (detail === undefined ? "" : formatDuration(now - detail.since)));
  if (detail === undefined) return <p class="faint small pad">{TEXTS.loading}</p>;
  const {
    address,
    user_agent,
    upstream,
    registered_actions,
    always_allowed,
    diagnostics,
    connected,
    listener,
    counts,
    behaviour,
    admission,
  } = detail;
  const disabledReason = missingScope ?? (connected ? undefined : TEXT.isOffline);
  return (
    <div class="detail">
      <div class="detail-head">
        <Facts
          facts={[
            [TEXT.id, id],
            [TEXT.listener, TEXT.listeners[listener]],
            [TEXT.upstream, upstream],
            [TEXT.address, address ?? TEXT.unknown],
            [TEXT.client, user_agent === null || user_agent === "" ? TEXT.unknown : user_agent],
            [TEXT.actions, TEXT.ofThem(counts.actions, counts.failures)],
            [TEXT.mean, counts.actions === 0 ? TEXT.unknown : formatLatency(counts.result_ms / counts.actions)],
            [TEXT.contexts, String(counts.contexts)],
            [TEXT.forces, String(counts.forces)],
            [connected ? TEXT.connected : TEXT.offline, age],
          ]}
        />
        <div class="force-buttons">
          <AdmissionButtons id={id} admission={admission} />
          <Button
            name="reregister"
            disabledReason={disabledReason}
            onPress={() => store.send("POST", `integrations/${pathSegment(id)}/reregistration`, {})}
          >
            {TEXT.reregister}
          </Button>
          <ConfirmButton
            name="clear-actions"
            disabledReason={disabledReason}
            confirmText={TEXT.confirmClear}
            onPress={() => store.send("POST", `integrations/${pathSegment(id)}/reregistration`, { clear: true })}
          >
            {TEXT.clear}
          </ConfirmButton>
          <ConfirmButton
            icon="stop"
            name="shutdown"
            disabledReason={disabledReason}
            confirmText={TEXT.confirmShutDown}
            onPress={() => store.send("POST", `integrations/${pathSegment(id)}/shutdown`, { how: "graceful" })}
          >
            {TEXT.shutDown}
          </ConfirmButton>
          <ConfirmButton
            name="shutdown-now"
            disabledReason={disabledReason}
            confirmText={TEXT.confirmShutDownNow}
            onPress={() => store.send("POST", `integrations/${pathSegment(id)}/shutdown`, { how: "immediate" })}
          >
            {TEXT.shutDownNow}
          </ConfirmButton>
          <ConfirmButton
            icon="unplug"
            name="disconnect"
            disabledReason={disabledReason}
            confirmText={TEXT.confirmDisconnect}
            onPress={() => store.send("DELETE", `integrations/${pathSegment(id)}/connection`)}
          >
            {TEXT.disconnect}
          </ConfirmButton>
        </div>
      </div>
      <p class="page-link">
        <a href={linkTo("integration", id)}>{TEXT.openPage}</a>
      </p>
      <BehaviourControl
        path={`integrations/${pathSegment(id)}`}
        value={behaviour}
        configured={TEXTS.behaviour.asForAll}
      />
      <AlwaysAllowed id={id} names={always_allowed} />
      <DiagnosticList diagnostics={diagnostics} />
      {registered_actions.length === 0
        ? <p key="none" class="faint small">{TEXT.noActions}</p>
        : (
          <ul key="actions" class="action-list">
            {registered_actions.map((action) => <ActionRow key={action.name} integration={id} action={action} />)}
          </ul>
        )}
    </div>
  );
}

/** The actions that need no approval, each with a button that ends that. */
function AlwaysAllowed({ id, names }: { readonly id: string; readonly names: readonly string[] }) {
  const missingScope = useMissingScope("admin");
  const remove = (name: string) =>
    store.change<IntegrationDetail>(
      `integrations/${pathSegment(id)}`,
      ({ always_allowed: allowed }) => ({ always_allowed: allowed.filter((one) => one !== name) }),
    );
  return (
    <div class={names.length === 0 ? "hidden" : "always-allowed"} data-name="always-allowed">
      <span class="faint small">{TEXT.alwaysAllowed}</span>
      <ul>
        {names.map((name) => (
          <li key={name}>
            <code dir="auto">{sanitize(name, 64)}</code>
            <Button
              kind="quiet"
              icon="close"
              label={TEXT.askAgain(sanitize(name, 64))}
              disabledReason={missingScope}
              onPress={() => remove(name)}
            />
          </li>
        ))}
      </ul>
    </div>
  );
}

/** What an operator can decide about an integration that is new, or that somebody has decided about before. */
function AdmissionButtons({ id, admission }: Pick<IntegrationView, "id" | "admission">) {
  const missingScope = useMissingScope("admin");
  const decide = (approve: boolean) => store.send("POST", `integrations/${pathSegment(id)}/decision`, { approve });
  const isKnown = admission === "known";
  return (
    <span class={isKnown ? "hidden" : "force-buttons"}>
      {isKnown || admission === "approved" ? null : (
        <Button
          key="approve"
          kind="main"
          name="approve-integration"
          disabledReason={missingScope}
          onPress={() => decide(true)}
        >
          {TEXT.approve}
        </Button>
      )}
      {isKnown || admission === "rejected"
        ? null
        : (
          <Button key="reject" name="reject-integration" disabledReason={missingScope} onPress={() => decide(false)}>
            {TEXT.reject}
          </Button>
        )}
    </span>
  );
}

function ActionRow({ integration, action }: { readonly integration: string; readonly action: ActionView }) {
  const { name, upstream_name, description, schema, shared, hidden } = action;
  const [isOpen, setOpen] = useState(false);
  const missingScope = useMissingScope("command");
  const send = (data: Json | undefined) =>
    store.send<ActionOutcome>("POST", `integrations/${pathSegment(integration)}/actions`, {
      name,
      ...(data !== undefined && { data }),
    });
  const lacksAdmin = useMissingScope("admin");
  const sendAnyway = (data: string) =>
    store.send("POST", `integrations/${pathSegment(integration)}/messages`, {
      message: { command: "action", data: { id: `unchecked-${Date.now().toString(36)}`, name, data } },
    });
  const save = (label: string, data: Json | undefined) =>
    store.send("POST", "macros", { label, integration, action: name, ...(data !== undefined && { data }) });
  return (
    <li class="action-row" data-name="action">
      <div class="action-row-head">
        <code class="action-name" dir="auto">{sanitize(name, 64)}</code>
        {upstream_name === name ? null : <Chip title={TEXT.upstreamName}>{sanitize(upstream_name, 64)}</Chip>}
        {shared ? <Chip tone="accent" title={TEXT.sharedMeans}>{TEXT.shared}</Chip> : null}
        {hidden ? <Chip title={TEXT.hiddenMeans}>{TEXT.hidden}</Chip> : null}
        <Button name="open-form" pressed={isOpen} onPress={() => setOpen(!isOpen)}>
          {isOpen ? TEXTS.close : TEXT.open}
        </Button>
      </div>
      <p class="soft action-text" dir="auto">{sanitizeLines(description, 1_200)}</p>
      <div>
        {isOpen
          ? (
            <div key="open" class="action-body">
              <ActionForm
                key={JSON.stringify(schema)}
                schema={schema}
                submitText={TEXT.send}
                disabledReason={missingScope}
                memory={`${integration} ${name}`}
                {...(lacksAdmin === undefined && { sendAnyway, save })}
                send={send}
              />
              <details class={schema === null ? "hidden" : "state"}>
                <summary>{TEXT.schema}</summary>
                <pre>{sanitizeJson(schema)}</pre>
              </details>
            </div>
          )
          : null}
      </div>
    </li>
  );
}
