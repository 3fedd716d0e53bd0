/** What is to be decided now: the open force, those that wait, and the actions that are not answered yet. */
import { useState } from "hono/jsx/dom";
import type { Json } from "../../core/json.ts";
import type { ActionOutcome, ForceView, PendingView, UpstreamView, WaitReason } from "../../core/view.ts";
import { inPath } from "../../clients/api.ts";
import { sendCommand, useDetail } from "../state/relay.ts";
import { useMissingScope, useStore } from "../state/store.ts";
import { formatDuration } from "../lib/format.ts";
import { sanitize, sanitizeData, sanitizeLines } from "../lib/sanitize.ts";
import { ActionForm } from "./action-form.tsx";
import { Button, Chip, ConfirmButton, EmptyState, Name } from "./primitives.tsx";

export function Now() {
  const upstreams = useStore((state) => state.overview?.services.neuro?.upstreams) ?? [];
  const now = useStore((state) => state.now);
  const pending = upstreams.flatMap((upstream) => upstream.pending).filter((one) => isWorthALine(one, now));
  const open = upstreams.flatMap(({ force }) => (force === null ? [] : [force]));
  const waiting = upstreams.flatMap((upstream) => upstream.waiting);
  const isQuiet = pending.length + open.length + waiting.length === 0;
  const whose = (force: ForceView): string | undefined => upstreams.length < 2 ? undefined : whoChooses(upstreams, force);
  return (
    <section class="card now" aria-labelledby="now-title">
      <h2 id="now-title" class="card-title">Now</h2>
      {isQuiet
        ? (
          <EmptyState key="quiet" title="Nothing to decide">
            When an integration asks Neuro to choose, its question is here; so is every action that is not answered at once.
          </EmptyState>
        )
        : (
          <div key="busy" class="now-body">
            <ul class={open.length === 0 ? "none" : "forces"} aria-label="Open forces">
              {open.map((force) => (
                <li key={force.id}>
                  <Force force={force} whose={whose(force)} isOpen />
                </li>
              ))}
            </ul>
            <Pendings pending={pending} />
            <ol class={waiting.length === 0 ? "none" : "forces"} aria-label="Forces that wait">
              {waiting.map((force) => (
                <li key={force.id}>
                  <Force force={force} whose={whose(force)} isOpen={false} />
                </li>
              ))}
            </ol>
          </div>
        )}
    </section>
  );
}

const QUICK_MS = 2_000;

/** What is answered at once would only flicker. */
const isWorthALine = ({ is, since }: PendingView, now: number): boolean => is !== "sent" || now - since > QUICK_MS;

function whoChooses(upstreams: readonly UpstreamView[], wanted: ForceView): string | undefined {
  const found = upstreams.find(({ force, waiting }) => force === wanted || waiting.includes(wanted));
  return found?.character ?? found?.id;
}

const IS: Readonly<Record<ForceView["is"], string>> = {
  waiting: "waits",
  open: "Neuro is choosing",
  settling: "chosen, being done",
  closing: "being taken back",
};

/** How a force stands, in words. */
function standing({ is, waits_for }: ForceView): string {
  if (waits_for === null) return IS[is];
  return is === "open" ? "chosen, waits for its result" : `waits: ${REASONS[waits_for]}`;
}

const REASONS: Readonly<Record<WaitReason, string>> = {
  turn: "its turn",
  names: "actions that are not registered yet",
  result: "its result",
  held: "held",
  other_character: "another character is on",
  integration_away: "its integration is away",
  neuro_away: "Neuro is away",
};

interface ForceProps {
  readonly force: ForceView;
  readonly whose: string | undefined;
  readonly isOpen: boolean;
}

function Force({ force, whose, isOpen }: ForceProps) {
  const { id, name, is, query, state, priority, actions, asked_at, opened_at } = force;
  const [isAnswering, setAnswering] = useState(false);
  const now = useStore((state) => state.now);
  const why = useMissingScope("command");
  const isWide = isOpen || isAnswering;
  return (
    <article class={isOpen ? "force open" : "force"} data-name="force" aria-label={`Force of ${sanitize(name, 60)}`}>
      <header class="force-head">
        <Name text={name} max={60} />
        <Chip tone={is === "open" ? "accent" : "plain"}>{standing(force)}</Chip>
        {priority === "low" ? null : <Chip key="p" tone={priority === "critical" ? "bad" : "warn"}>{priority}</Chip>}
        {whose === undefined ? null : <span key="w" class="faint small wide-only">{sanitize(whose, 40)}</span>}
        <span class="force-age num" title={opened_at === null ? "since it was asked" : "since Neuro was asked"}>
          {formatDuration(now - (opened_at ?? asked_at))}
        </span>
      </header>
      <p class={isWide ? "force-query" : "force-query brief"} dir="auto" title={isWide ? undefined : sanitize(query, 600)}>
        {sanitizeLines(query, 1_200)}
      </p>
      <div class={isWide ? "" : "none"}>
        <State text={state} />
      </div>
      <div class="force-end">
        <p class={isAnswering ? "names hides" : "names"}>
          {actions.map((action, at) => <code key={`${at}`} dir="auto">{sanitize(action, 64)}</code>)}
        </p>
        <span class="force-buttons">
          <Button name="answer" disabledReason={why} pressed={isAnswering} onPress={() => setAnswering(!isAnswering)}>
            Answer
          </Button>
          <ConfirmButton
            name="veto"
            disabledReason={why}
            sure="Veto it?"
            onPress={() => sendCommand("DELETE", `forces/${inPath(id)}`)}
          >
            Veto
          </ConfirmButton>
        </span>
      </div>
      <div>{isAnswering ? <Answer key="answer" force={force} /> : null}</div>
    </article>
  );
}

function State({ text }: { readonly text: string | null }) {
  if (text === null || text === "") return null;
  return (
    <details class="state">
      <summary>State</summary>
      <pre dir="auto">{sanitizeData(text)}</pre>
    </details>
  );
}

/** One of the force's actions, in Neuro's place. */
function Answer({ force }: { readonly force: ForceView }) {
  const { id, integration, actions } = force;
  const [chosen, choose] = useState(actions.length === 1 ? 0 : -1);
  const offers = useDetail(integration)?.offers;
  const why = useMissingScope("command");
  const name = actions[chosen];
  const offer = offers?.find((one) => one.name === name);
  const send = (data: Json | undefined) =>
    sendCommand<ActionOutcome>("POST", `forces/${inPath(id)}/answer`, {
      name: name ?? "",
      ...(data !== undefined && { data }),
    });
  return (
    <div class="answer">
      <div class="choices" role="radiogroup" aria-label="Action">
        {actions.map((action, at) => (
          <label key={`${at}`} class={at === chosen ? "choice is-chosen" : "choice"}>
            <input type="radio" name={`answer-${id}`} checked={at === chosen} onChange={() => choose(at)} />
            <bdi>{sanitize(action, 64)}</bdi>
          </label>
        ))}
      </div>
      <p class="soft small">{sanitizeLines(offer?.description ?? "", 600)}</p>
      <div>
        {name === undefined
          ? null
          : offers === undefined
          ? <p key="wait" class="faint small">asking what it takes…</p>
          : <ActionForm key={name} schema={offer?.schema ?? null} verb="Answer" disabledReason={why} send={send} />}
      </div>
    </div>
  );
}

function Pendings({ pending }: { readonly pending: readonly PendingView[] }) {
  const sorted = [...pending].sort((left, right) => rank(left) - rank(right) || left.deadline - right.deadline);
  return (
    <ul class={pending.length === 0 ? "pendings none" : "pendings"} aria-label="Actions that are not answered yet">
      {sorted.map((one) => <Pending key={one.id} pending={one} />)}
    </ul>
  );
}

const rank = ({ is }: PendingView): number => (is === "approval" ? 0 : 1);

function Pending({ pending }: { readonly pending: PendingView }) {
  const { id, action, names, forced, by, data, is, since, deadline } = pending;
  const now = useStore((state) => state.now);
  const why = useMissingScope("command");
  const gone = Math.min(1, Math.max(0, (now - since) / Math.max(1, deadline - since)));
  const decide = (approve: boolean) => sendCommand("POST", `pending/${inPath(id)}/decision`, { approve });
  const tone = gone > 0.8 ? "bad" : gone > 0.5 ? "warn" : "good";
  return (
    <li class={`pending ${is}`} data-name="pending">
      <div class="pending-what">
        <code dir="auto">{sanitize(action, 64)}</code>
        <span class="faint">→</span>
        <span class="pending-names">
          {names.slice(0, 4).map((name, at) => <Name key={`${at}`} text={name} max={40} />)}
        </span>
        {forced ? <Chip tone="accent">forced</Chip> : null}
        {by === "operator" ? <Chip>by a person</Chip> : null}
        {is === "held" ? <Chip tone="warn">held: away</Chip> : null}
        {is === "approval" ? <Chip tone="warn">to approve</Chip> : null}
      </div>
      <code class="pending-data faint" dir="auto" title={sanitize(data ?? "", 600)}>{sanitize(data ?? "", 200)}</code>
      <div class="pending-time">
        <span class="bar" role="img" aria-label={`${Math.round(gone * 100)} % of its time is over`}>
          <span class={`bar-fill ${tone}`} style={{ width: `${(gone * 100).toFixed(1)}%` }} />
        </span>
        <span class="num small">{formatDuration(deadline - now)} left</span>
      </div>
      <div class={is === "approval" ? "pending-buttons" : "pending-buttons none"}>
        <Button kind="main" name="approve-pending" disabledReason={why} onPress={() => decide(true)}>Approve</Button>
        <Button name="reject-pending" disabledReason={why} onPress={() => decide(false)}>Reject</Button>
      </div>
    </li>
  );
}
