/** Rebuilds the log of a session from the keys of its segments, without reading them. */
import type { RetainedBytes } from "../../../core/retained-bytes.ts";
import { chainSegments, lengthOf, type LogSegment } from "./segment.ts";
import { newLog, type SessionLog } from "./session-log.ts";

/** The log that some stored segments make up. A log with a gap is damaged. */
export function recoverLog(id: string, found: readonly LogSegment[], retained: RetainedBytes): SessionLog {
  const { segments, spareSegments, gap } = chainSegments(found);
  const log = newLog(
    id,
    gap === undefined ? { is: "stored" } : { is: "damaged", damage: { seq: gap, reason: "stored events are missing" } },
    retained,
  );
  log.segments.push(...segments);
  log.spareSegments = spareSegments;
  log.storedLength = lengthOf(found);
  log.isUnverified = true;
  return log;
}
