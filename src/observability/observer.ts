/**
 * Where notes arrive: counted always, written when somebody wants the line.
 *
 * Invariants: V1 what a note costs when its line is not wanted is one addition, or a few; V2 facts that anybody can cause write a
 * bounded number of lines.
 */
import type { Observation, ObservationName } from "../core/observation.ts";
import { Brake, type BrakeClock, WINDOW_MS } from "./brake.ts";
import { FLOODS } from "./floods.ts";
import type { Log } from "./logger.ts";
import type { Meters } from "./meters.ts";
import type { Cell } from "./metrics.ts";
import { entryOf } from "./table.ts";
import { shown } from "./text.ts";

/** Fields of notes that name things. All others may hold what peers say, and stay out of the log's properties. */
const NAMING: ReadonlySet<string> = new Set([
  ...["id", "name", "from", "to", "integration", "upstream", "address", "room", "key", "file"],
  ...["fault", "why", "end", "origin", "success", "winner", "priority", "privileges", "kind", "depth", "attempt"],
  ...["ms", "waited", "retry_ms", "size", "confirmed", "forced"],
]);

/** Whoever is handed every note. */
export interface Observer {
  observe(observation: Observation): void;
  /** Writes what it has held back. */
  close(): void;
}

/** Makes of each note its log line and its count. */
export function observer(log: Log, meters: Meters, clock: BrakeClock): Observer {
  const counts = new Map<ObservationName, Cell>();
  const brake = new Brake(clock);
  const now = (): number => clock.now();
  const count = (name: ObservationName): Cell => {
    const cell = meters.notes.of(name);
    counts.set(name, cell);
    return cell;
  };
  const write = (observation: Observation, text: string, properties: Record<string, unknown>): void => {
    const { room, level } = entryOf(observation);
    log.write({ room, level, text, at: now(), properties: { note: observation.is, ...properties } });
  };
  const sum = (observation: Observation, leftOut: number): void => {
    const fault = "fault" in observation ? { fault: observation.fault } : {};
    const many = `${FLOODS[observation.is]?.of}${fault.fault === undefined ? "" : ` (${fault.fault})`}`;
    write(observation, `${many}: and ${leftOut} more in the last ${WINDOW_MS / 1_000} s`, { ...fault, left_out: leftOut });
  };
  return {
    observe(observation) {
      const entry = entryOf(observation);
      (counts.get(observation.is) ?? count(observation.is)).add();
      entry.measure?.(observation, meters, now);
      if (!log.isOn(entry.room, entry.level)) return;
      const flood = FLOODS[observation.is];
      if (flood !== undefined && !brake.passes(kindOf(observation), flood.lines, (leftOut) => sum(observation, leftOut))) {
        return;
      }
      write(observation, entry.text(observation), properties(observation));
    },
    close: () => brake.close(),
  };
}

/** Why by fault: a stranger who floods one must not hide another, of which the operator has to hear. */
const kindOf = (
  observation: Observation,
): string => ("fault" in observation ? `${observation.is} ${observation.fault}` : observation.is);

function properties(observation: Observation): Record<string, unknown> {
  const named = Object.entries(observation).filter(([field]) => NAMING.has(field));
  return Object.fromEntries(named.map(([field, value]) => [field, shown(value)]));
}
