/** The strip below the header: what is wrong or unusual now. It is absent when nothing is. */
import { useState } from "hono/jsx/dom";
import { pathSegment } from "../../clients/api-client.ts";
import { assertNever } from "../../core/assert.ts";
import type { AuditView, IntegrationControlsChange, Page } from "../../core/view.ts";
import type { Tone } from "../lib/describe-event.ts";
import { upstreamWord } from "../lib/describe-upstream.ts";
import { formatAge, formatDuration } from "../lib/format.ts";
import { linkTo } from "../lib/route.ts";
import { sanitize } from "../lib/sanitize.ts";
import { decisionOf, isDecision, keyOf, type Trouble, troublesOf } from "../lib/troubles.ts";
import { store, useMissingScope, useResource, useStore } from "../state/hooks.ts";
import { TEXTS } from "../texts.ts";
import { focusDecision } from "./decisions.ts";
import { switchStop } from "./header.tsx";
import { Icon, type IconName } from "./icons.tsx";
import { Button } from "./primitives.tsx";

const TEXT = TEXTS.troubles;
/** Entries that are shown before a person asks for more. */
const ENTRIES_MAX = 6;
const NAME_MAX = 40;

export function TroubleStrip() {
  const [isWhole, setWhole] = useState(false);
  // Why the whole state: nearly every part of it can be trouble.
  const troubles = troublesOf(useStore((state) => state), store.results);
  const hasAuthors = troubles.some(isDecision);
  const shown = isWhole ? troubles : troubles.slice(0, ENTRIES_MAX);
  const more = troubles.length - ENTRIES_MAX;
  return (
    <section class={troubles.length === 0 ? "troubles hidden" : "troubles"} aria-label={TEXT.title} data-name="troubles">
      {hasAuthors
        ? <WithAuthors key="authors" troubles={shown} />
        : <TroubleList key="plain" troubles={shown} audit={[]} />}
      <div class={more > 0 ? "troubles-more" : "hidden"}>
        <Button
          kind="quiet"
          onPress={() =>
            setWhole(!isWhole)}
        >
          {isWhole ? TEXT.fewer : TEXT.more(more)}
        </Button>
      </div>
    </section>
  );
}

/** Why apart: the audit log is read only while there is a decision whose author it names. */
function WithAuthors({ troubles }: { readonly troubles: readonly Trouble[] }) {
  const audit = useResource<Page<AuditView>>("audit?limit=500");
  return <TroubleList troubles={troubles} audit={audit?.items ?? []} />;
}

interface ListProps {
  readonly troubles: readonly Trouble[];
  readonly audit: readonly AuditView[];
}

function TroubleList({ troubles, audit }: ListProps) {
  return (
    <ul class="trouble-list">
      {troubles.map((trouble) => <Entry key={keyOf(trouble)} trouble={trouble} audit={audit} />)}
    </ul>
  );
}

interface EntryProps {
  readonly trouble: Trouble;
  readonly audit: readonly AuditView[];
}

function Entry({ trouble, audit }: EntryProps) {
  const { tone, icon } = LOOKS[trouble.is];
  const decision = decisionOf(trouble, audit);
  const now = useStore((state) => state.now);
  return (
    <li class={`trouble ${tone}`} data-name={`trouble-${trouble.is}`}>
      <Icon name={icon} />
      <a class="trouble-text" href={placeOf(trouble)}>{textOf(trouble, now)}</a>
      <span class={decision === undefined ? "hidden" : "trouble-by"}>
        {decision === undefined ? "" : TEXT.by(sanitize(decision.by, NAME_MAX), formatAge(now - decision.at))}
      </span>
      <EntryButton trouble={trouble} />
    </li>
  );
}

/** Why icons of different shapes: a colour alone says nothing to many people. */
const LOOKS: Readonly<Record<Trouble["is"], { readonly tone: Tone; readonly icon: IconName }>> = {
  disconnected: { tone: "bad", icon: "unplug" },
  stopped: { tone: "bad", icon: "stop" },
  draining: { tone: "warn", icon: "leave" },
  upstream: { tone: "bad", icon: "unplug" },
  not_ready: { tone: "bad", icon: "warning" },
  request_failed: { tone: "bad", icon: "warning" },
  no_events: { tone: "warn", icon: "warning" },
  approvals: { tone: "warn", icon: "shield" },
  unapproved: { tone: "warn", icon: "shield" },
  failing: { tone: "bad", icon: "cross" },
  solo: { tone: "accent", icon: "solo" },
  paused: { tone: "warn", icon: "pause" },
  muted: { tone: "warn", icon: "mute" },
  contexts_held: { tone: "warn", icon: "queue" },
  dead_letters: { tone: "warn", icon: "queue" },
};

function textOf(trouble: Trouble, now: number): string {
  switch (trouble.is) {
    case "disconnected":
      return TEXT.disconnected(trouble.since === undefined ? "" : formatDuration(now - trouble.since));
    case "upstream": {
      const { character, id, since, attempt } = trouble.upstream;
      return TEXT.upstream(
        sanitize(character ?? id, NAME_MAX),
        upstreamWord(trouble.upstream),
        formatAge(now - since),
        attempt,
      );
    }
    case "not_ready":
      return TEXT.notReady(sanitize(trouble.reason, 160));
    case "request_failed":
      return TEXT.requestFailed(sanitize(trouble.reason, 160));
    case "approvals":
      return TEXT.approvals(trouble.count, formatDuration(trouble.deadline - now));
    case "failing":
      return TEXT.failing(sanitize(trouble.integration.name, NAME_MAX), trouble.failed, trouble.of);
    case "unapproved":
    case "solo":
    case "paused":
    case "muted":
      return TEXT[trouble.is](sanitize(trouble.integration.name, NAME_MAX));
    case "contexts_held":
      return TEXT.contextsHeld(trouble.upstream.contexts_held);
    case "dead_letters":
      return TEXT.deadLetters(trouble.count);
    case "stopped":
    case "draining":
    case "no_events":
      return TEXT[trouble.is];
    default:
      return assertNever(trouble);
  }
}

/** Where a person reads more about it. */
function placeOf(trouble: Trouble): string {
  switch (trouble.is) {
    case "unapproved":
    case "failing":
    case "solo":
    case "paused":
    case "muted":
      return linkTo("integration", trouble.integration.id);
    case "approvals":
      return linkTo("now");
    case "dead_letters":
      return linkTo("queue");
    case "stopped":
      return linkTo("audit");
    case "contexts_held":
      return linkTo("feed", "", { kinds: "context" });
    case "upstream":
      return linkTo("feed", "", { kinds: "neuro" });
    case "disconnected":
    case "draining":
    case "not_ready":
    case "request_failed":
    case "no_events":
      return linkTo("feed", "", { kinds: "problems" });
    default:
      return assertNever(trouble);
  }
}

/** What ends it, or the first step towards that. */
function EntryButton({ trouble }: { readonly trouble: Trouble }) {
  switch (trouble.is) {
    case "stopped":
      return <ChangeButton text={TEXTS.header.resume} onPress={switchStop} />;
    case "solo":
      return <ControlButton id={trouble.integration.id} change={{ solo: false }} text={TEXT.endSolo} />;
    case "paused":
      return <ControlButton id={trouble.integration.id} change={{ paused: false }} text={TEXT.resume} />;
    case "muted":
      return <ControlButton id={trouble.integration.id} change={{ muted: false }} text={TEXT.unmute} />;
    case "failing":
      return <ControlButton id={trouble.integration.id} change={{ paused: true }} text={TEXT.pause} />;
    case "unapproved":
      return <AdmitButton id={trouble.integration.id} />;
    case "approvals":
      return <Button name="trouble-button" onPress={() => focusDecision(0)}>{TEXT.decide}</Button>;
    case "disconnected":
    case "request_failed":
      return <Button name="trouble-button" onPress={() => store.refreshNow()}>{TEXT.retry}</Button>;
    case "dead_letters":
    case "contexts_held":
    case "upstream":
    case "draining":
    case "not_ready":
    case "no_events":
      return <Button name="trouble-button" onPress={() => void (location.hash = placeOf(trouble))}>{TEXT.show}</Button>;
    default:
      return assertNever(trouble);
  }
}

function ChangeButton({ text, onPress }: { readonly text: string; onPress(): unknown }) {
  const missingScope = useMissingScope("admin");
  return <Button name="trouble-button" disabledReason={missingScope} onPress={onPress}>{text}</Button>;
}

interface ControlProps {
  readonly id: string;
  readonly change: IntegrationControlsChange;
  readonly text: string;
}

function ControlButton({ id, change, text }: ControlProps) {
  return <ChangeButton text={text} onPress={() => store.send("PATCH", `integrations/${pathSegment(id)}`, { ...change })} />;
}

function AdmitButton({ id }: { readonly id: string }) {
  return (
    <Button
      name="trouble-button"
      disabledReason={useMissingScope("admin")}
      onPress={() => store.send("POST", `integrations/${pathSegment(id)}/decision`, { approve: true })}
    >
      {TEXT.approve}
    </Button>
  );
}
