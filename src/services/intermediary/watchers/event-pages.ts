/** Pages of the buffered events, for requests of the API. */
import type { EventCriteria, EventPage, EventView } from "../../../core/view.ts";
import type { BufferedEvent, EventBuffer } from "./event-buffer.ts";
import { eventOf } from "./events.ts";

/** The latest events that pass the filter. */
export function latestEvents(buffer: EventBuffer, limit: number, filter: EventCriteria): EventPage {
  const items: EventView[] = [];
  for (let position = buffer.end - 1; position >= buffer.first && items.length < limit; position--) {
    const item = buffer.get(position);
    const event = item?.is === "event" ? viewFor(item, filter) : undefined;
    if (event !== undefined) items.push(event);
  }
  return { items: items.reverse(), cursor: buffer.newest, missed: 0 };
}

/** The first events after an id that pass the filter. */
export function eventsAfter(buffer: EventBuffer, after: string, limit: number, filter: EventCriteria): EventPage {
  const { position: first, isComplete } = buffer.after(after);
  const items: EventView[] = [];
  let missed: number | null = isComplete ? 0 : null;
  // Why: an id that the buffer does not know is of another relay, or of the future.
  let cursor = isComplete ? after : buffer.floor;
  for (let position = first; position < buffer.end && items.length < limit; position++) {
    const item = buffer.get(position);
    if (item === undefined) continue;
    cursor = item.id;
    if (item.is === "gap") missed = missed === null ? null : missed + item.skipped;
    const event = item.is === "event" ? viewFor(item, filter) : undefined;
    if (event !== undefined) items.push(event);
  }
  return { items, cursor, missed };
}

/** The fields of events that name integrations, by id or by name. */
const SUBJECT_FIELDS = ["integration_id", "from_id", "to_ids", "integration", "from", "to", "name", "game_title"];

function viewFor(item: BufferedEvent, { events, integration }: EventCriteria): EventView | undefined {
  if (events?.includes(item.observation.is) === false) return undefined;
  const view = eventOf(item);
  if (integration === undefined) return view;
  const concerns = (field: string): boolean => {
    const value = view[field];
    return value === integration || (Array.isArray(value) && value.includes(integration));
  };
  return SUBJECT_FIELDS.some(concerns) ? view : undefined;
}
