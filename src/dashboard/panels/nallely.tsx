/** The relay as a neuron of a Nallely session: what it puts out, and what comes in. */
import { isObject, type Json, type JsonObject } from "../../core/json.ts";
import { useStore } from "../state/store.ts";
import { formatCount } from "../lib/format.ts";
import { sanitize } from "../lib/sanitize.ts";
import { Chip, EmptyState, Sparkline } from "../components/primitives.tsx";

const KEPT = 60;
/** The last values of each, as they were seen. */
const past: Map<string, number[]> = new Map();
let seen: Json | undefined;

/** Why here: the values come with each look at the relay, and nobody else wants their past. */
function remember(side: string, values: readonly (readonly [string, number])[]): void {
  for (const [name, value] of values) {
    const kept = past.get(`${side} ${name}`) ?? [];
    kept.push(value);
    past.set(`${side} ${name}`, kept.slice(-KEPT));
  }
}

const numbers = (values: Json | undefined): readonly (readonly [string, number])[] =>
  isObject(values)
    ? Object.entries(values).flatMap(([name, value]) => (typeof value === "number" ? [[name, value] as const] : []))
    : [];

export function Nallely() {
  const nallely = useStore(({ overview }) => overview?.services["nallely"]) as JsonObject | undefined;
  if (nallely === undefined || nallely["enabled"] === false) {
    return (
      <div class="scrolls">
        <EmptyState title="No Nallely session">
          <code>nallely.enabled: true</code> makes the relay a neuron of the session at <code>nallely.url</code>.
        </EmptyState>
      </div>
    );
  }
  const { name, url, state, outputs, inputs, counts } = nallely;
  const [out, into] = [numbers(outputs), numbers(inputs)];
  if (seen !== nallely) {
    seen = nallely;
    remember("out", out);
    remember("in", into);
  }
  const isOpen = state === "open";
  return (
    <div class="scrolls">
      <h2 class="panel-title">Nallely</h2>
      <p class="entry-head pad">
        <bdi class="name">{sanitize(String(name), 60)}</bdi>
        <Chip tone={isOpen ? "good" : "bad"}>{isOpen ? "in the session" : sanitize(String(state), 30)}</Chip>
        <span class="faint small">{sanitize(String(url), 80)}</span>
      </p>
      <Values title="Outputs" side="out" values={out} />
      <Values title="Inputs" side="in" values={into} />
      <dl class="facts pad">
        {numbers(counts).map(([term, value]) => (
          <div key={term}>
            <dt>{sanitize(term, 30)}</dt>
            <dd class="num">{formatCount(value)}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}

interface ValuesProps {
  readonly title: string;
  readonly side: string;
  readonly values: readonly (readonly [string, number])[];
}

function Values({ title, side, values }: ValuesProps) {
  return (
    <section>
      <h3 class="panel-subtitle">{title}</h3>
      <div>
        {values.length === 0 ? <p key="none" class="faint small pad">nothing yet</p> : (
          <ul key="some" class="plain-list">
            {values.map(([name, value]) => (
              <li key={name} class="value">
                <bdi>{sanitize(name, 60)}</bdi>
                <Sparkline values={past.get(`${side} ${name}`) ?? []} label={`the last values of ${sanitize(name, 60)}`} />
                <span class="num end">{Number.isInteger(value) ? value : value.toFixed(3)}</span>
              </li>
            ))}
          </ul>
        )}
      </div>
    </section>
  );
}
