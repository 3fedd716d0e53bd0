/** Problems that concern the whole page, announced by screen readers. */
import { formatDuration } from "../lib/format.ts";
import { sanitize } from "../lib/sanitize.ts";
import { hasNoEvents, isDisconnected, isStopped, lostSince } from "../state/dashboard-state.ts";
import { useStore } from "../state/hooks.ts";
import { TEXTS } from "../texts.ts";
import { switchStop } from "./header.tsx";
import { Button } from "./primitives.tsx";

const TEXT = TEXTS.banners;

export function Banners() {
  return (
    <div class="banners">
      <Disconnected />
      <NoEvents />
      <Stopped />
      <NotReady />
    </div>
  );
}

function Disconnected() {
  const isLost = useStore(isDisconnected);
  const requestError = useStore((state) => state.requestError);
  const age = useStore((state) => formatDuration(state.now - (lostSince(state) ?? state.now)));
  const text = isLost
    ? TEXT.disconnected
    : requestError === undefined
    ? undefined
    : TEXT.requestFailed(sanitize(requestError, 300));
  return (
    <div class={text === undefined ? "banner hidden" : "banner bad"} role="status" aria-live="assertive" data-name="lost">
      <span class={text === undefined ? "dot" : "dot bad beats"} aria-hidden="true" />
      <span>{text ?? ""}</span>
      {/* Why hidden from screen readers: it would be announced every second. */}
      <span class={isLost ? "num banner-age" : "hidden"} aria-hidden="true">{age}</span>
    </div>
  );
}

/** Live events come from the Intermediary, which may be off. */
function NoEvents() {
  const isMissing = useStore(({ overview }) => hasNoEvents(overview));
  return (
    <div class={isMissing ? "banner warn" : "banner hidden"} role="status" data-name="no-events">
      <span>{isMissing ? TEXT.noEvents : ""}</span>
    </div>
  );
}

function Stopped() {
  const isOn = useStore(isStopped);
  return (
    <div class={isOn ? "banner stopped" : "banner hidden"} role="status" aria-live="polite" data-name="stopped">
      <strong>{isOn ? TEXT.stopped : ""}</strong>
      <span>{isOn ? TEXT.stoppedMeans : ""}</span>
      {isOn ? <Button onPress={switchStop}>{TEXTS.header.resume}</Button> : null}
    </div>
  );
}

function NotReady() {
  const waits = useStore(({ overview }) => overview?.not_ready);
  const isDraining = useStore(({ overview }) => overview?.draining === true);
  const reasons = [...(isDraining ? [TEXT.draining] : []), ...waits ?? []];
  const isReady = reasons.length === 0;
  return (
    <div class={isReady ? "banner hidden" : "banner warn"} role="status" aria-live="polite" data-name="waits">
      <strong>{isReady ? "" : TEXT.notReady}</strong>
      <span>{reasons.map((reason) => sanitize(reason, 160)).join(" · ")}</span>
    </div>
  );
}
