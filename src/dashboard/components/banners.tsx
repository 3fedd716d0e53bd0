/** What is wrong, and why: said once, across the page, and read out. */
import { isDisconnected, isWithoutEvents, useStore } from "../state/store.ts";
import { formatDuration } from "../lib/format.ts";
import { sanitize } from "../lib/sanitize.ts";
import { Button } from "./primitives.tsx";
import { switchStop } from "./header.tsx";

export function Banners() {
  return (
    <div class="banners">
      <Lost />
      <Deaf />
      <Stopped />
      <Waits />
    </div>
  );
}

/** Why the time stands apart: it would be read out every second. */
function Lost() {
  const isLost = useStore(isDisconnected);
  const trouble = useStore((state) => state.requestError);
  const away = useStore(({ lostAt, now }) => formatDuration(lostAt === undefined ? 0 : Math.max(now, Date.now()) - lostAt));
  const text = isLost
    ? "The relay is away. What you see is from before; this page goes on by itself once the relay is back."
    : trouble === undefined
    ? undefined
    : `The relay could not be asked: ${sanitize(trouble, 300)}`;
  return (
    <div class={text === undefined ? "banner none" : "banner bad"} role="status" aria-live="assertive" data-name="lost">
      <span class={text === undefined ? "dot" : "dot bad beats"} aria-hidden="true" />
      <span>{text ?? ""}</span>
      <span class={isLost ? "num banner-age" : "none"} aria-hidden="true">{away}</span>
    </div>
  );
}

/** Events come by the Intermediary. */
function Deaf() {
  const hasNone = useStore(({ overview }) => isWithoutEvents(overview));
  return (
    <div class={hasNone ? "banner warn" : "banner none"} role="status" data-name="deaf">
      <span>
        {hasNone
          ? "The Intermediary is off, so there are no live events here; the rest is asked for every few seconds."
          : ""}
      </span>
    </div>
  );
}

function Stopped() {
  const isStopped = useStore(({ overview }) => overview?.services.neuro?.controls.stopped === true);
  return (
    <div class={isStopped ? "banner stopped" : "banner none"} role="status" aria-live="polite" data-name="stopped">
      <strong>{isStopped ? "Stopped." : ""}</strong>
      <span>{isStopped ? "Neuro sees no action of any integration, and their forces and contexts are held." : ""}</span>
      {isStopped ? <Button onPress={switchStop}>Go on</Button> : null}
    </div>
  );
}

function Waits() {
  const waits = useStore(({ overview }) => overview?.waits);
  const isDraining = useStore(({ overview }) => overview?.draining === true);
  const all = [...(isDraining ? ["the relay is stopping"] : []), ...waits ?? []];
  return (
    <div class={all.length === 0 ? "banner none" : "banner warn"} role="status" aria-live="polite" data-name="waits">
      <strong>{all.length === 0 ? "" : "Not ready."}</strong>
      <span>{all.map((wait) => sanitize(wait, 160)).join(" · ")}</span>
    </div>
  );
}
