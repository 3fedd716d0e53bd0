/** YAML as people write it: what a text says, and where in it each name stands. */
import {
  constructFromEvents,
  type Event,
  EVENT_ID,
  getScalarValue,
  parseEvents,
  SCALAR_STYLE,
  YAMLException,
} from "js-yaml";

/** What a text says. */
export interface Yaml {
  /** Undefined for a text that says nothing. */
  readonly value: unknown;
  /** Where the name at the end of a path stands, or the nearest one around it; undefined when the text has none of them. */
  offsetOf(path: readonly PropertyKey[]): number | undefined;
}

/** Why a text is no YAML, or none that is taken, and where that shows. */
export class YamlError extends Error {
  override readonly name = "YamlError";
  readonly offset: number;

  constructor(says: string, offset: number) {
    super(says);
    this.offset = offset;
  }
}

const ALIASES_MAX = 100;
/** Far above every configuration, far below what aliases of aliases can stand for. */
const VALUES_MAX = 100_000;

/** Reads one document; throws a `YamlError`. */
export function readYaml(text: string): Yaml {
  const events = parsed(() => parseEvents(text, {}));
  const [value, ...more] = parsed(() => constructFromEvents(events, { source: text, maxAliases: ALIASES_MAX }));
  if (more.length > 0) throw new YamlError("expected one document, not several", 0);
  if (valuesIn(value, new Map()) > VALUES_MAX) throw new YamlError("its aliases stand for too much", 0);
  return { value, offsetOf: (path) => nearestOffset(path, placesOf(events, text)) };
}

function parsed<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof YAMLException) throw new YamlError(error.reason, error.mark?.position ?? 0);
    throw error;
  }
}

/** How many values there are, each counted as often as aliases name it; one that holds itself is endless. */
function valuesIn(value: unknown, known: Map<object, number>): number {
  if (typeof value !== "object" || value === null) return 1;
  const before = known.get(value);
  if (before !== undefined) return before;
  known.set(value, Infinity);
  const count = Object.values(value).reduce((sum: number, inner) => sum + valuesIn(inner, known), 1);
  known.set(value, count);
  return count;
}

/** Where something stands, and what is below it: by its name in a map, by its number in a list. */
interface Place {
  readonly offset: number;
  readonly below: ReadonlyMap<string, Place>;
}

function nearestOffset(path: readonly PropertyKey[], places: Place): number | undefined {
  let found: Place | undefined;
  let at: Place | undefined = places;
  for (const name of path) {
    at = at?.below.get(String(name));
    found = at ?? found;
  }
  return found?.offset;
}

function placesOf(events: readonly Event[], text: string): Place {
  let at = 1; // Why: the first event is the document.
  const isOver = (): boolean => at >= events.length || events[at]?.type === EVENT_ID.POP;
  const read = (offset: number | undefined): Place => {
    const event = events[at++];
    const below = new Map<string, Place>();
    const place = { offset: offset ?? startOf(event), below };
    if (event?.type !== EVENT_ID.MAPPING && event?.type !== EVENT_ID.SEQUENCE) return place;
    while (!isOver()) {
      const key = event.type === EVENT_ID.MAPPING ? events[at++] : undefined;
      const name = key?.type === EVENT_ID.SCALAR ? getScalarValue(text, key) : String(below.size);
      below.set(name, read(key === undefined ? undefined : startOf(key)));
    }
    at++;
    return place;
  };
  return read(0);
}

function startOf(event: Event | undefined): number {
  if (event?.type === EVENT_ID.MAPPING || event?.type === EVENT_ID.SEQUENCE) return event.start;
  if (event?.type === EVENT_ID.ALIAS) return event.anchorStart - 1;
  if (event?.type !== EVENT_ID.SCALAR) return 0;
  return event.style === SCALAR_STYLE.PLAIN ? event.valueStart : event.valueStart - 1;
}
