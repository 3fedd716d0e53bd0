/**
 * Where notes arrive: counted always, written when somebody wants the line.
 *
 * Invariants: V1 what a note costs when its line is not wanted is one addition, or a few; V2 facts that anybody can cause write a
 * bounded number of lines.
 */
import type { Note, NoteName } from "../core/note.ts";
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
  observe(note: Note): void;
  /** Writes what it has held back. */
  close(): void;
}

/** Makes of each note its log line and its count. */
export function observer(log: Log, meters: Meters, clock: BrakeClock): Observer {
  const counts = new Map<NoteName, Cell>();
  const brake = new Brake(clock);
  const now = (): number => clock.now();
  const count = (name: NoteName): Cell => {
    const cell = meters.notes.of(name);
    counts.set(name, cell);
    return cell;
  };
  const write = (note: Note, text: string, properties: Record<string, unknown>): void => {
    const { room, level } = entryOf(note);
    log.write({ room, level, text, at: now(), properties: { note: note.is, ...properties } });
  };
  const sum = (note: Note, leftOut: number): void => {
    const fault = "fault" in note ? { fault: note.fault } : {};
    const many = `${FLOODS[note.is]?.of}${fault.fault === undefined ? "" : ` (${fault.fault})`}`;
    write(note, `${many}: and ${leftOut} more in the last ${WINDOW_MS / 1_000} s`, { ...fault, left_out: leftOut });
  };
  return {
    observe(note) {
      const entry = entryOf(note);
      (counts.get(note.is) ?? count(note.is)).add();
      entry.measure?.(note, meters, now);
      if (!log.isOn(entry.room, entry.level)) return;
      const flood = FLOODS[note.is];
      if (flood !== undefined && !brake.passes(kindOf(note), flood.lines, (leftOut) => sum(note, leftOut))) return;
      write(note, entry.text(note), properties(note));
    },
    close: () => brake.close(),
  };
}

/** Why by fault: a stranger who floods one must not hide another, of which the operator has to hear. */
const kindOf = (note: Note): string => ("fault" in note ? `${note.is} ${note.fault}` : note.is);

function properties(note: Note): Record<string, unknown> {
  const named = Object.entries(note).filter(([field]) => NAMING.has(field));
  return Object.fromEntries(named.map(([field, value]) => [field, shown(value)]));
}
