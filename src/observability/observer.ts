/**
 * Where notes arrive: counted always, written when somebody wants the line.
 *
 * Invariant: what a note costs when its line is not wanted is one addition, or a few.
 */
import type { Note, NoteName } from "../core/note.ts";
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

/** Makes the function that every note is handed to. */
export function observer(log: Log, meters: Meters, now: () => number): (note: Note) => void {
  const counts = new Map<NoteName, Cell>();
  const count = (name: NoteName): Cell => {
    const cell = meters.notes.of(name);
    counts.set(name, cell);
    return cell;
  };
  return (note) => {
    const entry = entryOf(note);
    (counts.get(note.is) ?? count(note.is)).add();
    entry.measure?.(note, meters, now);
    if (!log.isOn(entry.room, entry.level)) return;
    const { room, level } = entry;
    log.write({ room, level, text: entry.text(note), at: now(), properties: properties(note) });
  };
}

function properties(note: Note): Record<string, unknown> {
  const named = Object.entries(note).filter(([field]) => NAMING.has(field));
  return { note: note.is, ...Object.fromEntries(named.map(([field, value]) => [field, shown(value)])) };
}
