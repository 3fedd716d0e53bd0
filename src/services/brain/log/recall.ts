/** What the room finds in the store when it is made: which sessions there are, where their logs lie, and which have ended. */
import type { RestoreInput } from "../../../core/service.ts";
import type { Brain } from "../brain.ts";
import { ENDED, endedOf } from "./ending.ts";
import { discard } from "./rubbish.ts";
import { recallPrediction } from "../record.ts";
import { newSession } from "../session.ts";
import { chain, type Stretch, stretchOf } from "./stretch.ts";
import { nextLook, type Seen, seenOf } from "./lifetime.ts";

/** Fills a new Brain from the keys of the store; all sessions sleep. */
export function recall(brain: Brain, { entries, now }: RestoreInput): void {
  const found = new Map<string, Stretch[]>();
  const uses = new Map<string, Seen>();
  for (const entry of entries) {
    if (entry.key.startsWith(`${ENDED}/`)) {
      const past = endedOf(entry);
      if (past !== undefined) brain.ended.set(past.id, past.ended);
      else brain.rubbish.push(entry.key); // Why: a kill tore it, so nobody was told of that end.
      continue;
    }
    const use = seenOf(entry.key);
    if (use !== undefined) {
      const earlier = uses.get(use.session);
      if (earlier !== undefined) brain.rubbish.push(earlier.key); // Why earlier: keys come sorted, and begin with the time.
      uses.set(use.session, use.seen);
      continue;
    }
    const place = stretchOf(entry.key);
    if (place === undefined) {
      recallPrediction(brain, entry.key);
      continue;
    }
    const places = found.get(place.session);
    if (places === undefined) found.set(place.session, [place.stretch]);
    else places.push(place.stretch);
  }
  for (const [id, { key: at }] of uses) if (!found.has(id) || brain.ended.has(id)) brain.rubbish.push(at);
  discard(brain, { now }, []); // Why: earlier records of a trace are rubbish already, and have to be swept.
  for (const [id, places] of found) {
    if (brain.ended.has(id)) discard(brain, { now }, places.map(({ key }) => key));
    else recallSession(brain, now, { id, places, seen: uses.get(id) });
  }
}

interface Remains {
  readonly id: string;
  readonly places: readonly Stretch[];
  readonly seen: Seen | undefined;
}

function recallSession(brain: Brain, now: number, { id, places, seen }: Remains): void {
  const { stretches, spares, gap } = chain(places);
  const session = newSession(id, Math.min(now, Math.max(stretches.at(-1)?.at ?? now, seen?.at ?? 0)));
  session.seen = seen;
  session.stretches.push(...stretches);
  session.spares = spares;
  session.isUnread = true;
  if (gap !== undefined) session.damage = { seq: gap, why: "what was stored of it is gone" };
  brain.sessions.set(id, session);
  brain.deadlines.set(id, nextLook(brain, session));
}
