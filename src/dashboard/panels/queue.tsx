/** What waits for whom, and what was given up. */
import { useState } from "hono/jsx/dom";
import type { Json, JsonObject } from "../../core/json.ts";
import type { DeadLetterView, QueueEntryView, QueueView } from "../../core/view.ts";
import { inPath } from "../../clients/api.ts";
import { act, read, say } from "../data/relay.ts";
import { useRefusal, useStore } from "../data/store.ts";
import { briefly, count, counted, duration, size } from "../model/figures.ts";
import { shown, shownJson } from "../model/shown.ts";
import { ArmedButton, Button, Chip, Empty, Name } from "../parts/pieces.tsx";

/** As many as are asked for. */
const SHOWN_MAX = 500;

export function Queue() {
  const queue = useStore((state) => state.queue);
  const dead = useStore((state) => state.dead);
  return (
    <div class="scrolls">
      <section aria-labelledby="queue-title">
        <h2 id="queue-title" class="panel-title">Waiting</h2>
        <div>
          {queue === undefined
            ? <p key="wait" class="faint pad">asking the relay…</p>
            : queue.length === 0
            ? (
              <Empty key="none" title="Nothing waits">
                A message for an integration that is known but away waits here until it is back.
              </Empty>
            )
            : <ul key="some" class="plain-list">{queue.map((one) => <Recipient key={one.to} queue={one} />)}</ul>}
        </div>
      </section>
      <section aria-labelledby="dead-title">
        <h2 id="dead-title" class="panel-title">Dead letters</h2>
        <div>
          {dead === undefined
            ? <p key="wait" class="faint pad">asking the relay…</p>
            : dead.length === 0
            ? (
              <Empty key="none" title="No dead letters">
                What could not be delivered in time, or too often, is kept here to be tried again or dropped.
              </Empty>
            )
            : <ul key="some" class="plain-list">{dead.map((letter) => <Letter key={letter.id} letter={letter} />)}</ul>}
          <p class={(dead?.length ?? 0) < SHOWN_MAX ? "none" : "faint pad"}>
            There may be more: these are the first {SHOWN_MAX}.
          </p>
        </div>
      </section>
    </div>
  );
}

function Recipient({ queue }: { readonly queue: QueueView }) {
  const { to, entries, bytes, at } = queue;
  const [listed, list] = useState<readonly QueueEntryView[] | undefined>(undefined);
  const age = useStore(({ now }) => (at === null ? "" : `oldest ${briefly(now - at)}`));
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
          {[`${count(entries)} waiting`, size(bytes), age].filter((part) => part !== "").join(" · ")}
        </span>
        <Button kind="quiet" pressed={listed !== undefined} onPress={flip}>{listed === undefined ? "Show" : "Hide"}</Button>
      </div>
      <ul class={listed === undefined ? "none" : "plain-list inner"}>
        {(listed ?? []).map((entry) => (
          <Entry
            key={entry.id}
            entry={entry}
            gone={() => list((listed ?? []).filter(({ id }) => id !== entry.id))}
          />
        ))}
      </ul>
    </li>
  );
}

function Entry({ entry, gone }: { readonly entry: QueueEntryView; gone(): void }) {
  const { id, kind, bytes, attempts, exp } = entry;
  const left = useStore(({ now }) => duration(exp - now));
  const why = useRefusal("admin");
  const drop = async (): Promise<void> => {
    if ("body" in await act("DELETE", `messages/${inPath(id)}`)) gone();
  };
  return (
    <li class="entry">
      <div class="entry-head">
        <code>{shown(kind, 40)}</code>
        <span class="faint small num">
          {[size(bytes), ...(attempts > 0 ? [counted(attempts, "attempt")] : []), `for ${left} more`].join(" · ")}
        </span>
        <ArmedButton kind="quiet" no={why} sure="Drop it?" onPress={drop}>Drop</ArmedButton>
      </div>
      <Body id={id} />
    </li>
  );
}

function Letter({ letter }: { readonly letter: DeadLetterView }) {
  const { id, to, kind, bytes, why: reason, died } = letter;
  const age = useStore(({ now }) => `${briefly(now - died)} ago`);
  const why = useRefusal("admin");
  const retry = async (): Promise<void> => {
    const done = await act<JsonObject>("POST", `dead-letters/${inPath(id)}/retry`);
    if ("error" in done) return;
    say(
      "good",
      done.body["status"] === "queued" ? `It waits for ${shown(to, 40)} again.` : `Sent to ${shown(to, 40)} again.`,
    );
  };
  return (
    <li class="entry" data-name="dead-letter">
      <div class="entry-head">
        <Name text={to} />
        <Chip tone="bad">{shown(reason, 60)}</Chip>
        <span class="faint small num">{`${shown(kind, 30)} · ${size(bytes)} · ${age}`}</span>
        <span class="entry-buttons">
          <Button name="retry" no={why} onPress={retry}>Retry</Button>
          <ArmedButton name="drop" no={why} sure="Drop it?" onPress={() => act("DELETE", `dead-letters/${inPath(id)}`)}>
            Drop
          </ArmedButton>
        </span>
      </div>
      <Body id={id} />
    </li>
  );
}

/** What is in it, once somebody wants to know. */
function Body({ id }: { readonly id: string }) {
  const [body, show] = useState<Json | undefined>(undefined);
  const look = async (event: Event): Promise<void> => {
    if (!(event.target as HTMLDetailsElement).open || body !== undefined) return;
    const message = await read<JsonObject>(`messages/${inPath(id)}`);
    show(message?.["body"] ?? message ?? null);
  };
  return (
    <details class="state" onToggle={(event: Event) => void look(event)}>
      <summary>Body</summary>
      <pre dir="auto">{body === undefined ? "…" : typeof body === "string" ? shown(body, 8_000) : shownJson(body)}</pre>
    </details>
  );
}
