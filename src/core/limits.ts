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
export const SERVICE_MESSAGES_PER_STEP_MAX = 10_000;
/** Actions of one integration. */
export const ACTIONS_PER_INTEGRATION_MAX = 200;
/** Forces that wait for the slot, over all integrations. */
export const FORCES_WAITING_MAX = 256;
/** Contexts held for one integration while Neuro is away. */
export const CONTEXTS_HELD_PER_INTEGRATION_MAX = 200;
/** Code points of an action's name, as Neuro sees it. */
export const UPSTREAM_NAME_MAX = 64;
/** Answers that one peer may owe, and give however fast it can. */
export const OUTSTANDING_REPLIES_MAX = 10_000;
/** Frames of one game that wait their turn behind the rate limit. */
export const FRAMES_THROTTLED_MAX = 2_000;
/** Events that wait for a room which is being rebuilt after a panic. */
export const EVENTS_WAITING_FOR_SERVICE_MAX = 10_000;
/** Writes handed to the store at the same time. */
export const WRITES_IN_FLIGHT_MAX = 256;
/** Deletes that failed and are to be tried again; of more than these the oldest are given up. */
export const FAILED_DELETES_MAX = 100_000;
/** A delete that fails again and again is tried after so many times `queue.write_timeout`. */
export const DELETE_BACKOFF_MAX = 32;
/** How long the reading of a room that is made anew may take, and how long until it is tried again. */
export const REBUILD_MS = 5_000;
/** Entries read from the store by one load. */
export const LOAD_ENTRIES_MAX = 256;
/** Bytes of the bodies read by one load: they are held until they are sent. */
export const LOAD_BYTES_MAX = 1_048_576;
/** Messages sent to one peer without acks that are held until they are settled. */
export const UNSETTLED_MESSAGES_MAX = 4_096;
/** Known names of integrations that are kept (least recently seen go first). */
export const DIRECTORY_NAMES_MAX = 1_000;
/** How long a name that was greeted with a valid token counts as known. */
export const DIRECTORY_NAME_MS: number = 7 * 24 * 3_600_000;
/** Characters of the id that a watcher gives a request. */
export const REQUEST_ID_MAX = 256;
/** Bytes of free text of an integration that go to Neuro as one context, and how often at most. */
export const FREE_TEXT_BYTES_MAX = 2_048;
export const FREE_TEXT_INTERVAL_MS = 1_000;
/** A name's holder that was silent for this long, or is asked for after this long, gives way to a newcomer. */
export const TAKEOVER_GRACE_MS = 5_000;
/** Takeovers of one name within a minute after which its holder stays. */
export const TAKEOVERS_PER_MINUTE_MAX = 3;
/** Frames of a newcomer that are kept while it waits for its name, and their bytes. */
export const TAKEOVER_FRAMES_MAX = 256;
export const TAKEOVER_BYTES_MAX = 1_048_576;
/** Estimated bytes of the events kept for watchers who resume. */
export const EVENT_BUFFER_BYTES_MAX = 33_554_432;
/** Characters of events sent at once to a watcher who is behind; then others have their turn. */
export const EVENT_BATCH_LENGTH_MAX = 262_144;
/** Events kept for watchers who resume, and for how long. */
export const EVENT_BUFFER_MAX = 10_000;
export const EVENT_BUFFER_MS = 300_000;
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
/** Brain: values (of any type, at any depth) in one message. */
export const BRAIN_VALUES_MAX = 100_000;
/** Brain: top-level keys of a session's state. */
export const STATE_KEYS_MAX = 4_096;
/** Brain: events in the log of one session. A session with more can only be read, forked and closed. */
export const SESSION_EVENTS_MAX = 1_000_000;
/** Brain: events, or characters of their text, after which the last log segments are compacted to one with a snapshot. */
export const SNAPSHOT_EVENTS = 64;
export const SNAPSHOT_TEXT_MAX: number = 48 * 1_024;
/** Brain: events of one log segment, and characters of their text. Large, because each write waits for the disk. */
export const LOG_SEGMENT_EVENTS_MAX = 256;
export const LOG_SEGMENT_TEXT_MAX: number = 192 * 1_024;
/** Brain: events that are kept of a session that is not persistent, at least; at most twice as many. */
export const UNSTORED_EVENTS_KEPT = 128;
/** Brain: log segments read by one load. */
export const LOG_SEGMENTS_PER_LOAD = 16;
/** Brain: requests that a session remembers by their `op_id`, and characters of an `op_id`. */
export const OPERATIONS_REMEMBERED_MAX = 64;
export const OPERATION_NAME_MAX = 128;
/** Brain: events in one page of the audit or the ledger, and characters of their text after which a page ends early. */
export const AUDIT_PAGE_MAX = 256;
export const AUDIT_TEXT_MAX: number = 512 * 1_024;
/** Brain: steps of one macro. */
export const MACRO_STEPS_MAX = 64;
/** Brain: outstanding replies to one peer. */
export const REPLIES_OUTSTANDING_MAX = 4_096;
/** Brain: sessions that one peer follows. */
export const SUBSCRIPTIONS_PER_PEER_MAX = 64;
/** Brain: sessions that one peer creates in a burst, and per second in the long run. */
export const SESSIONS_BURST_MAX = 256;
export const SESSIONS_PER_SECOND_MAX = 8;
/** Brain: tombstones of ended sessions that are kept. */
export const TOMBSTONES_MAX = 10_000;
/** Brain: stored predictions. */
export const PREDICTIONS_KEPT_MAX = 10_000;
/** Brain: how long an unused session stays in memory if it is stored. */
export const SESSION_EVICT_AFTER_MS = 600_000;
/** Brain: entries deleted every 100 ms when a session ends. */
export const DELETES_PER_BATCH = 64;
/** Brain: how long reading an artifact may take. */
export const ARTIFACT_MS = 30_000;
/** Brain: bytes of an artifact's weights, and words in one of its vocabularies. */
export const WEIGHTS_BYTES_MAX: number = 32 * 1_024 * 1_024;
export const VOCABULARY_MAX = 200_000;
/** Characters of a neuron's name. */
export const NEURON_NAME_MAX = 255;
/** UTF-8 bytes of a parameter's name in a frame of Nallely's bus: its length is one byte. */
export const PARAMETER_NAME_BYTES_MAX = 255;
/** Parameters of one neuron. */
export const PARAMETERS_PER_NEURON_MAX = 1_024;
/** Values that one neuron keeps while its bus is away. */
export const VALUES_QUEUED_MAX = 100_000;
/** Characters of a value that comes from Nallely's bus as JSON text. */
export const VALUE_TEXT_MAX = 70_000;
/** Neurons of one registry. */
export const NEURONS_MAX = 1_024;
/** Commands that wait for Trevor. */
export const TREVOR_COMMANDS_MAX = 1_024;
/** Characters of one message of Trevor: the state of a large session has hundreds of thousands. */
export const TREVOR_TEXT_MAX: number = 67_108_864;
/** Pulses that wait for their turn on one output of Nallely. */
export const PULSES_WAITING_MAX = 64;
/** What a game says before the backend behind the proxy is reached, and how long that may take. */
export const PROXY_FRAMES_HELD_MAX = 1_024;
export const PROXY_HELD_LENGTH_MAX = 4_194_304;
export const PROXY_DIAL_MS = 10_000;
/** Characters of the first command that the proxy shows to watchers. */
export const PROXY_SNIPPET_MAX = 200;
/** Actions and integrations that the vital signs of the relay tell apart; more of them are not counted. */
export const VITALS_MAX = 10_000;
/** Acts of people that are kept on record. */
export const AUDIT_KEPT_MAX = 1_000;
