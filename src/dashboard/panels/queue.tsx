/** Messages that wait for their recipients, and dead letters. */
import { type Child, memo, useState } from "hono/jsx/dom";
import { pathSegment } from "../../clients/api-client.ts";
import type { Json, JsonObject } from "../../core/json.ts";
import type { DeadLetterView, Page, QueueEntryView, QueueView, SendOutcome } from "../../core/view.ts";
import { SortedList } from "../lists/sorted-list.tsx";
import { Button, type ButtonProps, Chip, ConfirmButton, EmptyState, Name } from "../components/primitives.tsx";
import { formatAge, formatBytes, formatDuration } from "../lib/format.ts";
import type { SortColumn } from "../lib/sort-list.ts";
import { sanitize, sanitizeJson } from "../lib/sanitize.ts";
import { store, useMissingScope, useResource, useStore } from "../state/hooks.ts";
import { deadLetterReason, humanize, TEXTS } from "../texts.ts";

const TEXT = TEXTS.queue;
/** Entries of each list that are shown. */
const ITEMS_MAX = 500;

/** Undefined until they were read; none without an Intermediary. */
function useItems<Item>(path: string): readonly Item[] | undefined {
  const page = useResource<Page<Item>>(`${path}?limit=${ITEMS_MAX}`);
  return page === null ? [] : page?.items;
}

const { columns: TITLES } = TEXTS;
const QUEUE_COLUMNS: readonly SortColumn<QueueView>[] = [
  { key: "recipient", title: TITLES.recipient, isText: true, valueOf: ({ to }) => to },
  { key: "messages", title: TITLES.messages, valueOf: ({ entries }) => entries },
  { key: "size", title: TITLES.size, valueOf: ({ bytes }) => bytes },
  { key: "oldest", title: TITLES.oldest, valueOf: ({ oldest_at: oldestAt }) => oldestAt },
];
const DEAD_LETTER_COLUMNS: readonly SortColumn<DeadLetterView>[] = [
  { key: "recipient", title: TITLES.recipient, isText: true, valueOf: ({ to }) => to },
  { key: "reason", title: TITLES.reason, isText: true, valueOf: ({ reason }) => reason },
  { key: "kind", title: TITLES.kind, isText: true, valueOf: ({ kind }) => kind },
  { key: "size", title: TITLES.size, valueOf: ({ bytes }) => bytes },
  { key: "time", title: TITLES.time, valueOf: ({ dead_at: deadAt }) => deadAt },
];

export function Queue() {
  const queue = useItems<QueueView>("queue");
  const deadLetters = useItems<DeadLetterView>("dead-letters");
  return (
    <div class="scrolls">
      <section aria-labelledby="queue-title">
        <h2 id="queue-title" class="panel-title">{TEXT.waiting}</h2>
        <div>
          {queue === undefined
            ? <p key="loading" class="faint pad">{TEXTS.loading}</p>
            : queue.length === 0
            ? <EmptyState key="none" title={TEXT.nothingWaits}>{TEXT.nothingWaitsMeans}</EmptyState>
            : (
              <SortedList
                key="some"
                param="by_recipient"
                columns={QUEUE_COLUMNS}
                items={queue}
                keyOf={({ to }) => to}
                row={(one) => <RecipientRow queue={one} />}
              />
            )}
        </div>
      </section>
      <section aria-labelledby="dead-title">
        <div class="panel-head">
          <h2 id="dead-title" class="panel-title">{TEXT.deadLetters}</h2>
          <AllDeadLetters letters={deadLetters ?? []} />
        </div>
        <div>
          {deadLetters === undefined
            ? <p key="loading" class="faint pad">{TEXTS.loading}</p>
            : deadLetters.length === 0
            ? <EmptyState key="none" title={TEXT.noDeadLetters}>{TEXT.noDeadLettersMeans}</EmptyState>
            : (
              <SortedList
                key="some"
                param="by_dead"
                columns={DEAD_LETTER_COLUMNS}
                items={deadLetters}
                keyOf={({ id }) => id}
                row={(letter) => <DeadLetterRow letter={letter} />}
              />
            )}
          <p class={(deadLetters?.length ?? 0) < ITEMS_MAX ? "hidden" : "faint pad"}>{TEXT.more(ITEMS_MAX)}</p>
        </div>
      </section>
    </div>
  );
}

/** Retries or drops every dead letter that is listed. */
function AllDeadLetters({ letters }: { readonly letters: readonly DeadLetterView[] }) {
  const missingScope = useMissingScope("admin");
  // Why one after another: a relay limits how many requests wait.
  const each = async (method: "POST" | "DELETE", end: string): Promise<void> => {
    for (const { id } of letters) if (!(await store.send(method, `dead-letters/${pathSegment(id)}${end}`)).ok) return;
  };
  return (
    <span class={letters.length < 2 ? "hidden" : "entry-buttons"}>
      <ConfirmButton
        name="retry-all"
        disabledReason={missingScope}
        confirmText={TEXT.confirmRetryAll(letters.length)}
        onPress={() => each("POST", "/retry")}
      >
        {TEXT.retryAll}
      </ConfirmButton>
      <ConfirmButton
        name="drop-all"
        disabledReason={missingScope}
        confirmText={TEXT.confirmDropAll(letters.length)}
        onPress={() => each("DELETE", "")}
      >
        {TEXT.dropAll}
      </ConfirmButton>
    </span>
  );
}

function RecipientRow({ queue: { to, entries, bytes, oldest_at } }: { readonly queue: QueueView }) {
  const [listed, setListed] = useState<readonly QueueEntryView[] | undefined>(undefined);
  const age = useStore(({ now }) => (oldest_at === null ? "" : TEXT.oldest(formatAge(now - oldest_at))));
  const toggle = async (): Promise<void> => {
    if (listed !== undefined) return setListed(undefined);
    const outcome = await store.read<Page<QueueEntryView>>(`queue/${pathSegment(to)}`);
    if (outcome.ok) setListed(outcome.body.items);
  };
  const forget = (entry: string): void => setListed((listed ?? []).filter(({ id }) => id !== entry));
  return (
    <div class="entry">
      <div class="entry-head">
        <Name text={to} />
        <span class="faint small num">
          {[TEXT.entries(entries), formatBytes(bytes), age].filter((part) => part !== "").join(" · ")}
        </span>
        <Button kind="quiet" pressed={listed !== undefined} onPress={toggle}>
          {listed === undefined ? TEXT.show : TEXT.hide}
        </Button>
      </div>
      <ul class={listed === undefined ? "hidden" : "plain-list inner"}>
        {(listed ?? []).map((entry) => <EntryRow key={entry.id} entry={entry} onDropped={() => forget(entry.id)} />)}
      </ul>
    </div>
  );
}

function EntryRow({ entry, onDropped }: { readonly entry: QueueEntryView; onDropped(): void }) {
  const { id, kind, bytes, attempts, expires_at } = entry;
  const left = useStore(({ now }) => TEXT.expiresIn(formatDuration(expires_at - now)));
  const drop = async (): Promise<void> => {
    if ((await store.send("DELETE", `messages/${pathSegment(id)}`)).ok) onDropped();
  };
  return (
    <li class="entry" data-row>
      <div class="entry-head">
        <code>{sanitize(humanize(kind), 40)}</code>
        <span class="faint small num">
          {[formatBytes(bytes), ...(attempts > 0 ? [TEXT.attempts(attempts)] : []), left].join(" · ")}
        </span>
        <DropButton kind="quiet" onPress={drop} />
      </div>
      <MessageBody id={id} />
    </li>
  );
}

function DropButton({ kind, tabindex, onPress }: Pick<ButtonProps, "kind" | "tabindex" | "onPress">) {
  const missingScope = useMissingScope("admin");
  return (
    <ConfirmButton
      kind={kind ?? "plain"}
      tabindex={tabindex ?? 0}
      name="drop"
      disabledReason={missingScope}
      confirmText={TEXT.confirmDrop}
      onPress={onPress}
    >
      {TEXT.drop}
    </ConfirmButton>
  );
}

const DeadLetterRow = memo(({ letter }: { readonly letter: DeadLetterView }) => {
  const { id, to, kind, bytes, reason, dead_at } = letter;
  const age = useStore(({ now }) => TEXT.ago(formatAge(now - dead_at)));
  const missingScope = useMissingScope("admin");
  const retry = async (): Promise<void> => {
    const outcome = await store.send<SendOutcome>("POST", `dead-letters/${pathSegment(id)}/retry`);
    const name = sanitize(to, 40);
    if (outcome.ok) store.showToast("good", outcome.body.status === "queued" ? TEXT.requeued(name) : TEXT.resent(name));
  };
  return (
    <div class="entry" data-name="dead-letter">
      <div class="entry-head">
        <Name text={to} />
        <Chip tone="bad">{sanitize(deadLetterReason(reason), 60)}</Chip>
        <span class="faint small num">{[sanitize(humanize(kind), 30), formatBytes(bytes), age].join(" · ")}</span>
        <span class="entry-buttons">
          <Button name="retry" disabledReason={missingScope} onPress={retry}>{TEXT.retry}</Button>
          <DropButton tabindex={-1} onPress={() => store.send("DELETE", `dead-letters/${pathSegment(id)}`)} />
        </span>
      </div>
      <MessageBody id={id} />
    </div>
  );
});

/** The content of a message, read when it is first opened. */
function MessageBody({ id }: { readonly id: string }) {
  const [body, setBody] = useState<Json | undefined>(undefined);
  const load = async (event: Event): Promise<void> => {
    if (!(event.target as HTMLDetailsElement).open || body !== undefined) return;
    const outcome = await store.read<JsonObject>(`messages/${pathSegment(id)}`);
    setBody(outcome.ok ? outcome.body["body"] ?? outcome.body : null);
  };
  const text: Child = body === undefined
    ? TEXTS.loading
    : typeof body === "string"
    ? sanitize(body, 8_000)
    : sanitizeJson(body);
  return (
    <details class="state" onToggle={(event: Event) => void load(event)}>
      <summary tabindex={-1}>{TEXT.body}</summary>
      <pre dir="auto">{text}</pre>
    </details>
  );
}
