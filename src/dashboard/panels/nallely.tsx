/** The relay as a neuron of a Nallely session: its outputs and inputs. */
import { Chip, EmptyState, Facts, Prose, Sparkline } from "../components/primitives.tsx";
import { isObject, type Json, type JsonObject } from "../../core/json.ts";
import { formatCount } from "../lib/format.ts";
import { sanitize } from "../lib/sanitize.ts";
import { store, useStore } from "../state/hooks.ts";
import { humanize, TEXTS } from "../texts.ts";

const TEXT = TEXTS.nallely;

type NamedNumber = readonly [name: string, value: number];

const numbersIn = (values: Json | undefined): readonly NamedNumber[] =>
  isObject(values)
    ? Object.entries(values).flatMap(([name, value]) => (typeof value === "number" ? [[name, value] as const] : []))
    : [];

export function Nallely() {
  // Why the cast: the status of a service other than Neuro has no declared shape, so each field is checked where it is read.
  const nallely = useStore(({ overview }) => overview?.services["nallely"]) as JsonObject | undefined;
  if (nallely === undefined || nallely["enabled"] === false) {
    return (
      <div class="scrolls">
        <EmptyState title={TEXT.off}>
          <Prose text={TEXT.offMeans} />
        </EmptyState>
      </div>
    );
  }
  const { name, url, state, outputs, inputs, counts } = nallely;
  const isOpen = state === "open";
  return (
    <div class="scrolls">
      <h2 class="visually-hidden">{TEXT.title}</h2>
      <p class="entry-head pad">
        <bdi class="name">{sanitize(String(name), 60)}</bdi>
        <Chip tone={isOpen ? "good" : "bad"}>{isOpen ? TEXT.open : sanitize(humanize(String(state)), 30)}</Chip>
        <span class="faint small">{sanitize(String(url), 80)}</span>
      </p>
      <Values title={TEXT.outputs} side="out" values={numbersIn(outputs)} />
      <Values title={TEXT.inputs} side="in" values={numbersIn(inputs)} />
      <div class="panel-facts">
        <Facts facts={numbersIn(counts).map(([term, value]) => [humanize(term), formatCount(value)])} />
      </div>
    </div>
  );
}

interface ValuesProps {
  readonly title: string;
  readonly side: "in" | "out";
  readonly values: readonly NamedNumber[];
}

function Values({ title, side, values }: ValuesProps) {
  return (
    <section>
      <h3 class="panel-subtitle">{title}</h3>
      <div>
        {values.length === 0
          ? <p key="none" class="faint small pad">{TEXT.noValues}</p>
          : (
            <ul key="some" class="plain-list">
              {values.map(([name, value]) => (
                <li key={name} class="value">
                  <bdi>{sanitize(name, 60)}</bdi>
                  <Sparkline values={store.nallelyValues.of(`${side} ${name}`)} label={TEXT.history(sanitize(name, 60))} />
                  <span class="num end">{Number.isInteger(value) ? value : value.toFixed(3)}</span>
                </li>
              ))}
            </ul>
          )}
      </div>
    </section>
  );
}
