/** The top of the page: whether everything is connected, and the switches that concern all integrations. */
import type { UpstreamView } from "../../core/view.ts";
import { formatAge, formatDuration } from "../lib/format.ts";
import type { Tone } from "../lib/describe-event.ts";
import { upstreamWord } from "../lib/describe-upstream.ts";
import { sanitize } from "../lib/sanitize.ts";
import { type EventStream, hasNoEvents, isStopped, upstreamsOf } from "../state/dashboard-state.ts";
import { store, useMissingScope, useStore } from "../state/hooks.ts";
import type { Theme } from "../state/theme.ts";
import { TEXTS } from "../texts.ts";
import type { IconName } from "./icons.tsx";
import { Logo } from "./logo.tsx";
import { Button, Name } from "./primitives.tsx";
import { RelayName } from "./relay-name.tsx";

const TEXT = TEXTS.header;

export function Header() {
  const version = useStore((state) => state.overview?.version);
  const upstreams = useStore(upstreamsOf);
  return (
    <header class="header">
      <div class="brand">
        <Logo />
        <div>
          <h1>{TEXTS.title.name}</h1>
          <p class="faint small">{version === undefined ? " " : <Version version={version} />}</p>
        </div>
      </div>
      <RelayName />
      <Connection />
      <ul class="links" aria-label={TEXT.links}>
        {upstreams.map((upstream) => <UpstreamLink key={upstream.id} upstream={upstream} />)}
      </ul>
      <div class="header-end">
        <Button icon="plug" label={TEXT.connectLabel} name="connect" onPress={() => store.openDialog("connect")}>
          <span class="wide-only">{TEXT.connect}</span>
        </Button>
        <ApprovalButton />
        <StopButton />
        <div class="corner">
          <Button
            kind="quiet"
            icon="eye"
            label={TEXT.watchers}
            name="watchers"
            onPress={() => store.openDialog("watchers")}
          />
          <SoundButton />
          <ThemeButton />
          <Button kind="quiet" icon="help" label={TEXT.help} name="help" onPress={() => store.openDialog("help")} />
          <Button kind="quiet" icon="leave" label={TEXT.signOut} name="sign-out" onPress={() => store.signOut()} />
        </div>
      </div>
    </header>
  );
}

function Version({ version }: { readonly version: string }) {
  const uptime = useStore(({ overview, now }) =>
    overview === undefined ? "" : formatDuration(overview.uptime_ms + now - overview.now)
  );
  return (
    <span>
      <span class="version">{TEXT.version(sanitize(version, 20))}</span> · {TEXT.uptime}{" "}
      <span class="uptime">{uptime}</span>
    </span>
  );
}

const STREAM_TONES: Readonly<Record<EventStream["is"], Tone>> = {
  connecting: "warn",
  open: "good",
  lost: "bad",
  reconnecting: "warn",
};

function Connection() {
  const stream = useStore(({ events, overview }) => (hasNoEvents(overview) ? "off" : events.is));
  const [tone, word] = stream === "off" ? ["warn", TEXT.noEvents] : [STREAM_TONES[stream], TEXT.streams[stream]];
  return (
    <p class={`connection ${tone}`} title={TEXT.connection}>
      <span class={`dot ${tone}`} aria-hidden="true" />
      <span class="connection-word">{word}</span>
    </p>
  );
}

const UPSTREAM_TONES: Readonly<Record<UpstreamView["state"], Tone>> = {
  open: "good",
  dialing: "warn",
  waiting: "bad",
  standalone: "accent",
};

/** The link to one Neuro, or the relay in her place. */
function UpstreamLink({ upstream }: { readonly upstream: UpstreamView }) {
  const now = useStore((state) => state.now);
  const { id, url, state, since, attempt, character, contexts_held: held } = upstream;
  const tone = UPSTREAM_TONES[state];
  const details = [
    url === null ? TEXT.noUpstream : sanitize(url, 60),
    TEXT.since(formatAge(now - since)),
    ...(attempt > 0 && state !== "open" ? [TEXT.attempt(attempt)] : []),
    ...(held > 0 ? [TEXT.heldContexts(held)] : []),
  ].join(" · ");
  return (
    <li class={`link ${tone}`} title={details}>
      <span class={`dot ${tone}`} aria-hidden="true" />
      <span class="link-text">
        <span class="link-name">
          <Name text={character ?? id} max={24} /> <span class={`word ${tone}`}>{upstreamWord(upstream)}</span>
        </span>
        <span class="link-more faint small">{details}</span>
      </span>
    </li>
  );
}

function ApprovalButton() {
  const isOn = useStore(({ overview }) => overview?.services.neuro?.controls.approval === true);
  const missingScope = useMissingScope("admin");
  return (
    <Button
      icon="shield"
      label={isOn ? TEXT.turnApprovalsOff : TEXT.turnApprovalsOn}
      pressed={isOn}
      disabledReason={missingScope}
      name="approval"
      onPress={() => store.send("PATCH", "controls", { approval: !isOn })}
    >
      <span class="wide-only">{isOn ? TEXT.approvalsOn : TEXT.approvalsOff}</span>
    </Button>
  );
}

/** Why without a confirmation: stopping is urgent, and resuming is as easy. */
export async function switchStop(): Promise<void> {
  const wasStopped = isStopped(store.state);
  const outcome = await store.send("PATCH", "controls", { stopped: !wasStopped });
  if (outcome.ok) store.showToast("good", wasStopped ? TEXT.resumed : TEXT.stopped);
}

export function StopButton() {
  const isOn = useStore(isStopped);
  const [resuming, stopping] = [useMissingScope("admin"), useMissingScope("admin", "stop")];
  const missingScope = isOn ? resuming : stopping;
  return (
    <Button
      kind={isOn ? "main" : "danger"}
      icon={isOn ? "play" : "stop"}
      label={isOn ? TEXT.resumeLabel : TEXT.stopLabel}
      disabledReason={missingScope}
      name="stop"
      onPress={switchStop}
    >
      {isOn ? TEXT.resume : TEXT.stop}
    </Button>
  );
}

function SoundButton() {
  const hasSound = useStore((state) => state.hasSound);
  return (
    <Button
      kind="quiet"
      icon={hasSound ? "sound" : "mute"}
      label={hasSound ? TEXT.soundOff : TEXT.soundOn}
      pressed={hasSound}
      name="sound"
      onPress={() => store.switchSound()}
    />
  );
}

const THEME_ICONS: Readonly<Record<Theme, IconName>> = { system: "half", dark: "moon", light: "sun" };

function ThemeButton() {
  const theme = useStore((state) => state.theme);
  return (
    <Button
      kind="quiet"
      icon={THEME_ICONS[theme]}
      label={TEXT.theme(TEXT.themes[theme])}
      name="theme"
      onPress={() => store.switchTheme()}
    />
  );
}
