/** What the room finds in the store when it is made: which sessions there are, where their logs lie, and which have ended. */
import type { Past } from "../../core/room.ts";
import type { Brain } from "../brain.ts";
import { ENDED, endedOf } from "./ending.ts";
import { discard } from "./rubbish.ts";
import { recallPrediction } from "../infer/record.ts";
import { newSession } from "../session.ts";
import { chain, type Stretch, stretchOf } from "./stretch.ts";
import { nextLook } from "./waking.ts";

/** Fills a new Brain from the keys of the store; all sessions sleep. */
export function recall(brain: Brain, { entries, now }: Past): void {
  const found = new Map<string, Stretch[]>();
  for (const entry of entries) {
    if (entry.key.startsWith(`${ENDED}/`)) {
      const past = endedOf(entry);
      if (past !== undefined) brain.ended.set(past.id, past.ended);
      else brain.rubbish.push(entry.key); // Why: a kill tore it, so nobody was told of that end.
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
  discard(brain, { now }, []); // Why: earlier records of a trace are rubbish already, and have to be swept.
  for (const [id, places] of found) {
    if (brain.ended.has(id)) discard(brain, { now }, places.map(({ key }) => key));
    else recallSession(brain, now, { id, places });
  }
}

function recallSession(brain: Brain, now: number, { id, places }: { id: string; places: readonly Stretch[] }): void {
  const { stretches, spares, gap } = chain(places);
  const session = newSession(id, Math.min(now, stretches.at(-1)?.at ?? now));
  session.stretches.push(...stretches);
  session.spares = spares;
  session.isUnread = true;
  if (gap !== undefined) session.damage = { seq: gap, why: "what was stored of it is gone" };
  brain.sessions.set(id, session);
  brain.deadlines.set(id, nextLook(brain, session));
}
