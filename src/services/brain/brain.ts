/** All that the room owns. */
import type { Bucket } from "../../core/bucket.ts";
import type { Deadlines } from "../../core/deadlines.ts";
import type { Key, LoadToken, Millis, PeerId } from "../../core/ids.ts";
import type { BrainSettings, LimitSettings } from "../../core/settings.ts";
import type { Inference } from "./inference.ts";
import type { Lanes, Slot } from "./lanes.ts";
import type { Operators } from "./rules/operators.ts";
import type { Scan } from "./log/scan.ts";
import type { Gap } from "./news.ts";
import type { Request, Session } from "./session.ts";

/** What is kept of a session that is over. */
export interface Ended {
  readonly why: "closed" | "expired";
  /** Where this is stored, if it is. */
  readonly key: Key | undefined;
}

export interface BrainPeer {
  /** Sessions that it may make. */
  readonly births: Bucket;
  /** Sessions that it follows. */
  readonly follows: Set<string>;
  /** It reads too slowly: followers' news are left out until it has caught up. */
  isPressed: boolean;
  /** By session, what it has to be told that it missed. */
  readonly gaps: Map<string, Gap>;
}

export interface Brain {
  settings: BrainSettings;
  limits: LimitSettings;
  /** Text of events that the store takes in one entry. */
  readonly stretchTextMax: number;
  readonly operators: Operators;
  readonly sessions: Map<string, Session>;
  /** Oldest first. */
  readonly ended: Map<string, Ended>;
  readonly peers: Map<PeerId, BrainPeer>;
  readonly lanes: Lanes;
  /** By session: when it has to be looked at. */
  readonly deadlines: Deadlines;
  /** Writes of sessions under way. */
  readonly writes: Map<Key, Session>;
  /** Single writes under way, with the replies that wait for them. */
  readonly records: Map<Key, Slot | undefined>;
  readonly scans: Map<LoadToken, Scan>;
  /** Requests whose session woke up, to be handled before the step ends. */
  readonly ready: Request[];
  /** Keys that are to be deleted, a few at a time, and when the next few. */
  readonly rubbish: Key[];
  sweepAt: Millis | undefined;
  readonly inference: Inference;
  /** Set while the relay shuts down: when it stops waiting. */
  drainUntil: Millis | undefined;
  isDrained: boolean;
}
