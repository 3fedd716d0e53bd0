/** The switches of one integration, and the marks of what is unusual about it. */
import { memo } from "hono/jsx/dom";
import { pathSegment } from "../../clients/api-client.ts";
import type { IntegrationControls, IntegrationView } from "../../core/view.ts";
import { sanitize } from "../lib/sanitize.ts";
import { isStopped } from "../state/dashboard-state.ts";
import { store, useMissingScope, useStore } from "../state/hooks.ts";
import { TEXTS } from "../texts.ts";
import type { IconName } from "./icons.tsx";
import { Button, Chip } from "./primitives.tsx";

const TEXT = TEXTS.integrations;

interface OfIntegration {
  readonly integration: IntegrationView;
}

/** Why: counters change every second, and marks and switches do not depend on them. */
const isSameBesideCounts = (before: OfIntegration, now: OfIntegration): boolean =>
  Object.entries(now.integration).every(([name, value]) =>
    name === "counts" || value === before.integration[name as keyof IntegrationView]
  );

/** Everything unusual about an integration. */
export const Marks = memo(({ integration }: OfIntegration) => {
  const {
    id,
    listener,
    paused,
    muted,
    solo,
    approval,
    off_air: isOffAir,
    visible: isShown,
    connected,
    pending,
    behaviour,
    admission,
  } = integration;
  const failing = useStore(({ now }) => store.results.failing(id, now)?.failed ?? 0);
  // Why not marked then: all are hidden, and the strip gives the reason.
  const isAllHidden = useStore(isStopped);
  const { marks } = TEXT;
  const isNew = admission === "pending";
  const isRejected = admission === "rejected";
  const isHidden = connected && !isShown && !isAllHidden && !paused && !isOffAir && !isNew && !isRejected;
  return (
    <span class="marks">
      {failing > 0 ? <Chip key="failing" tone="bad">{marks.failing(failing)}</Chip> : null}
      {pending > 0 ? <Chip key="running" tone="accent">{marks.running(pending)}</Chip> : null}
      {isNew ? <Chip key="new" tone="warn" title={marks.newMeans}>{marks.new}</Chip> : null}
      {isRejected ? <Chip key="rejected" tone="warn" title={marks.rejectedMeans}>{marks.rejected}</Chip> : null}
      {paused ? <Chip key="paused" tone="warn">{marks.paused}</Chip> : null}
      {muted ? <Chip key="muted" tone="warn">{marks.muted}</Chip> : null}
      {solo ? <Chip key="solo" tone="accent">{marks.solo}</Chip> : null}
      {approval ? <Chip key="approval" tone="warn">{marks.approval}</Chip> : null}
      {behaviour !== null ? <Chip key="behaviour" tone="warn">{TEXTS.behaviour.mark(behaviour)}</Chip> : null}
      {isOffAir ? <Chip key="off-air" title={marks.offAirMeans}>{marks.offAir}</Chip> : null}
      {isHidden ? <Chip key="hidden" title={marks.hiddenMeans}>{marks.hidden}</Chip> : null}
      {listener === "intermediary"
        ? <Chip key="intermediary" title={marks.intermediaryMeans}>{marks.intermediary}</Chip>
        : null}
    </span>
  );
}, isSameBesideCounts);

interface Control {
  readonly name: keyof typeof TEXT.controls;
  readonly key: Exclude<keyof IntegrationControls, "behaviour">;
  readonly icon: IconName;
}

const CONTROLS: readonly Control[] = [
  { name: "pause", key: "paused", icon: "pause" },
  { name: "mute", key: "muted", icon: "mute" },
  { name: "solo", key: "solo", icon: "solo" },
  { name: "approve", key: "approval", icon: "shield" },
];

/** The switches of an integration: as icons in its row, with their words elsewhere. */
export const Controls = memo(({ integration, isWordy = false }: OfIntegration & { readonly isWordy?: boolean }) => {
  const { id, name } = integration;
  const missingScope = useMissingScope("admin");
  return (
    <span class={isWordy ? "controls wordy" : "controls"} role="group" aria-label={TEXT.controlsOf(sanitize(name, 40))}>
      {CONTROLS.map(({ name: control, key, icon }) => {
        const [turnOn, turnOff] = TEXT.controls[control];
        return (
          <Button
            key={control}
            kind={isWordy ? "plain" : "quiet"}
            icon={icon}
            label={integration[key] ? turnOff : turnOn}
            pressed={integration[key]}
            disabledReason={missingScope}
            name={isWordy ? `${control}-wordy` : control}
            tabindex={isWordy ? 0 : -1}
            onPress={() => store.send("PATCH", `integrations/${pathSegment(id)}`, { [key]: !integration[key] })}
          >
            {isWordy ? TEXT.controlWords[control] : undefined}
          </Button>
        );
      })}
    </span>
  );
}, isSameBesideCounts);
