/** Restores the Brain from the keys of its store: which sessions exist, where their logs are, and which have ended. */
import { assertNever } from "../../../core/assert.ts";
import type { Entry } from "../../../core/event.ts";
import type { Key, Millis } from "../../../core/ids.ts";
import type { RestoreInput } from "../../../core/service.ts";
import { kindOfKey, sessionOfKey } from "../keys.ts";
import { deleteLater } from "../log/deferred-delete.ts";
import { recoverLog } from "../log/recovery.ts";
import { type LogSegment, segmentOfKey } from "../log/segment.ts";
import { recoverPrediction } from "../predictions/prediction-log.ts";
import type { BrainState } from "../state.ts";
import { hasEvents, type LastUse, sessionOf } from "./session.ts";
import { tombstoneFrom } from "./tombstone.ts";
import { lastUseOfKey, scheduleCheck } from "./ttl.ts";

/** The stored entries of sessions that may still exist. */
interface Remains {
  readonly segments: Map<string, LogSegment[]>;
  readonly lastUses: Map<string, LastUse>;
  /** Keys that nothing refers to. */
  readonly garbage: Key[];
}

/** Fills a new state. All sessions are evicted. */
export function restoreSessions(state: BrainState, { entries, now }: RestoreInput): void {
  const remains: Remains = { segments: new Map(), lastUses: new Map(), garbage: [] };
  for (const entry of entries) sortEntry(state, remains, entry);
  const { segments, lastUses, garbage } = remains;
  for (const [id, { key }] of lastUses) if (!segments.has(id) || state.tombstones.has(id)) garbage.push(key);
  for (const [id, found] of segments) {
    if (state.tombstones.has(id)) garbage.push(...found.map(({ key }) => key));
    else restoreSession(state, { id, segments: found, lastUse: lastUses.get(id) }, now);
  }
  deleteLater(state.deletes, garbage, { now });
}

function sortEntry(state: BrainState, { segments, lastUses, garbage }: Remains, entry: Entry): void {
  const { key } = entry;
  const kind = kindOfKey(key);
  const id = sessionOfKey(key);
  switch (kind) {
    case "log":
    case "snapshot": {
      const segment = segmentOfKey(key);
      const known = segments.get(id);
      if (segment === undefined) return;
      if (known === undefined) segments.set(id, [segment]);
      else known.push(segment);
      return;
    }
    case "tombstone": {
      const tombstone = tombstoneFrom(entry);
      if (tombstone === undefined) garbage.push(key);
      else state.tombstones.set(id, tombstone);
      return;
    }
    case "last_use": {
      // Why the earlier one is garbage: keys are sorted, and the last segment begins with the time.
      const earlier = lastUses.get(id);
      if (earlier !== undefined) garbage.push(earlier.key);
      lastUses.set(id, lastUseOfKey(key));
      return;
    }
    case "prediction":
      return recoverPrediction(state, key, garbage);
    case undefined:
      return;
    default:
      return assertNever(kind);
  }
}

interface SessionRemains {
  readonly id: string;
  readonly segments: readonly LogSegment[];
  readonly lastUse: LastUse | undefined;
}

function restoreSession(state: BrainState, { id, segments, lastUse }: SessionRemains, now: Millis): void {
  const log = recoverLog(id, segments, state.logs.retained);
  const usedAt = Math.min(now, Math.max(log.segments.at(-1)?.at ?? now, lastUse?.at ?? 0));
  const session = { ...sessionOf(log, usedAt), lastUse };
  state.sessions.set(id, session);
  if (!hasEvents(session)) state.unusedSessions.add(session);
  state.logs.storedLength += log.storedLength;
  scheduleCheck(state, session);
}
