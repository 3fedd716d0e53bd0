/** What waits for whom, and what was given up. */
import { useState } from "hono/jsx/dom";
import type { Json, JsonObject } from "../../core/json.ts";
import type { DeadLetterView, QueueEntryView, QueueView } from "../../core/view.ts";
import { inPath } from "../../clients/api.ts";
import { read, sendCommand, showToast } from "../state/relay.ts";
import { useMissingScope, useStore } from "../state/store.ts";
import { formatAge, formatBytes, formatCount, formatDuration, formatQuantity } from "../lib/format.ts";
import { sanitize, sanitizeJson } from "../lib/sanitize.ts";
import { Button, Chip, ConfirmButton, EmptyState, Name } from "../components/primitives.tsx";

/** As many as are asked for. */
const SHOWN_MAX = 500;

export function Queue() {
  const queue = useStore((state) => state.queue);
  const dead = useStore((state) => state.deadLetters);
  return (
    <div class="scrolls">
      <section aria-labelledby="queue-title">
        <h2 id="queue-title" class="panel-title">Waiting</h2>
        <div>
          {queue === undefined
            ? <p key="wait" class="faint pad">asking the relay…</p>
            : queue.length === 0
            ? (
              <EmptyState key="none" title="Nothing waits">
                A message for an integration that is known but away waits here until it is back.
              </EmptyState>
            )
            : <ul key="some" class="plain-list">{queue.map((one) => <RecipientQueueRow key={one.to} queue={one} />)}</ul>}
        </div>
      </section>
      <section aria-labelledby="dead-title">
        <h2 id="dead-title" class="panel-title">Dead letters</h2>
        <div>
          {dead === undefined
            ? <p key="wait" class="faint pad">asking the relay…</p>
            : dead.length === 0
            ? (
              <EmptyState key="none" title="No dead letters">
                What could not be delivered in time, or too often, is kept here to be tried again or dropped.
              </EmptyState>
            )
            : (
              <ul key="some" class="plain-list">
                {dead.map((letter) => <DeadLetterRow key={letter.id} letter={letter} />)}
              </ul>
            )}
          <p class={(dead?.length ?? 0) < SHOWN_MAX ? "none" : "faint pad"}>
            There may be more: these are the first {SHOWN_MAX}.
          </p>
        </div>
      </section>
    </div>
  );
}

function RecipientQueueRow({ queue }: { readonly queue: QueueView }) {
  const { to, entries, bytes, at } = queue;
  const [listed, list] = useState<readonly QueueEntryView[] | undefined>(undefined);
  const age = useStore(({ now }) => (at === null ? "" : `oldest ${formatAge(now - at)}`));
  const flip = async (): Promise<void> => {
    if (listed !== undefined) return list(undefined);
    const page = await read<{ readonly items: readonly QueueEntryView[] }>(`queue/${inPath(to)}`);
    list(page?.items);
  };
  return (
    <li class="entry">
      <div class="entry-head">
        <Name text={to} />
        <span class="faint small num">
          {[`${formatCount(entries)} waiting`, formatBytes(bytes), age].filter((part) => part !== "").join(" · ")}
        </span>
        <Button kind="quiet" pressed={listed !== undefined} onPress={flip}>{listed === undefined ? "Show" : "Hide"}</Button>
      </div>
      <ul class={listed === undefined ? "none" : "plain-list inner"}>
        {(listed ?? []).map((entry) => (
          <QueueEntryRow
            key={entry.id}
            entry={entry}
            gone={() => list((listed ?? []).filter(({ id }) => id !== entry.id))}
          />
        ))}
      </ul>
    </li>
  );
}

function QueueEntryRow({ entry, gone }: { readonly entry: QueueEntryView; gone(): void }) {
  const { id, kind, bytes, attempts, exp } = entry;
  const left = useStore(({ now }) => formatDuration(exp - now));
  const why = useMissingScope("admin");
  const drop = async (): Promise<void> => {
    if ("body" in await sendCommand("DELETE", `messages/${inPath(id)}`)) gone();
  };
  return (
    <li class="entry">
      <div class="entry-head">
        <code>{sanitize(kind, 40)}</code>
        <span class="faint small num">
          {[formatBytes(bytes), ...(attempts > 0 ? [formatQuantity(attempts, "attempt")] : []), `for ${left} more`].join(
            " · ",
          )}
        </span>
        <ConfirmButton kind="quiet" disabledReason={why} sure="Drop it?" onPress={drop}>Drop</ConfirmButton>
      </div>
      <MessageBody id={id} />
    </li>
  );
}

function DeadLetterRow({ letter }: { readonly letter: DeadLetterView }) {
  const { id, to, kind, bytes, why: reason, died } = letter;
  const age = useStore(({ now }) => `${formatAge(now - died)} ago`);
  const why = useMissingScope("admin");
  const retry = async (): Promise<void> => {
    const done = await sendCommand<JsonObject>("POST", `dead-letters/${inPath(id)}/retry`);
    if ("error" in done) return;
    showToast(
      "good",
      done.body["status"] === "queued" ? `It waits for ${sanitize(to, 40)} again.` : `Sent to ${sanitize(to, 40)} again.`,
    );
  };
  return (
    <li class="entry" data-name="dead-letter">
      <div class="entry-head">
        <Name text={to} />
        <Chip tone="bad">{sanitize(reason, 60)}</Chip>
        <span class="faint small num">{`${sanitize(kind, 30)} · ${formatBytes(bytes)} · ${age}`}</span>
        <span class="entry-buttons">
          <Button name="retry" disabledReason={why} onPress={retry}>Retry</Button>
          <ConfirmButton
            name="drop"
            disabledReason={why}
            sure="Drop it?"
            onPress={() => sendCommand("DELETE", `dead-letters/${inPath(id)}`)}
          >
            Drop
          </ConfirmButton>
        </span>
      </div>
      <MessageBody id={id} />
    </li>
  );
}

/** What is in it, once somebody wants to know. */
function MessageBody({ id }: { readonly id: string }) {
  const [body, show] = useState<Json | undefined>(undefined);
  const look = async (event: Event): Promise<void> => {
    if (!(event.target as HTMLDetailsElement).open || body !== undefined) return;
    const message = await read<JsonObject>(`messages/${inPath(id)}`);
    show(message?.["body"] ?? message ?? null);
  };
  return (
    <details class="state" onToggle={(event: Event) => void look(event)}>
      <summary>Body</summary>
      <pre dir="auto">{body === undefined ? "…" : typeof body === "string" ? sanitize(body, 8_000) : sanitizeJson(body)}</pre>
    </details>
  );
}
