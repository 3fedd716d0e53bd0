/** Selects how the relay plays Neuro, for one integration or for all. Hidden while a real Neuro is configured. */
import { BEHAVIOUR_PRESET_NAMES } from "../../core/defaults.ts";
import type { BehaviourPreset } from "../../core/settings.ts";
import { upstreamsOf } from "../state/dashboard-state.ts";
import { store, useMissingScope, useStore } from "../state/hooks.ts";
import { BEHAVIOURS, TEXTS } from "../texts.ts";

const TEXT = TEXTS.behaviour;
/** The option for null. */
const CONFIGURED = "";

interface BehaviourControlProps {
  /** The path of the controls that it changes. */
  readonly path: string;
  readonly value: BehaviourPreset | null;
  /** What applies without a choice. */
  readonly configured: string;
}

export function BehaviourControl({ path, value, configured }: BehaviourControlProps) {
  const isStandalone = useStore((state) => upstreamsOf(state).some((upstream) => upstream.state === "standalone"));
  const missingScope = useMissingScope("admin");
  const choose = (event: Event): void => {
    const { value: chosen } = event.target as HTMLSelectElement;
    void store.send("PATCH", path, { behaviour: chosen === CONFIGURED ? null : chosen });
  };
  return (
    <label class={isStandalone ? "field behaviour" : "hidden"}>
      <span class="field-label">{TEXT.label}</span>
      <select
        data-name="behaviour"
        value={value ?? CONFIGURED}
        title={missingScope}
        disabled={missingScope !== undefined}
        onChange={choose}
      >
        <option value={CONFIGURED}>{configured}</option>
        {BEHAVIOUR_PRESET_NAMES.map((preset) => <option key={preset} value={preset}>{BEHAVIOURS[preset]}</option>)}
      </select>
    </label>
  );
}
