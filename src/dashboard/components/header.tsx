/** The top of the page: is everything there, and the one switch that stops it. */
import type { UpstreamView } from "../../core/view.ts";
import { sendCommand, showToast, signOut } from "../state/relay.ts";
import { isWithoutEvents, store, useMissingScope, useStore } from "../state/store.ts";
import { nextTheme } from "../state/theme.ts";
import { formatAge, formatDuration, formatQuantity } from "../lib/format.ts";
import { sanitize } from "../lib/sanitize.ts";
import { Button, Name } from "./primitives.tsx";
import { Logo } from "./logo.tsx";

export function Header() {
  const overview = useStore((state) => state.overview);
  const upstreams = overview?.services.neuro?.upstreams ?? [];
  return (
    <header class="header">
      <div class="brand">
        <Logo />
        <div>
          <h1>Neuro Relay</h1>
          <p class="faint small">{overview === undefined ? " " : <Version version={overview.version} />}</p>
        </div>
      </div>
      <Connection />
      <ul class="links" aria-label="Links to Neuro">
        {upstreams.map((upstream) => <Upstream key={upstream.id} upstream={upstream} />)}
      </ul>
      <div class="header-end">
        <Approval />
        <Stop />
        <Corner />
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
      <span class="version">v{sanitize(version, 20)}</span> · up <span class="uptime">{uptime}</span>
    </span>
  );
}

const LIVE = {
  connecting: ["warn", "connecting"],
  open: ["good", "live"],
  lost: ["bad", "lost"],
  refused: ["bad", "refused"],
} as const;

const DEAF = ["warn", "no events"] as const;

function Connection() {
  const [tone, word] = useStore(({ live, overview }) => isWithoutEvents(overview) ? DEAF : LIVE[live]);
  return (
    <p class={`connection ${tone}`} title="This page and the relay">
      <span class={`dot ${tone}`} aria-hidden="true" />
      <span class="connection-word">{word}</span>
    </p>
  );
}

const LINK = {
  open: ["good", "connected"],
  dialing: ["warn", "dialing"],
  waiting: ["bad", "away"],
  standalone: ["accent", "played by the relay"],
} as const;

/** One Neuro: the real one, or the relay in her place. */
function Upstream({ upstream }: { readonly upstream: UpstreamView }) {
  const now = useStore((state) => state.now);
  const { id, url, state, since, attempt, character, contexts_held: held } = upstream;
  const [tone, word] = LINK[state];
  const more = [
    url === null ? "no upstream is configured" : sanitize(url, 60),
    `for ${formatAge(now - since)}`,
    ...(attempt > 0 && state !== "open" ? [`attempt ${attempt}`] : []),
    ...(held > 0 ? [`${formatQuantity(held, "context")} held`] : []),
  ].join(" · ");
  return (
    <li class={`link ${tone}`} title={more}>
      <span class={`dot ${tone}`} aria-hidden="true" />
      <span class="link-text">
        <span class="link-name">
          <Name text={character ?? id} max={24} /> <span class={`word ${tone}`}>{word}</span>
        </span>
        <span class="link-more faint small">{more}</span>
      </span>
    </li>
  );
}

function Approval() {
  const approval = useStore(({ overview }) => overview?.services.neuro?.controls.approval === true);
  const why = useMissingScope("admin");
  return (
    <Button
      icon="shield"
      label={approval
        ? "Every action waits for approval; press to let them go by themselves"
        : "Let every action wait for approval"}
      pressed={approval}
      disabledReason={why}
      name="approval"
      onPress={() => sendCommand("PATCH", "controls", { approval: !approval })}
    >
      <span class="wide-only">{approval ? "Approvals on" : "Approvals off"}</span>
    </Button>
  );
}

/** Why at once and without a question: whoever reaches for it is in a hurry. Going on is as easy. */
export async function switchStop(): Promise<void> {
  const isStopped = store.state.overview?.services.neuro?.controls.stopped === true;
  const done = await sendCommand("PATCH", "controls", { stopped: !isStopped });
  if ("body" in done) {
    showToast("good", isStopped ? "Going on: Neuro sees the integrations again." : "Stopped: Neuro sees no integration.");
  }
}

function Stop() {
  const isStopped = useStore(({ overview }) => overview?.services.neuro?.controls.stopped === true);
  const why = useMissingScope("admin");
  return (
    <Button
      kind={isStopped ? "main" : "danger"}
      icon={isStopped ? "play" : "stop"}
      label={isStopped
        ? "Go on: show Neuro the integrations again"
        : "Stop everything: fail what is in flight, hide all actions from Neuro"}
      disabledReason={why}
      name="stop"
      onPress={switchStop}
    >
      {isStopped ? "Go on" : "Stop"}
    </Button>
  );
}

function Corner() {
  return (
    <div class="corner">
      <ThemeButton />
      <span class="wide-only">
        <Button
          kind="quiet"
          icon="help"
          label="Keyboard shortcuts"
          name="help"
          onPress={() => store.set({ isHelpOpen: true })}
        />
      </span>
      <Button kind="quiet" icon="leave" label="Sign out" name="sign-out" onPress={() => signOut()} />
    </div>
  );
}

const THEMES = { system: ["half", "as the system"], dark: ["moon", "dark"], light: ["sun", "light"] } as const;

function ThemeButton() {
  const chosen = useStore((state) => state.theme);
  const [icon, word] = THEMES[chosen];
  return (
    <Button
      kind="quiet"
      icon={icon}
      label={`Theme: ${word}`}
      name="theme"
      onPress={() => store.set({ theme: nextTheme() })}
    />
  );
}
