/** One force, with the buttons to answer or veto it. */
import { useState } from "hono/jsx/dom";
import { pathSegment } from "../../clients/api-client.ts";
import type { Json } from "../../core/json.ts";
import type { ActionOutcome, ForceView } from "../../core/view.ts";
import { describeForce, isStuck } from "../lib/describe-force.ts";
import { formatDuration } from "../lib/format.ts";
import { linkTo } from "../lib/route.ts";
import { sanitize, sanitizeData, sanitizeLines } from "../lib/sanitize.ts";
import { isStopped, pendingOf } from "../state/dashboard-state.ts";
import { store, useDetail, useMissingScope, useStore } from "../state/hooks.ts";
import { TEXTS } from "../texts.ts";
import { ActionForm } from "./action-form.tsx";
import { Icon } from "./icons.tsx";
import { Button, Chip, ConfirmButton, IntegrationLink, TimeLeft } from "./primitives.tsx";

const TEXT = TEXTS.now;

export interface ForceCardProps {
  readonly force: ForceView;
  /** The Neuro that is asked, where there are several. */
  readonly neuro: string | undefined;
  /** Place in line, from 1. */
  readonly place: number;
}

export function ForceCard({ force, neuro, place }: ForceCardProps) {
  const { id, name, integration, is, query, state, priority, actions, asked_at, opened_at } = force;
  const { deadline, attempt, last_failure: failure } = force;
  const [isAnswering, setAnswering] = useState(false);
  const age = useStore(({ now }) => formatDuration(now - (opened_at ?? asked_at)));
  const status = useStore((current) =>
    describeForce(force, {
      place,
      isStopped: isStopped(current),
      integrations: current.integrations ?? [],
      pending: pendingOf(current),
    })
  );
  const missingScope = useMissingScope("command");
  const isOpen = is !== "waiting";
  const isWide = isOpen || isAnswering;
  return (
    <article
      class={isOpen ? "force open" : "force"}
      tabindex={-1}
      data-decision="force"
      data-name="force"
      aria-label={TEXT.forceOf(sanitize(name, 60))}
    >
      <header class="force-head">
        <IntegrationLink id={integration} name={name} />
        <Chip tone={is === "open" ? "accent" : isStuck(force) ? "warn" : "plain"}>{status}</Chip>
        {priority === "low" ? null : <Chip key="priority" tone={priority === "critical" ? "bad" : "warn"}>{priority}</Chip>}
        {neuro === undefined ? null : <span key="neuro" class="faint small wide-only">{sanitize(neuro, 40)}</span>}
        {attempt < 2 ? null : <Chip key="attempt" tone="warn">{TEXT.attempt(attempt)}</Chip>}
        {deadline === null
          ? <span key="age" class="force-age num" title={TEXT.sinceAsked}>{TEXT.asked(age)}</span>
          : <TimeLeft key="left" since={opened_at ?? asked_at} deadline={deadline} />}
      </header>
      <p class={isWide ? "force-query" : "force-query brief"} dir="auto" title={isWide ? undefined : sanitize(query, 600)}>
        {sanitizeLines(query, 1_200)}
      </p>
      <p class={failure === null ? "hidden" : "force-failure"}>
        <Icon name="cross" />
        <span dir="auto">{TEXT.lastFailure(sanitize(failure ?? "", 200))}</span>
      </p>
      <div class={isWide ? "force-more" : "hidden"}>
        <ForceState text={state} />
        <a class="small" href={linkTo("traces", id)}>{TEXTS.traces.follow}</a>
      </div>
      <div class="force-end">
        <p class={isAnswering ? "names hides" : "names"}>
          {actions.map((action, index) => <code key={`${index}`} dir="auto">{sanitize(action, 64)}</code>)}
        </p>
        <span class="force-buttons">
          <Button
            name="answer"
            disabledReason={missingScope}
            pressed={isAnswering}
            onPress={() => setAnswering(!isAnswering)}
          >
            {TEXT.answer}
          </Button>
          <ConfirmButton
            name="veto"
            disabledReason={missingScope}
            confirmText={TEXT.confirmVeto}
            onPress={() => store.send("DELETE", `forces/${pathSegment(id)}`)}
          >
            {TEXT.veto}
          </ConfirmButton>
        </span>
      </div>
      <div>{isAnswering ? <AnswerForm key="answer" force={force} /> : null}</div>
    </article>
  );
}

/** The state that the game sent to Neuro. */
function ForceState({ text }: { readonly text: string | null }) {
  if (text === null || text === "") return null;
  return (
    <details class="state">
      <summary>{TEXT.state}</summary>
      <pre dir="auto">{sanitizeData(text)}</pre>
    </details>
  );
}

/** Chooses one of the force's actions in Neuro's place. */
function AnswerForm({ force }: { readonly force: ForceView }) {
  const { id, integration, actions } = force;
  const [selected, select] = useState(actions.length === 1 ? 0 : -1);
  const offers = useDetail(integration)?.registered_actions;
  const missingScope = useMissingScope("command");
  const name = actions[selected];
  const action = offers?.find((one) => one.name === name);
  const send = (data: Json | undefined) =>
    store.send<ActionOutcome>("POST", `forces/${pathSegment(id)}/answer`, {
      name: name ?? "",
      ...(data !== undefined && { data }),
    });
  return (
    <div class="answer">
      <div class="choices" role="radiogroup" aria-label={TEXT.action}>
        {actions.map((one, index) => (
          <label key={`${index}`} class={index === selected ? "choice is-selected" : "choice"}>
            <input type="radio" name={`answer-${id}`} checked={index === selected} onChange={() => select(index)} />
            <bdi>{sanitize(one, 64)}</bdi>
          </label>
        ))}
      </div>
      <p class="soft small">{sanitizeLines(action?.description ?? "", 600)}</p>
      <div>
        {name === undefined
          ? null
          : offers === undefined
          ? <p key="loading" class="faint small">{TEXTS.loading}</p>
          : (
            <ActionForm
              key={name}
              schema={action?.schema ?? null}
              submitText={TEXT.answer}
              disabledReason={missingScope}
              send={send}
            />
          )}
      </div>
    </div>
  );
}
