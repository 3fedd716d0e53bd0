/**
 * `/overlay`: a transparent page for a browser source of OBS. Shows the active game, the current question and Neuro's last action.
 *
 * It has no controls, and shows nothing while the relay is away, so that no old question stays on the stream.
 */
import { useLayoutEffect, useState } from "hono/jsx/dom";
import type { Millis } from "../../core/ids.ts";
import { sanitize, sanitizeLines } from "../lib/sanitize.ts";
import { isDisconnected, isStopped, upstreamsOf } from "../state/dashboard-state.ts";
import { store, useStore } from "../state/hooks.ts";
import { TEXTS } from "../texts.ts";
import { type LastAction, lastAction } from "./last-action.ts";

const TEXT = TEXTS.overlay;
/** The feed is looked at this often, because the store does not announce each event. */
const FEED_MS: Millis = 250;
const OPTIONS_MAX = 12;

export function Overlay() {
  const session = useStore((state) => state.session);
  const isLost = useStore(isDisconnected);
  if (session.is === "signed_out") {
    return <p key="signed-out" class="overlay-line">{TEXT.signedOut[session.refusal ?? "missing"]}</p>;
  }
  return isLost ? <div key="lost" /> : (
    <main key="live" class="overlay" aria-label={TEXT.label}>
      <Question />
      <Action />
    </main>
  );
}

function Question() {
  const force = useStore((state) => upstreamsOf(state).find(({ force }) => force !== null)?.force ?? null);
  const stopped = useStore(isStopped);
  if (force === null || stopped) return <div key="none" />;
  const options = force.actions.slice(0, OPTIONS_MAX);
  return (
    <section key={force.id} class="overlay-question" data-name="overlay-question">
      <p class="overlay-line overlay-game" dir="auto">{sanitize(force.name, 64)}</p>
      <p class="overlay-line overlay-query" dir="auto">{sanitizeLines(force.query, 400)}</p>
      <ul class="overlay-options">
        {options.map((name, index) => <li key={`${index}`} class="overlay-line" dir="auto">{sanitize(name, 64)}</li>)}
      </ul>
    </section>
  );
}

function useLastAction(): LastAction | undefined {
  const [action, setAction] = useState<LastAction | undefined>(undefined);
  useLayoutEffect(() => {
    const timer = setInterval(() => {
      const latest = lastAction(store.feed.rows, store.relayNow());
      setAction((before) => isSame(before, latest) ? before : latest);
    }, FEED_MS);
    return () => clearInterval(timer);
  }, []);
  return action;
}

const isSame = (one: LastAction | undefined, other: LastAction | undefined): boolean =>
  JSON.stringify(one) === JSON.stringify(other);

const MARKS: Readonly<Record<LastAction["is"], string>> = { running: "…", succeeded: "✓", failed: "✗" };

function Action() {
  const action = useLastAction();
  if (action === undefined) return <div key="none" />;
  const { name, integration, is, message } = action;
  return (
    <section key="action" class="overlay-action" data-name="overlay-action">
      <p class="overlay-line overlay-game" dir="auto">{sanitize(integration, 64)}</p>
      <p class={`overlay-line ${is}`}>
        <bdi>{sanitize(name, 64)}</bdi> <span role="img" aria-label={TEXT.results[is]}>{MARKS[is]}</span>{" "}
        <bdi>{sanitize(message, 200)}</bdi>
      </p>
    </section>
  );
}
