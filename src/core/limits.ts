/**
 * Every bound that is not a setting: the hard ceilings, with the unit in the name.
 *
 * The defaults of the bounds that are settings stand in the schema of `config`; those bounds are clamped by these.
 */

/** Unicode code points in the name of an integration, watcher or game. */
export const NAME_CODE_POINTS_MAX = 64;
/** Bytes of one segment of a key. Longer ones are hashed. */
export const SEGMENT_BYTES_MAX = 120;
/** Bytes of the reason in a WebSocket close frame. */
export const CLOSE_REASON_BYTES_MAX = 120;
/** Rooms may tell each other this many things within one event before the relay calls it a loop. */
export const TELLS_PER_STEP_MAX = 10_000;
/** Actions of one integration. */
export const ACTIONS_PER_INTEGRATION_MAX = 200;
/** Forces that wait for the slot, over all integrations. */
export const FORCES_WAITING_MAX = 256;
/** Contexts held for one integration while Neuro is away. */
export const CONTEXTS_HELD_PER_INTEGRATION_MAX = 200;
/** Code points of an action's name, as Neuro sees it. */
export const UPSTREAM_NAME_MAX = 64;
/** Frames of one game that wait their turn behind the rate limit. */
export const FRAMES_THROTTLED_MAX = 2_000;
/** Events that wait for a room which is being rebuilt after a panic. */
export const EVENTS_WAITING_FOR_ROOM_MAX = 10_000;
/** Writes handed to the store at the same time. */
export const WRITES_IN_FLIGHT_MAX = 64;
/** Entries read from the store by one load. */
export const LOAD_ENTRIES_MAX = 256;
/** Known names of integrations that are kept (least recently seen go first). */
export const KNOWN_NAMES_MAX = 1_000;
/** How long a name that was greeted with a valid token counts as known. */
export const KNOWN_NAME_MS: number = 7 * 24 * 3_600_000;
/** Events kept for watchers who resume, and for how long. */
export const WATCH_RING_MAX = 10_000;
export const WATCH_RING_MS = 300_000;
/** Hops through chained relays before a loop is assumed. */
export const RELAY_HOPS_MAX = 4;
/** Bytes of one JSON Schema that comes with an action, and its nesting. */
export const SCHEMA_BYTES_MAX = 16_384;
export const SCHEMA_DEPTH_MAX = 32;
/** Nothing sent to a game is larger: the smallest receive buffer of a known SDK is 65,535 bytes. */
export const GAME_FRAME_BYTES_MAX = 65_000;
/** A larger registration goes upstream in several frames. */
export const REGISTER_FRAME_BYTES_MAX = 262_144;
/** Nothing sent upstream is larger: several backends end the connection at 1 MiB. */
export const UPSTREAM_FRAME_BYTES_MAX = 1_000_000;
