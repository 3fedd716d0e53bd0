/** Says what is new to people who do not look: in words for screen readers, and by a sound if it is turned on. */
import { useLayoutEffect, useRef } from "hono/jsx/dom";
import { sanitize } from "../lib/sanitize.ts";
import { type DashboardState, isDisconnected, isStopped, pendingOf, upstreamsOf } from "../state/dashboard-state.ts";
import { store } from "../state/hooks.ts";
import { TEXTS } from "../texts.ts";

const TEXT = TEXTS.announcements;

/** What is announced when it appears, by a key that is unique as long as it lasts. */
function newsOf(state: DashboardState): ReadonlyMap<string, string> {
  const approvals = pendingOf(state).filter(({ is }) => is === "approval");
  const forces = upstreamsOf(state).flatMap(({ force }) => (force === null ? [] : [force]));
  return new Map([
    ...approvals.map(({ id, action, names }) =>
      [`approval ${id}`, TEXT.approval(sanitize(action, 60), sanitize(names.join(", "), 80))] as const
    ),
    ...forces.map(({ id, name, query }) => [`force ${id}`, TEXT.force(sanitize(name, 60), sanitize(query, 300))] as const),
    ...(isDisconnected(state) ? [["disconnected", TEXT.disconnected] as const] : []),
    ...(isStopped(state) ? [["stopped", TEXTS.header.stopped] as const] : []),
  ]);
}

export function Announcer() {
  const place = useRef<HTMLDivElement | null>(null);
  useLayoutEffect(() => {
    let known: ReadonlyMap<string, string> = newsOf(store.state);
    return store.subscribe(() => {
      const current = newsOf(store.state);
      const added = [...current].filter(([key]) => !known.has(key));
      known = current;
      if (added.length === 0) return;
      if (place.current !== null) place.current.textContent = added.map(([, text]) => text).join(" ");
      if (store.state.hasSound && added.some(([key]) => /^(?:approval|force) /.test(key))) playSound();
    });
  }, []);
  return <div ref={place} class="visually-hidden" role="alert" data-name="announcer" />;
}

const TONE_HZ = 740;
const TONE_S = 0.18;
let audio: AudioContext | undefined;

/** A short tone. Why made by hand: the page loads no files. */
function playSound(): void {
  try {
    audio ??= new AudioContext();
    const [source, volume] = [audio.createOscillator(), audio.createGain()];
    source.frequency.value = TONE_HZ;
    volume.gain.setValueAtTime(0.12, audio.currentTime);
    volume.gain.exponentialRampToValueAtTime(0.001, audio.currentTime + TONE_S);
    source.connect(volume).connect(audio.destination);
    source.start();
    source.stop(audio.currentTime + TONE_S);
  } catch {
    // Why ignored: a browser without sound, or before the first press on the page.
  }
}
