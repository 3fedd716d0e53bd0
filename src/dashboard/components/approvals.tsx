/** The actions that wait for a person's approval, each as large as the current question. */
import { useState } from "hono/jsx/dom";
import { pathSegment } from "../../clients/api-client.ts";
import { isObject, type Json, parseJson } from "../../core/json.ts";
import { SCHEMA_DEPTH_MAX } from "../../core/limits.ts";
import type { ActionOutcome, IntegrationDetail, PendingView } from "../../core/view.ts";
import { linkTo } from "../lib/route.ts";
import { sanitize, sanitizeJson } from "../lib/sanitize.ts";
import type { RequestOutcome } from "../state/dashboard-store.ts";
import { store, useDetail, useMissingScope } from "../state/hooks.ts";
import { TEXTS } from "../texts.ts";
import { ActionForm } from "./action-form.tsx";
import { focusNextDecision } from "./decisions.ts";
import { Button, Chip, ConfirmButton, IntegrationLink, TimeLeft } from "./primitives.tsx";

const TEXT = TEXTS.now;
const NAMES_MAX = 4;
/** Fields that are shown on lines of their own. */
const FIELDS_MAX = 24;
const FIELD_TEXT_MAX = 600;

export function Approvals({ pending }: { readonly pending: readonly PendingView[] }) {
  const missingScope = useMissingScope("command");
  const decideAll = (approve: boolean) => Promise.all(pending.map(({ id }) => decide(id, { approve })));
  return (
    <div class={pending.length === 0 ? "approvals hidden" : "approvals"}>
      <div class={pending.length < 2 ? "hidden" : "approvals-head"}>
        <strong>{TEXT.approvalCount(pending.length)}</strong>
        <ConfirmButton
          name="approve-all"
          disabledReason={missingScope}
          confirmText={TEXT.confirmApproveAll(pending.length)}
          onPress={() => decideAll(true)}
        >
          {TEXT.approveAll}
        </ConfirmButton>
        <ConfirmButton
          name="reject-all"
          disabledReason={missingScope}
          confirmText={TEXT.confirmRejectAll(pending.length)}
          onPress={() => decideAll(false)}
        >
          {TEXT.rejectAll}
        </ConfirmButton>
      </div>
      <ul class="approval-list" aria-label={TEXT.approvals}>
        {pending.map((one) => (
          <li key={one.id}>
            <ApprovalCard pending={one} />
          </li>
        ))}
      </ul>
    </div>
  );
}

interface Decision {
  readonly approve: boolean;
  readonly message?: string;
  readonly data?: Json;
}

const decide = (id: string, decision: Decision): Promise<RequestOutcome<unknown>> =>
  store.send("POST", `pending/${pathSegment(id)}/decision`, { ...decision });

/** What is typed into the card. */
type Mode = "none" | "reason" | "edit";

function ApprovalCard({ pending }: { readonly pending: PendingView }) {
  const { id, action, names, to, forced, data, since, deadline } = pending;
  const [mode, setMode] = useState<Mode>("none");
  const [reason, setReason] = useState("");
  const missingScope = useMissingScope("command");
  const toggle = (wanted: Mode): void => setMode(mode === wanted ? "none" : wanted);
  const finish = async (decision: Decision): Promise<void> => {
    if ((await decide(id, decision)).ok) focusNextDecision();
  };
  const reject = (): Promise<void> => finish({ approve: false, ...(reason.trim() !== "" && { message: reason.trim() }) });
  return (
    <article
      class="force open approval-card"
      tabindex={-1}
      data-decision="approval"
      data-name="approval-card"
      aria-label={TEXT.approvalOf(sanitize(action, 60), sanitize(names.join(", "), 80))}
    >
      <header class="force-head">
        <Chip tone="warn">{TEXT.pendingStates.approval}</Chip>
        <span class="approval-names">
          {names.slice(0, NAMES_MAX).map((name, index) => <IntegrationLink key={`${index}`} id={to[index]} name={name} />)}
        </span>
        {forced ? <Chip tone="accent">{TEXT.forced}</Chip> : null}
        <TimeLeft since={since} deadline={deadline} />
      </header>
      <p class="approval-action">
        <a class="name" href={linkTo("traces", id)} title={TEXTS.traces.follow}>
          <code dir="auto">{sanitize(action, 64)}</code>
        </a>
      </p>
      <DataFields text={data} />
      <div class={mode === "reason" ? "approval-reason" : "hidden"}>
        <label class="field">
          <span class="field-label">{TEXT.reason}</span>
          <input
            type="text"
            data-name="reject-reason"
            maxLength={1_000}
            value={reason}
            onInput={(event: Event) => setReason((event.target as HTMLInputElement).value)}
            onKeyDown={(event: KeyboardEvent) => {
              if (event.key === "Enter") void reject();
            }}
          />
        </label>
      </div>
      <div>{mode === "edit" ? <EditForm key="edit" pending={pending} onDone={focusNextDecision} /> : null}</div>
      <div class="approval-buttons">
        <Button kind="main" name="approve-pending" disabledReason={missingScope} onPress={() => finish({ approve: true })}>
          {TEXT.approve}
        </Button>
        <Button name="reject-pending" disabledReason={missingScope} onPress={reject}>
          {TEXT.reject}
        </Button>
        <Button name="reason-pending" pressed={mode === "reason"} onPress={() => toggle("reason")}>
          {TEXT.giveReason}
        </Button>
        <Button name="edit-pending" disabledReason={missingScope} pressed={mode === "edit"} onPress={() => toggle("edit")}>
          {TEXT.edit}
        </Button>
        <AlwaysButton pending={pending} onDone={focusNextDecision} />
      </div>
    </article>
  );
}

/** The data that the integration would get, each field on its own line. */
function DataFields({ text }: { readonly text: string | null }) {
  const data = text === null ? undefined : parseJson(text, SCHEMA_DEPTH_MAX);
  if (text === null || text === "" || text === "{}") return <p class="faint small">{TEXT.noData}</p>;
  if (!isObject(data)) return <pre class="approval-raw" dir="auto">{sanitize(text, 2_000)}</pre>;
  const fields = Object.entries(data);
  return (
    <dl class="approval-fields">
      {fields.slice(0, FIELDS_MAX).map(([name, value]) => (
        <div key={name}>
          <dt>
            <bdi>{sanitize(name, 60)}</bdi>
          </dt>
          <dd dir="auto">
            {typeof value === "string" ? sanitize(value, FIELD_TEXT_MAX) : sanitizeJson(value, FIELD_TEXT_MAX)}
          </dd>
        </div>
      ))}
      <p class={fields.length > FIELDS_MAX ? "faint small" : "hidden"}>{TEXT.moreFields(fields.length - FIELDS_MAX)}</p>
    </dl>
  );
}

interface CardProps {
  readonly pending: PendingView;
  onDone(): void;
}

/** The action's form, filled with Neuro's data. */
function EditForm({ pending: { id, action, to, data }, onDone }: CardProps) {
  const actions = useDetail(to[0] ?? "")?.registered_actions;
  const missingScope = useMissingScope("command");
  const schema = actions?.find(({ name }) => name === action)?.schema ?? null;
  const send = async (edited: Json | undefined): Promise<RequestOutcome<ActionOutcome>> => {
    const outcome = await decide(id, { approve: true, data: edited ?? "" });
    if (!outcome.ok) return outcome;
    onDone();
    return { ok: true, body: { id, success: true, message: TEXT.approved, ms: 0 } };
  };
  if (actions === undefined) return <p class="faint small">{TEXTS.loading}</p>;
  return (
    <ActionForm
      schema={schema}
      initial={data === null ? undefined : parseJson(data, SCHEMA_DEPTH_MAX)}
      submitText={TEXT.approveEdited}
      disabledReason={missingScope}
      send={send}
    />
  );
}

/** Approves the action, and from now on all by this name of this integration. */
function AlwaysButton({ pending: { id, action, to }, onDone }: CardProps) {
  const missingScope = useMissingScope("admin");
  const allow = async (): Promise<void> => {
    for (const integration of to) {
      const changed = await store.change<IntegrationDetail>(
        `integrations/${pathSegment(integration)}`,
        ({ always_allowed: names }) => ({ always_allowed: [...names, action] }),
      );
      if (!changed.ok) return;
    }
    if ((await decide(id, { approve: true })).ok) onDone();
  };
  return (
    <ConfirmButton
      kind="quiet"
      name="always-pending"
      disabledReason={missingScope}
      confirmText={TEXT.confirmAlways}
      onPress={allow}
    >
      {TEXT.always}
    </ConfirmButton>
  );
}
