/**
 * What is known of each backend that can be upstream, where it changes what the relay does.
 *
 * A fact that changes nothing is not here. The differences that the protocol's documents leave open (who keeps what over a
 * disconnect, what a second force does) are met by always doing what every backend survives: `startup` first on each
 * connection, unregister before a changed definition, one force at a time.
 */
import type { Millis } from "../../../core/ids.ts";
import type { ProfileName } from "../../../core/settings.ts";

export interface Profile {
  /** A result has to be on its way this long after its action: what the backend waits, less a tenth. */
  readonly deadlineMs: Millis;
  /** Contexts are refused while a result is awaited, so they have to be held back until it is given. */
  readonly holdsContext: boolean;
  /** Every socket hears every action, also those of integrations that are not ours. */
  readonly broadcasts: boolean;
  /** `startup` empties this integration's registry; where it does not, names are unregistered before a full register. */
  readonly startupClears: boolean;
  /** `startup` is answered by who Neuro is today. Where it is not, games are told the configured character. */
  readonly acksStartup: boolean;
  /** `actions/reregister_all` comes by itself for each new connection, and so means nothing about our registry. */
  readonly asksOnConnect: boolean;
  /** Takes the hidden key `main_thread`; others refuse keys they do not know. */
  readonly mainThread: boolean;
  /** Takes a schema in which a key has the value null; one server ends when it meets one. */
  readonly schemaNulls: boolean;
}

/** For a backend that never gives up waiting: what Neuro herself allows. */
const NEURO_DEADLINE_MS = 18_000;

const NEURO: Profile = {
  deadlineMs: NEURO_DEADLINE_MS,
  holdsContext: false,
  broadcasts: false,
  startupClears: true,
  acksStartup: true,
  asksOnConnect: false,
  mainThread: true,
  schemaNulls: true,
};

/** One profile for each backend that can be configured. */
export const PROFILES: Readonly<Record<ProfileName, Profile>> = {
  neuro: NEURO,
  randy: { ...NEURO, broadcasts: true, startupClears: false, acksStartup: false, asksOnConnect: true },
  tony: { ...NEURO, mainThread: false },
  jippity: { ...NEURO, holdsContext: true, broadcasts: true, mainThread: false },
  gary: { ...NEURO, deadlineMs: 4_500, startupClears: false, asksOnConnect: true, mainThread: false },
  neuro_api: { ...NEURO, acksStartup: false, mainThread: false, schemaNulls: false },
};
