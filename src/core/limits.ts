/**
 * Every limit that is not a setting, with its unit in the name.
 *
 * Limits that are settings have their defaults in `defaults.ts` and are clamped by these.
 */
import type { Millis } from "./ids.ts";

/** Unicode code points in the name of an integration, watcher or game. */
export const NAME_CODE_POINTS_MAX = 64;
/** Bytes of one segment of a key. Longer ones are hashed. */
export const SEGMENT_BYTES_MAX = 120;
/** Bytes of the reason in a WebSocket close frame. */
export const CLOSE_REASON_BYTES_MAX = 120;
/** Messages between services within one event. More are treated as an endless loop. */
export const SERVICE_MESSAGES_PER_STEP_MAX = 10_000;
/** Forces that wait to become the current force, over all integrations. */
export const FORCES_WAITING_MAX = 256;
/** Characters of each text of a Neuro's session, which is kept and sent to games. */
export const SESSION_TEXT_MAX = 1_024;
/** Pending actions of one upstream. More of Neuro's actions fail at once. */
export const PENDING_ACTIONS_MAX = 1_000;
/** The part of `limits.total_bytes` for games that have left. Beyond it the largest one is forgotten. */
export const PARKED_PART = 0.25;
/** The part of `limits.total_bytes` for the traces of each service that keeps some. */
export const TRACES_PART: number = 1 / 16;
/** Characters of each text in a trace or in the transcript. */
export const TRACE_TEXT_LENGTH_MAX = 4_000;
/** Steps, and names of actions, in one trace. */
export const TRACE_STEPS_MAX = 64;
export const TRACE_NAMES_MAX = 64;
/** Bytes of registries written per second in the long run, so that a small change of a large registry is not written every second. */
export const REGISTRY_BYTES_PER_SECOND = 1_048_576;
/** UTF-16 units of the description of an action. */
export const DESCRIPTION_LENGTH_MAX = 16_384;
/** Contexts held for one integration while Neuro is away. */
export const CONTEXTS_HELD_PER_INTEGRATION_MAX = 200;
/** Keys of an integration's contexts that replace each other, and UTF-16 units of the text that stands for `{key}`. */
export const CONTEXT_KEYS_MAX = 64;
export const CONTEXT_KEY_LENGTH_MAX = 64;
/** Tokens that operators have issued, and UTF-16 units of the name of one. */
export const ISSUED_TOKENS_MAX = 100;
export const TOKEN_NAME_LENGTH_MAX = 64;
/** The longest time for which a rotated token stays valid. */
export const TOKEN_OVERLAP_MS_MAX: Millis = 2_592_000_000;
/** UTF-16 units of the label of a macro, and of its data. */
export const MACRO_LABEL_LENGTH_MAX = 60;
export const MACRO_DATA_LENGTH_MAX = 16_384;
/** Code points in the name of an action as Neuro sees it. */
export const UPSTREAM_NAME_MAX = 64;
/** Outstanding replies of one peer that do not count against its rate limit. */
export const OUTSTANDING_REPLIES_MAX = 10_000;
/** Pings, and pongs that answer no ping, of one peer per second, and at once after a pause. */
export const CONTROL_FRAMES_PER_SECOND_MAX = 50;
export const CONTROL_FRAMES_BURST_MAX = 200;
/** Frames of one game that wait because of the rate limit. */
export const FRAMES_THROTTLED_MAX = 2_000;
/** Events that wait for a service that is being rebuilt after a panic. */
export const EVENTS_WAITING_FOR_SERVICE_MAX = 10_000;
/** Estimated bytes of these events. Beyond them frames and requests are refused. */
export const EVENTS_WAITING_BYTES_MAX = 33_554_432;
/** Writes of one service handed to the store at the same time. */
export const WRITES_IN_FLIGHT_MAX = 128;
/** Failed deletes that are retried. Beyond this number the oldest are dropped. */
export const FAILED_DELETES_MAX = 100_000;
/** Maximum backoff of failed deletes, in multiples of `queue.write_timeout`. */
export const DELETE_BACKOFF_MAX = 32;
/** Timeout of reading the entries of a service that is being rebuilt, and interval between attempts. */
export const REBUILD_MS = 5_000;
/** Entries read from the store by one load. */
export const LOAD_ENTRIES_MAX = 256;
/** Bytes of the bodies read by one load, because they are kept in memory until they are sent. */
export const LOAD_BYTES_MAX = 1_048_576;
/** Messages sent to one peer without acks that have not been settled. */
export const UNSETTLED_MESSAGES_MAX = 4_096;
/** Known names of integrations. Beyond this number the least recently seen one is dropped. */
export const DIRECTORY_NAMES_MAX = 1_000;
/** How long a name counts as known after it registered with a valid token. */
export const DIRECTORY_NAME_MS: number = 7 * 24 * 3_600_000;
/** Characters of a watcher's `request_id`. */
export const REQUEST_ID_MAX = 256;
/** Bytes of an integration's free text that Neuro gets as one context, and the minimum interval between two of them. */
export const FREE_TEXT_BYTES_MAX = 2_048;
export const FREE_TEXT_INTERVAL_MS = 1_000;
/** A connection that was silent for this long, or does not answer a ping for this long, loses its name to a newer one. */
export const TAKEOVER_GRACE_MS = 5_000;
/** Takeovers of one name within a minute. After these the present connection keeps it. */
export const TAKEOVERS_PER_MINUTE_MAX = 3;
/** Frames of a newer connection that are kept while it waits for its name, and their UTF-16 units. */
export const TAKEOVER_FRAMES_MAX = 256;
export const TAKEOVER_BYTES_MAX = 1_048_576;
/** Estimated bytes of the events kept for watchers that resume. */
export const EVENT_BUFFER_BYTES_MAX = 16_777_216;
/** Bytes of one event for watchers. Common clients close a connection on which more than 1 MiB arrives in one frame. */
export const EVENT_BYTES_MAX = 1_000_000;
/** Characters of events sent at once to a watcher that is behind, before other watchers are served. */
export const EVENT_BATCH_LENGTH_MAX = 262_144;
/** A watcher that asks for it is told after this time, and at most this often, that what a service shows may have changed. */
export const CHANGE_NOTICE_MS = 200;
/** Events kept for watchers that resume, and for how long. */
export const EVENT_BUFFER_MAX = 10_000;
export const EVENT_BUFFER_MS = 300_000;
/** Hops through chained relays before a loop is assumed. */
export const RELAY_HOPS_MAX = 4;
/** Ids of relays that are passed on to the next relay. An id has at most 36 characters, so the header stays below 1.5 KiB. */
export const RELAY_IDS_MAX = 32;
/** Nesting of the JSON Schema of an action. */
export const SCHEMA_DEPTH_MAX = 32;
/** Bytes of a frame to a game, because the smallest receive buffer of a known SDK is 65,535 bytes. */
export const GAME_FRAME_BYTES_MAX = 65_000;
/** Bytes of a registration frame to Neuro. A larger registration is split. */
export const REGISTER_FRAME_BYTES_MAX = 262_144;
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
/** Brain: reads of logs that wait for the store at the same time. */
export const LOG_READS_MAX = 8;
/** The part of `limits.total_bytes` for sessions of the Brain in memory. Beyond it the least recently used stored ones leave it. */
export const BRAIN_PART = 0.25;
/** Brain: requests that a session remembers by their `op_id`, and characters of an `op_id`. */
export const OPERATIONS_REMEMBERED_MAX = 64;
export const OPERATION_NAME_MAX = 128;
/** Brain: events in one page of the audit or the ledger, and characters of their text after which a page ends early. */
export const AUDIT_PAGE_MAX = 256;
export const AUDIT_TEXT_MAX: number = 512 * 1_024;
/** Brain: bytes of one frame to a client. Common clients close a connection on which more than 1 MiB arrives in one frame. */
export const BRAIN_FRAME_BYTES_MAX = 1_000_000;
/** Brain: bytes of the payload of one event, so that a page of the audit with this event alone fits a frame. */
export const EVENT_PAYLOAD_BYTES_MAX = 900_000;
/** Brain: steps of one macro. */
export const MACRO_STEPS_MAX = 64;
/** Brain: outstanding replies to one peer. */
export const REPLIES_OUTSTANDING_MAX = 4_096;
/** Brain: sessions that one peer follows. */
export const SUBSCRIPTIONS_PER_PEER_MAX = 64;
/** Brain: sessions that one peer creates in a burst, and per second in the long run. */
export const SESSIONS_BURST_MAX = 256;
export const SESSIONS_PER_SECOND_MAX = 8;
/** Brain: characters of requests that one peer may have stored in a burst, and per second in the long run. */
export const WRITE_BURST_MAX: number = 64 * 1_048_576;
export const WRITE_PER_SECOND_MAX = 1_048_576;
/** Brain: tombstones of ended sessions that are kept. */
export const TOMBSTONES_MAX = 10_000;
/** Brain: stored predictions. */
export const PREDICTIONS_KEPT_MAX = 10_000;
/** Brain: how long an unused session stays in memory if it is stored. */
export const SESSION_EVICT_AFTER_MS = 600_000;
/** Brain: entries deleted every 100 ms when a session ends. */
export const DELETES_PER_BATCH = 64;
/** Brain: interval at which `Infer` looks for a newer run with `brain.artifact: latest`. */
export const ARTIFACT_REFRESH_MS = 60_000;
/** Brain: timeout of reading an artifact. */
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
/** Values that one neuron keeps while its bus is disconnected. */
export const VALUES_QUEUED_MAX = 100_000;
/** Characters of a value that comes from Nallely's bus as JSON text. */
export const VALUE_TEXT_MAX = 70_000;
/** Neurons of one registry. */
export const NEURONS_MAX = 1_024;
/** Commands that wait for Trevor. */
export const TREVOR_COMMANDS_MAX = 1_024;
/** Bytes of the parameters of one command for Trevor, which closes a socket on which more than 1 MiB arrives in one frame. */
export const TREVOR_COMMAND_BYTES_MAX = 1_000_000;
/** Characters of one message of Trevor, and of all parts of one reply: the state of a large session has hundreds of thousands. */
export const TREVOR_TEXT_MAX: number = 8_388_608;
/** Pulses that wait on one output of Nallely. */
export const PULSES_WAITING_MAX = 64;
/** Frames, and bytes, of a game that are kept until the proxy has reached its backend, and the timeout of that. */
export const PROXY_FRAMES_HELD_MAX = 1_024;
export const PROXY_HELD_LENGTH_MAX = 4_194_304;
export const PROXY_DIAL_MS = 10_000;
/** Characters of the first command that watchers see of a game at the proxy. */
export const PROXY_SNIPPET_MAX = 200;
/** Actions and integrations that the relay's neuron counts separately. Others are not counted. */
export const STATS_ENTRIES_MAX = 10_000;
/** Acts of operators in the audit log. */
export const AUDIT_KEPT_MAX = 1_000;
/** UTF-16 units of a name in the audit log that a peer has chosen. */
export const AUDIT_TARGET_LENGTH_MAX = 256;
/** Requests for stored messages that wait for the store. */
export const MESSAGE_LOADS_MAX = 32;
