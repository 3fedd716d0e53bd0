/**
 * Properties of backends that change what the relay does.
 *
 * Other differences are not listed. Where the protocol's documents leave a case open (what is kept over a disconnect, what a second
 * force does), the relay always does what every backend survives: `startup` first on each connection, unregister before a changed
 * definition, one force at a time.
 */
import { UPSTREAM_DEFAULTS } from "../../../core/defaults.ts";
import { REGISTER_FRAME_BYTES_MAX } from "../../../core/limits.ts";
import type { Millis } from "../../../core/ids.ts";
import type { ProfileName } from "../../../core/settings.ts";

export interface Profile {
  /** The relay sends a result this long after its action at the latest: the timeout of the backend, less a tenth. */
  readonly deadlineMs: Millis;
  /** The backend refuses contexts while a result is pending, so they are queued until it was sent. */
  readonly holdsContext: boolean;
  /** Every socket gets every action, including those of other integrations. */
  readonly broadcasts: boolean;
  /** `startup` clears the relay's registrations. If not, names are unregistered before a full register. */
  readonly startupClears: boolean;
  /** `startup` is answered with the session. If not, games get the configured character. */
  readonly acksStartup: boolean;
  /** The backend sends `actions/reregister_all` for each new connection, so it does not mean that registrations were lost. */
  readonly asksOnConnect: boolean;
  /** Accepts the key `main_thread`; others refuse unknown keys. */
  readonly mainThread: boolean;
  /** Accepts a schema in which a key is null; one server ends at it. */
  readonly schemaNulls: boolean;
  /** Bytes of a frame, from the settings: several backends close the connection at 1 MiB. */
  readonly frameBytesMax: number;
  /** Bytes of a registration of several actions. Halved when the backend closes the connection because of one. */
  readonly registerBytesMax: number;
}

/** For Neuro, and for backends that wait without limit: 20 s less a tenth. */
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
  frameBytesMax: UPSTREAM_DEFAULTS.frame_bytes,
  registerBytesMax: REGISTER_FRAME_BYTES_MAX,
};

/** One profile for each value of `nakurity-client.profile`. */
export const PROFILES: Readonly<Record<ProfileName, Profile>> = {
  neuro: NEURO,
  randy: { ...NEURO, broadcasts: true, startupClears: false, acksStartup: false, asksOnConnect: true },
  tony: { ...NEURO, mainThread: false },
  jippity: { ...NEURO, holdsContext: true, broadcasts: true, mainThread: false },
  gary: { ...NEURO, deadlineMs: 4_500, startupClears: false, asksOnConnect: true, mainThread: false },
  neuro_api: { ...NEURO, acksStartup: false, mainThread: false, schemaNulls: false },
};
