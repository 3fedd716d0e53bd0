/** How to connect something new: the address for each kind of program, and whether it has arrived. */
import { useMemo, useState } from "hono/jsx/dom";
import { encode } from "uqr";
import type { IntegrationView } from "../../core/view.ts";
import { relayAddress, relaySocketAddress } from "../lib/address.ts";
import { linkTo } from "../lib/route.ts";
import { sanitize } from "../lib/sanitize.ts";
import { store, useStore } from "../state/hooks.ts";
import { TEXTS } from "../texts.ts";
import { Dialog } from "./dialog.tsx";
import { Icon } from "../components/icons.tsx";
import { CopyableText, Prose } from "../components/primitives.tsx";

const TEXT = TEXTS.connect;

type KindName = keyof typeof TEXT.kinds;

interface Kind {
  readonly name: KindName;
  /** Where it connects. */
  readonly address: string;
  /** The listener at which it arrives; undefined for pages that only watch. */
  readonly listener: IntegrationView["listener"] | undefined;
  /** What to write into its configuration or its code; undefined for the address alone. */
  snippet?(address: string): string;
}

const games = relaySocketAddress("neuro").href;
const intermediary = relaySocketAddress("intermediary").href;

const KINDS: readonly Kind[] = [
  { name: "unity", address: games, listener: "neuro", snippet: (address) => `NEURO_SDK_WS_URL=${address}` },
  { name: "godot", address: games, listener: "neuro", snippet: (address) => `NEURO_SDK_WS_URL=${address}` },
  { name: "python", address: games, listener: "neuro", snippet: (address) => `await websockets.connect("${address}")` },
  {
    name: "typescript",
    address: games,
    listener: "neuro",
    snippet: (address) => `new NeuroClient("${address}", "My game", onConnected)`,
  },
  { name: "web", address: games, listener: "neuro", snippet: (address) => `new WebSocket("${address}")` },
  { name: "intermediary", address: intermediary, listener: "intermediary" },
  { name: "overlay", address: relayAddress("overlay").href, listener: undefined },
];

export function ConnectDialog() {
  return (
    <Dialog name="connect" title={TEXT.title}>
      <ConnectForm />
    </Dialog>
  );
}

function ConnectForm() {
  const [selected, select] = useState<KindName>("unity");
  const [openedAt] = useState(() => store.relayNow());
  const kind = KINDS.find(({ name }) => name === selected) ?? KINDS[0] as Kind;
  const { address, listener, snippet } = kind;
  return (
    <div class="connect">
      <div class="choices" role="radiogroup" aria-label={TEXT.kind}>
        {KINDS.map(({ name }) => (
          <label key={name} class={name === selected ? "choice is-selected" : "choice"}>
            <input type="radio" name="connect-kind" checked={name === selected} onChange={() => select(name)} />
            {TEXT.kinds[name].title}
          </label>
        ))}
      </div>
      <p class="soft">
        <Prose text={TEXT.kinds[selected].how} />
      </p>
      <div class="connect-address">
        <div class="connect-texts">
          <CopyableText text={address} />
          {snippet === undefined ? null : <CopyableText key={selected} text={snippet(address)} />}
          <p class="faint small">
            <Prose text={TEXT.token} />
          </p>
        </div>
        <QrCode text={address} />
      </div>
      <div>{listener === undefined ? null : <Arrivals key={listener} listener={listener} since={openedAt} />}</div>
    </div>
  );
}

/** What has connected since the dialog was opened. */
function Arrivals({ listener, since }: { readonly listener: IntegrationView["listener"]; readonly since: number }) {
  const integrations = useStore((state) => state.integrations) ?? [];
  const arrived = integrations.filter((one) => one.connected && one.listener === listener && one.since >= since);
  return (
    <div role="status" data-name="arrivals">
      <ul class="arrivals">
        {arrived.length === 0
          ? (
            <li key="waiting" class="arrival faint">
              <span class="dot warn beats" aria-hidden="true" />
              {TEXT.waiting}
            </li>
          )
          : arrived.map(({ id, name, actions }) => (
            <li key={id} class="arrival good-text">
              <Icon name="check" />
              <a href={linkTo("integration", id)} onClick={() => store.openDialog(undefined)}>
                <bdi>{sanitize(name, 60)}</bdi>
              </a>
              <span>{TEXT.connected(actions)}</span>
            </li>
          ))}
      </ul>
    </div>
  );
}

/** A code that a phone reads. Why always dark on light: many readers know only that. */
function QrCode({ text }: { readonly text: string }) {
  const { size, path } = useMemo(() => {
    const { data, size } = encode(text, { border: 2 });
    const dark = data.flatMap((row, y) => row.flatMap((isDark, x) => (isDark ? [`M${x} ${y}h1v1h-1z`] : [])));
    return { size, path: dark.join("") };
  }, [text]);
  return (
    <svg class="qr" viewBox={`0 0 ${size} ${size}`} role="img" aria-label={TEXT.qr} shape-rendering="crispEdges">
      <path d={path} />
    </svg>
  );
}
