/** The relay as a neuron of a Nallely session: its outputs and inputs, and what an operator can set. */
import { useState } from "hono/jsx/dom";
import { Button, Chip, EmptyState, Facts, Prose, Sparkline } from "../components/primitives.tsx";
import type { NallelyDrift, NallelyParameter, NallelyView } from "../../core/view.ts";
import { formatCount } from "../lib/format.ts";
import { sanitize } from "../lib/sanitize.ts";
import { store, useMissingScope, useResource } from "../state/hooks.ts";
import { humanize, TEXTS } from "../texts.ts";

const TEXT = TEXTS.nallely;

export function Nallely() {
  const nallely = useResource<NallelyView>("nallely");
  if (nallely === undefined) return <p class="faint pad">{TEXTS.loading}</p>;
  if (nallely?.enabled !== true) {
    return (
      <div class="scrolls">
        <EmptyState title={TEXT.off}>
          <Prose text={TEXT.offMeans} />
        </EmptyState>
      </div>
    );
  }
  const { name, url, state, counts, trevor, drift } = nallely;
  const isOpen = state === "open";
  return (
    <div class="scrolls">
      <h2 class="visually-hidden">{TEXT.title}</h2>
      <p class="entry-head pad">
        <bdi class="name">{sanitize(name ?? "", 60)}</bdi>
        <Chip tone={isOpen ? "good" : "bad"}>{isOpen ? TEXT.open : sanitize(humanize(state ?? ""), 30)}</Chip>
        <span class="faint small">{sanitize(url ?? "", 80)}</span>
      </p>
      <Values title={TEXT.outputs} side="out" nallely={nallely} />
      <Values title={TEXT.inputs} side="in" nallely={nallely} />
      <div class="panel-facts">
        <Facts
          facts={[
            ...Object.entries(counts ?? {}).map(([term, value]) => [humanize(term), formatCount(value)] as const),
            ...(trevor === null ? [] : [[TEXT.trevor, humanize(trevor)] as const]),
            ...(drift === null ? [] : [[TEXT.drift, driftText(drift)] as const]),
          ]}
        />
      </div>
    </div>
  );
}

const driftText = ({ listed, missing, extra, changed }: NallelyDrift): string =>
  TEXT.drifts(listed, missing.length + extra.length + changed.length);

interface ValuesProps {
  readonly title: string;
  readonly side: NallelyParameter["side"];
  readonly nallely: NallelyView;
}

function Values({ title, side, nallely: { outputs, inputs, settable, state } }: ValuesProps) {
  const values = (side === "out" ? outputs : inputs) ?? {};
  const own = (settable ?? []).filter((parameter) => parameter.side === side);
  const names = [...new Set([...Object.keys(values), ...own.map(({ name }) => name)])];
  return (
    <section>
      <h3 class="panel-subtitle">{title}</h3>
      <div>
        {names.length === 0 ? <p key="none" class="faint small pad">{TEXT.noValues}</p> : (
          <ul key="some" class="plain-list">
            {names.map((name) => (
              <Value
                key={name}
                name={name}
                side={side}
                value={values[name]}
                range={own.find((parameter) => parameter.name === name)}
                isOpen={state === "open"}
              />
            ))}
          </ul>
        )}
      </div>
    </section>
  );
}

interface ValueProps {
  readonly name: string;
  readonly side: NallelyParameter["side"];
  /** Undefined: none has arrived so far. */
  readonly value: number | undefined;
  /** Undefined: an operator cannot set it. */
  readonly range: NallelyParameter | undefined;
  readonly isOpen: boolean;
}

function Value({ name, side, value, range, isOpen }: ValueProps) {
  const text = value === undefined ? TEXT.none : Number.isInteger(value) ? String(value) : value.toFixed(3);
  return (
    <li class="value" data-name="nallely-value">
      <bdi>{sanitize(name, 60)}</bdi>
      <Sparkline values={store.nallelyValues.of(`${side} ${name}`)} label={TEXT.history(sanitize(name, 60))} />
      <span class="num end">{text}</span>
      {range === undefined ? null : <SetValue key="set" range={range} value={value} isOpen={isOpen} />}
    </li>
  );
}

/** A field for a value within the range. It has the current value until somebody types. */
function SetValue({ range: { name, min, max }, value, isOpen }: Pick<ValueProps, "value" | "isOpen"> & {
  readonly range: NallelyParameter;
}) {
  const [typed, type] = useState<string | undefined>(undefined);
  const missingScope = useMissingScope("command");
  const text = typed ?? String(value ?? min);
  const wanted = text.trim() === "" ? NaN : Number(text);
  const isValid = wanted >= min && wanted <= max;
  const submit = async (): Promise<void> => {
    const outcome = await store.send("POST", "nallely/values", { parameter: name, value: wanted });
    if (outcome.ok) type(undefined);
  };
  return (
    <form
      class="value-set"
      noValidate
      onSubmit={(event: Event) => {
        event.preventDefault();
        if (isValid && isOpen && missingScope === undefined) void submit();
      }}
    >
      <input
        type="number"
        inputmode="decimal"
        step="any"
        min={min}
        max={max}
        aria-label={TEXT.newValue(sanitize(name, 60), min, max)}
        aria-invalid={isValid ? undefined : "true"}
        value={text}
        onInput={(event: Event) => type((event.target as HTMLInputElement).value)}
      />
      <span class="faint small num">{TEXT.range(min, max)}</span>
      <Button
        name="set-value"
        disabledReason={missingScope ?? (isOpen ? isValid ? undefined : TEXT.outside(min, max) : TEXT.offline)}
        onPress={submit}
      >
        {TEXT.set}
      </Button>
    </form>
  );
}
