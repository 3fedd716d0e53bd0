import { Timers } from "../../core/deadlines.ts";
import type { PeerId } from "../../core/ids.ts";

/** The timers of a peer: the end of the time to greet, its takeover of a name, and its waiting free text. */
export type PeerTimer =
  | { readonly is: "greeting"; readonly peer: PeerId }
  | { readonly is: "takeover"; readonly peer: PeerId }
  | { readonly is: "freeText"; readonly peer: PeerId };

export type PeerTimers = Timers<PeerTimer>;

export const newPeerTimers = (): PeerTimers => new Timers();
