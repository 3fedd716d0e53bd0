/** Keys in the first messages of a peer that cannot be passed on as they are. */
import { hintFor, type RepairKind } from "../../../core/diagnostics/catalogue.ts";
import type { Frame } from "../../../core/json.ts";
import { lenientText } from "../../../core/text.ts";
import { lostKeysIn } from "../../../neuro-api/lost-keys.ts";

/** Messages of one connection that are searched: a program makes this mistake from the start. */
const KEY_CHECKS_MAX = 100;

interface Sender {
  readonly messages: number;
  /** The kinds that were reported. */
  readonly repaired: Set<string>;
}

export interface LostKey {
  readonly what: RepairKind;
  readonly detail: string;
  readonly hint: string;
}

const NONE: readonly LostKey[] = [];

/** The lost keys of a message that were not reported for this peer. The frame is JSON. */
export function newLostKeys({ messages, repaired }: Sender, frame: Frame): readonly LostKey[] {
  if (messages > KEY_CHECKS_MAX) return NONE;
  const { repeated, reordered } = lostKeysIn(lenientText(frame));
  return ([["keys_repeated", repeated], ["keys_reordered", reordered]] as const).flatMap(([what, key]) => {
    if (key === undefined || repaired.has(what)) return [];
    const detail = key.slice(0, 64);
    return [{ what, detail, hint: hintFor(what, detail) }];
  });
}
