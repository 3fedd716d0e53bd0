/** What the room finds in the store when it is made: which sessions there are, where their logs lie, and which have ended. */
import type { RestoreInput } from "../../../core/service.ts";
import type { BrainState } from "../state.ts";
import { tombstoneOf, TOMBSTONES } from "../sessions/tombstone.ts";
import { deleteLater } from "./deferred-delete.ts";
import { recoverPrediction } from "../predictions/prediction-log.ts";
import { newSession } from "../sessions/session.ts";
import { chainSegments, type LogSegment, segmentOf } from "./segment.ts";
import { type LastUse, lastUseOf, nextCheck } from "../sessions/ttl.ts";

/** Fills a new Brain from the keys of the store; all sessions sleep. */
export function recover(brain: BrainState, { entries, now }: RestoreInput): void {
  const found = new Map<string, LogSegment[]>();
  const uses = new Map<string, LastUse>();
  for (const entry of entries) {
    if (entry.key.startsWith(`${TOMBSTONES}/`)) {
      const past = tombstoneOf(entry);
      if (past !== undefined) brain.tombstones.set(past.id, past.ended);
      else brain.garbage.push(entry.key); // Why: a kill tore it, so nobody was told of that end.
      continue;
    }
    const use = lastUseOf(entry.key);
    if (use !== undefined) {
      const earlier = uses.get(use.session);
      if (earlier !== undefined) brain.garbage.push(earlier.key); // Why earlier: keys come sorted, and begin with the time.
      uses.set(use.session, use.seen);
      continue;
    }
    const place = segmentOf(entry.key);
    if (place === undefined) {
      recoverPrediction(brain, entry.key);
      continue;
    }
    const places = found.get(place.session);
    if (places === undefined) found.set(place.session, [place.segment]);
    else places.push(place.segment);
  }
  for (const [id, { key: at }] of uses) if (!found.has(id) || brain.tombstones.has(id)) brain.garbage.push(at);
  deleteLater(brain, { now }, []); // Why: earlier records of a trace are rubbish already, and have to be swept.
  for (const [id, places] of found) {
    if (brain.tombstones.has(id)) deleteLater(brain, { now }, places.map(({ key }) => key));
    else recoverSession(brain, now, { id, places, seen: uses.get(id) });
  }
}

interface RecoveredSession {
  readonly id: string;
  readonly places: readonly LogSegment[];
  readonly seen: LastUse | undefined;
}

function recoverSession(brain: BrainState, now: number, { id, places, seen }: RecoveredSession): void {
  const { segments, spareSegments, gap } = chainSegments(places);
  const session = newSession(id, Math.min(now, Math.max(segments.at(-1)?.at ?? now, seen?.at ?? 0)));
  session.lastUse = seen;
  session.segments.push(...segments);
  session.spareSegments = spareSegments;
  session.isUnread = true;
  if (gap !== undefined) session.damage = { seq: gap, why: "what was stored of it is gone" };
  brain.sessions.set(id, session);
  brain.deadlines.set(id, nextCheck(brain, session));
}
